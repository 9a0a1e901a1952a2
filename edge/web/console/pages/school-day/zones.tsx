import { Panel } from '../../kit/frame.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { now as timeNow, useTicking } from '../../kit/ticker.ts';
import { useCampus } from '../../use-live.tsx';
import { type LedgerLineView, type OccurrenceView, useOverrides } from './data.ts';
import { lastsOf } from './occurrence-text.ts';
import { words } from './words.ts';

interface ZonesProps {
  readonly occurrences: readonly OccurrenceView[];
  readonly lines: readonly LedgerLineView[];
}

/** What is on in which zone, and what is heard there next. */
export function ZonesPanel({ occurrences, lines }: ZonesProps) {
  const say = useWords(words);
  const name = useName();
  const formats = useFormats();
  const campus = useCampus();
  const { data: overrides = [] } = useOverrides();
  useTicking((now) => Math.floor(now / 5_000));
  const now = timeNow();
  const begun = new Set(
    lines
      .filter(({ outcome }) => outcome === 'begun' || outcome === 'done' || outcome === 'late')
      .map(({ key }) => key),
  );
  const sounds = occurrences.filter((one) => one.do.kind === 'sound' && one.silenced === null);
  const used = (campus?.zones ?? []).filter(({ id }) => sounds.some(({ zones }) => zones.includes(id)));
  if (used.length === 0) return null;
  const quiet = overrides.filter(({ what, from, until }) => what.kind === 'quiet' && from <= now && now < until);
  const isQuiet = (zone: string) =>
    quiet.some(
      ({ what }) => what.kind === 'quiet' && (what.zones.length === 0 || what.zones.some((id) => id === zone)),
    );
  return (
    <Panel title={say.zonesTitle}>
      <ul className="schoolday-zones">
        {used.map((zone) => {
          const own = sounds.filter(({ zones }) => zones.includes(zone.id));
          const on = own.find((one) => begun.has(one.key) && now >= one.at && now < one.at + lastsOf(one) + 2_000);
          const next = own.find(({ at }) => at > now);
          return (
            <li key={zone.id} data-zone={zone.id} data-on={on !== undefined}>
              <strong>{name(zone.name)}</strong>
              <span>{on !== undefined ? say.onNow(name(on.name)) : isQuiet(zone.id) ? say.isQuiet : say.isSilent}</span>
              <span className="schoolday-zonenext kit-soft kit-number">
                {next === undefined ? say.noMore : `${formats.shortTime(next.at)} ${name(next.name)}`}
              </span>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
