import type { AlarmView } from '../../api.ts';
import { type Sign, SignIcon } from '../../kit/icons.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { words } from './words.ts';

interface Moment {
  readonly key: string;
  /** null: it is not known when. */
  readonly time: number | null;
  readonly sign: Sign;
  readonly what: string;
  readonly said?: string;
}

/** What happened to an alarm, first to last, with who and what he noted. */
export function Timeline({ alarm }: { readonly alarm: AlarmView }) {
  const say = useWords(words);
  const formats = useFormats();
  const called = (by: string) => by.replace(/^(person|token):/, '');
  const moments: Moment[] = [{ key: 'raised', time: alarm.raised, sign: 'octagon', what: say.didRaise }];
  const { acknowledged, shelved, returned, ended } = alarm;
  if (returned !== undefined) moments.push({ key: 'returned', time: returned, sign: 'half', what: say.didReturn });
  if (acknowledged !== undefined) {
    const { time, by, note } = acknowledged;
    moments.push({ key: 'acknowledged', time, sign: 'dot', what: say.didAcknowledge(called(by)), said: note });
  }
  if (ended !== undefined) moments.push({ key: 'ended', time: ended, sign: 'square', what: say.didEnd });
  moments.sort((a, b) => (a.time ?? 0) - (b.time ?? 0));
  if (shelved !== undefined) {
    const what = say.didShelve(called(shelved.by), formats.moment(shelved.until, now()));
    moments.push({ key: 'shelved', time: null, sign: 'clock', what, said: shelved.reason });
  }
  return (
    <>
      <ol className="alarms-timeline">
        {moments.map(({ key, time, sign, what, said }) => (
          <li key={key} data-moment={key}>
            <SignIcon sign={sign} size={12} />
            <span className="kit-number kit-soft">{time === null ? '' : formats.moment(time, now())}</span>
            <span>
              {what}
              {said !== undefined && said !== '' && <q className="alarms-said">{said}</q>}
            </span>
          </li>
        ))}
      </ol>
      {alarm.count > 1 && <p className="kit-soft alarms-count">{say.didCount(alarm.count)}</p>}
    </>
  );
}
