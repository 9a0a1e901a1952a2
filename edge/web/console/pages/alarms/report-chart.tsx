import { Panel } from '../../kit/frame.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import type { Report } from './report.tsx';
import { barsOf } from './report-bars.ts';
import { reportWords } from './report-words.ts';

const most = 160;
const height = 100;
const span = 600_000;

/** How many came when, against the target. The figures beside it say the same to those who do not see it. */
export function RateChart({ report }: { readonly report: Report }) {
  const say = useWords(reportWords);
  const formats = useFormats();
  const { counts, bucket, rate } = report;
  const bars = barsOf(counts, (rate.target * bucket) / span, most);
  const width = Math.max(1, bars.heights.length);
  const targetAt = height * (1 - bars.target);
  const [first, last] = [counts[0]?.t ?? report.from, (counts.at(-1)?.t ?? report.to) + bucket];
  return (
    <Panel title={say.chart(formats.duration(bucket))} className="alarms-report-chart">
      <div className="alarms-report-plot">
        <span className="alarms-report-axis kit-number" aria-hidden="true">
          {formats.number(bars.top, 1)}
        </span>
        <svg
          viewBox={`0 0 ${width} ${height}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={say.chartSays(formats.number(bars.worst, 0), formats.number(rate.mean, 2))}
        >
          {bars.heights.map((share, index) =>
            share === 0 ? null : (
              <rect
                key={index}
                x={index + 0.1}
                width={0.8}
                y={height * (1 - share)}
                height={height * share}
                data-over={share > bars.target}
              />
            ),
          )}
          <line x1={0} x2={width} y1={targetAt} y2={targetAt} vectorEffect="non-scaling-stroke" />
        </svg>
        <span className="alarms-report-target" style={{ top: `${targetAt}%` }} aria-hidden="true">
          {say.targetLine}
        </span>
      </div>
      <p className="alarms-report-ends kit-soft kit-number">
        <span>{`${formats.shortDate(first)} ${formats.shortTime(first)}`}</span>
        <span>{`${formats.shortDate(last)} ${formats.shortTime(last)}`}</span>
      </p>
    </Panel>
  );
}
