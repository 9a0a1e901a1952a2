import { Segmented } from 'antd';
import { useId } from 'react';
import { useFormats, useWords } from '../../kit/language.tsx';
import { zoneOffset } from '../../kit/series.ts';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { useTicking } from '../../kit/ticker.ts';
import type { Kind } from './data.ts';
import { addDays, isDate, kinds } from './period.ts';
import { reportWords } from './report-words.ts';

/** A day, week or month as the server says that it is. */
export interface Shown {
  readonly kind: Kind;
  /** ISO dates. */
  readonly first: string;
  readonly last: string;
  readonly running: boolean;
}

/** Which period: its kind, any date in it, and the ones before and after, also by the arrow keys. */
export function PeriodPicker({
  kind,
  date,
  shown: told,
  names,
  onOpen,
}: {
  readonly kind: Kind;
  readonly date: string | undefined;
  /** What is shown; it may still be the one before. */
  readonly shown: Shown | undefined;
  readonly names: Readonly<Record<Kind, string>>;
  readonly onOpen: (kind: Kind, date: string | undefined) => void;
}) {
  const say = useWords(reportWords);
  const id = useId();
  const formats = useFormats();
  const isShown = told?.kind === kind;
  const earlier = isShown ? addDays(told.first, -1) : undefined;
  const later = isShown && !told.running ? addDays(told.last, 1) : undefined;
  const goEarlier = () => earlier !== undefined && onOpen(kind, earlier);
  const goLater = () => later !== undefined && onOpen(kind, later);
  useShortcut('ArrowLeft', say.earlier, goEarlier);
  useShortcut('ArrowRight', say.later, goLater);
  // Of a week or month any day of it will do: the first.
  const today = useTicking((time) => new Date(time + zoneOffset(formats.startOfDay(time))).toISOString().slice(0, 10));
  const shown = date ?? told?.first ?? '';
  return (
    <div className="energy-picker">
      <Segmented<Kind>
        aria-label={say.period}
        value={kind}
        onChange={(next) => onOpen(next, date)}
        options={kinds.map((one) => ({ value: one, label: names[one] }))}
      />
      <div className="energy-picker-step">
        <button
          type="button"
          className="kit-button"
          onClick={goEarlier}
          disabled={earlier === undefined}
          data-go="earlier"
        >
          <span aria-hidden="true">‹</span>
          {say.earlier}
        </button>
        <label className="kit-unseen" htmlFor={id}>
          {say.date}
        </label>
        <input
          id={id}
          className="energy-date"
          type="date"
          value={shown}
          max={today}
          onChange={({ target }) => isDate(target.value) && onOpen(kind, target.value)}
        />
        <button type="button" className="kit-button" onClick={goLater} disabled={later === undefined} data-go="later">
          {say.later}
          <span aria-hidden="true">›</span>
        </button>
      </div>
      {date !== undefined && (
        <button type="button" className="kit-button" onClick={() => onOpen(kind, undefined)} data-go="current">
          {say.current}
        </button>
      )}
      <span className="kit-soft energy-picker-keys">{say.keys}</span>
    </div>
  );
}
