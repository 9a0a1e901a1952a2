import { Segmented } from 'antd';
import { goTo, hashOf } from '../../address.ts';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import type { Kind } from '../energy/data.ts';
import { movedDate, noonOf } from './period-date.ts';
import { words } from './words.ts';

export interface Period {
  readonly kind: Kind;
  /** ISO date in it; '' for the one that runs. */
  readonly date: string;
}

/** Which day, week or month is looked at; it is in the address. */
export function PeriodBar({
  path,
  period,
  first,
  last,
  isRunning,
}: {
  readonly path: string;
  readonly period: Period;
  /** What the server says that it is; undefined while it is asked. */
  readonly first: string | undefined;
  readonly last: string | undefined;
  readonly isRunning: boolean;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const { kind, date } = period;
  const go = (next: Period) =>
    goTo(hashOf(path, { kind: next.kind === 'day' ? '' : next.kind, date: next.date }), 'replace');
  const move = (by: -1 | 1) => {
    if (first !== undefined) go({ kind, date: movedDate(kind, first, by) });
  };
  const dayText = (text: string) => formats.fullDate(noonOf(text, formats.startOfDay(now())));
  const shown =
    first === undefined || last === undefined
      ? ''
      : first === last
        ? dayText(first)
        : say.span(shortOf(first), shortOf(last));
  return (
    <div className="meters-period">
      <Segmented<Kind>
        aria-label={say.period}
        value={kind}
        options={(['day', 'week', 'month'] as const).map((value) => ({ value, label: say[value] }))}
        onChange={(next) => go({ kind: next, date })}
      />
      <div className="meters-period-step">
        <button
          type="button"
          className="kit-plain-button"
          aria-label={say.earlier}
          title={say.earlier}
          onClick={() => move(-1)}
        >
          <span aria-hidden="true">‹</span>
        </button>
        <span className="kit-number meters-period-name" aria-live="polite">
          {shown}
        </span>
        <button
          type="button"
          className="kit-plain-button"
          aria-label={say.later}
          title={say.later}
          disabled={isRunning}
          onClick={() => move(1)}
        >
          <span aria-hidden="true">›</span>
        </button>
      </div>
      {!isRunning && (
        <button type="button" className="kit-button" onClick={() => go({ kind, date: '' })}>
          {say.toNow}
        </button>
      )}
    </div>
  );
}

const shortOf = (date: string) => date.replaceAll('-', '/');
