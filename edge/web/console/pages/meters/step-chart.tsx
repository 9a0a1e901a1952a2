import { useFormats, useWords } from '../../kit/language.tsx';
import { counterWords } from './counter-words.ts';
import type { Step } from './data.ts';
import { heightsOf } from './step-story.ts';

const size = { width: 340, height: 120, top: 12, bottom: 22 } as const;
/** The ends of the picture, and where it jumps. */
const at = { left: 8, step: 128, right: 320 } as const;

/** What was believed, where it stands since, and what the meter shows: the shape of it, not to scale. */
export function StepChart({ step, unit }: { readonly step: Step; readonly unit: string }) {
  const say = useWords(counterWords);
  const formats = useFormats();
  const [was, became, now] = heightsOf(step).map((height) => {
    const inner = size.height - size.top - size.bottom;
    return size.top + inner * (1 - height);
  }) as [number, number, number];
  const number = (value: number) => `${formats.number(value, 2)} ${unit}`;
  const label = say.chart(number(step.from), number(step.to), number(step.last));
  return (
    <svg className="meters-step-chart" viewBox={`0 0 ${size.width} ${size.height}`} role="img" aria-label={label}>
      <line
        className="meters-chart-floor"
        x1={at.left}
        x2={at.right}
        y1={size.height - size.bottom}
        y2={size.height - size.bottom}
      />
      <path className="meters-chart-believed" d={`M${at.left} ${was + 3}L${at.step} ${was}`} />
      <path className="meters-chart-held" d={`M${at.step} ${was}H${at.right}`} />
      <path className="meters-chart-jump" d={`M${at.step} ${was}V${became}`} />
      <path className="meters-chart-shown" d={`M${at.step} ${became}L${at.right} ${now}`} />
      <circle className="meters-chart-dot" cx={at.step} cy={was} r="4" />
      <circle className="meters-chart-dot meters-chart-dot-now" cx={at.right} cy={now} r="4" />
      <text x={at.step + 8} y={labelAt(was, became)}>
        {say.chartHeld}
      </text>
      <text x={at.right} y={labelAt(now, was)} textAnchor="end" className="meters-chart-new">
        {say.chartShown}
      </text>
      <text x={at.step} y={size.height - 6} textAnchor="middle">
        {formats.shortDate(step.toTime)} {formats.shortTime(step.toTime)}
      </text>
    </svg>
  );
}

/** Between the two lines, so that nothing lies on either. */
function labelAt(own: number, other: number): number {
  return own <= other ? own + 15 : own - 7;
}
