import { useFormats } from '../../kit/language.tsx';
import type { LedgerSpan } from './ledger.ts';

/** A stretch of time as a bar: what was, what was not, and what is not known. Height and hatching tell as much as colour. */
export function Strip({
  spans,
  from,
  to,
  label,
  ticks = false,
}: {
  readonly spans: readonly LedgerSpan[];
  readonly from: number;
  readonly to: number;
  /** What it says, for those who do not see it. */
  readonly label: string;
  readonly ticks?: boolean;
}) {
  const formats = useFormats();
  const width = to - from;
  const at = (time: number) => `${((time - from) / width) * 100}%`;
  return (
    <div className="cameras-strip-box">
      <div className="cameras-strip" role="img" aria-label={label}>
        {spans.map((span) => (
          <span
            key={span.from}
            className={`cameras-span cameras-span-${span.kind}`}
            style={{ left: at(span.from), width: `${((span.to - span.from) / width) * 100}%` }}
          />
        ))}
      </div>
      {ticks && (
        <div className="cameras-ticks" aria-hidden="true">
          {ticksOf(from, to, formats.startOfDay(to)).map((time) => (
            <span key={time} style={{ left: at(time) }}>
              {formats.shortTime(time)}
            </span>
          ))}
        </div>
      )}
    </div>
  );
}

const tickEvery = 4 * 3_600_000;

/** Whole hours of the campus's clock, away from both ends. */
function ticksOf(from: number, to: number, midnight: number): number[] {
  const ticks: number[] = [];
  const edge = (to - from) / 30;
  for (let time = midnight - 24 * 3_600_000; time < to - edge; time += tickEvery) {
    if (time > from + edge) ticks.push(time);
  }
  return ticks;
}
