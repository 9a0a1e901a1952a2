import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { type AlarmView, api, errorText, query } from '../../api.ts';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { StateWords } from './alarm-row.tsx';
import { words } from './words.ts';

const span = 30 * 86_400_000;
const most = 500;
const mostShown = 5;

/** How often the same source alarmed lately: an alarm that comes every day wants a repair, not a signature. */
export function Earlier({
  alarm,
  hrefOf,
}: {
  readonly alarm: AlarmView;
  readonly hrefOf: (alarm: AlarmView) => string;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  // By the hour, so that looking again does not ask again.
  const from = useMemo(() => Math.floor((now() - span) / 3_600_000) * 3_600_000, []);
  const parts = { device: alarm.device, from, to: alarm.raised, limit: most };
  const before = useQuery({
    queryKey: ['alarms-before', alarm.id],
    queryFn: ({ signal }) => api.get<readonly AlarmView[]>(`alarms${query(parts)}`, signal),
    staleTime: 60_000,
  });
  if (before.isPending) return null;
  if (before.isError) return <p className="kit-soft">{errorText(before.error, language)}</p>;
  const same = before.data.filter(({ source, id }) => source === alarm.source && id !== alarm.id);
  if (same.length === 0) return <p className="kit-soft">{say.earlierNone}</p>;
  return (
    <>
      <p>{before.data.length === most ? say.earlierAtLeast(same.length) : say.earlierCount(same.length)}</p>
      <ul className="alarms-links">
        {same.slice(0, mostShown).map((one) => (
          <li key={one.id}>
            <a className="kit-number" href={hrefOf(one)}>
              {formats.dateTime(one.raised)}
            </a>{' '}
            <span className="kit-soft">
              <StateWords alarm={one} />
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
