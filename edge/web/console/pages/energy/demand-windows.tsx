import type { DemandNowView } from '../../../energy-schemas.ts';
import { useFormats, useWords } from '../../kit/language.tsx';
import { useFigures } from './figures.ts';
import { words } from './words.ts';

const field = { width: 960, height: 56 } as const;
const day = 86_400_000;

/** The windows of today that are over, against the limit. What would have been drawn without shedding stands above, hollow. */
export function DemandWindows({ demand }: { readonly demand: DemandNowView }) {
  const say = useWords(words);
  const formats = useFormats();
  const figures = useFigures();
  const { windows, limit } = demand;
  const kw = (value: number | null) => figures.power(value, 'electricity');
  if (windows.length === 0) return null;
  const midnight = formats.startOfDay(demand.from);
  const most = windows.reduce((best, one) => Math.max(best, one.demand ?? 0, one.unshed ?? 0), limit * 1.1);
  const highest = windows.reduce<number | null>(
    (best, one) => (one.demand === null ? best : Math.max(best ?? 0, one.demand)),
    null,
  );
  const over = windows.filter(({ exceeded }) => exceeded).length;
  const xOf = (time: number) => ((time - midnight) / day) * field.width;
  const heightOf = (value: number) => (value / most) * field.height;
  const limitAt = field.height - heightOf(limit);
  return (
    <figure className="energy-windows">
      <figcaption>
        {say.windowsTitle}
        {over > 0 && <strong>{` · ${say.overLimit} × ${over}`}</strong>}
      </figcaption>
      <svg
        className="energy-window-field"
        viewBox={`0 0 ${field.width} ${field.height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={say.windowsSay(String(windows.length), kw(highest), String(over))}
      >
        {windows.map(({ from, to, demand: value, unshed, exceeded }) => {
          const box = { x: xOf(from) + 1, width: Math.max(1, xOf(to) - xOf(from) - 2) };
          const title = `${formats.shortTime(from)}–${formats.shortTime(to)}`;
          return (
            <g key={from} data-exceeded={exceeded}>
              <title>{say.windowIs(title, value === null ? say.noData : kw(value))}</title>
              {value === null && <rect {...box} y={0} height={field.height} className="energy-window-unknown" />}
              {unshed !== null && unshed > (value ?? 0) && (
                <rect
                  {...box}
                  y={field.height - heightOf(unshed)}
                  height={heightOf(unshed)}
                  className="energy-window-unshed"
                />
              )}
              {value !== null && (
                <rect
                  {...box}
                  y={field.height - heightOf(value)}
                  height={Math.max(1, heightOf(value))}
                  className="energy-window"
                />
              )}
            </g>
          );
        })}
        <line
          x1="0"
          x2={field.width}
          y1={limitAt}
          y2={limitAt}
          className="energy-window-limit"
          vectorEffect="non-scaling-stroke"
        />
      </svg>
      <p className="energy-window-ticks kit-number" aria-hidden="true">
        {[0, 6, 12, 18, 24].map((hour) => (
          <span key={hour}>{String(hour).padStart(2, '0')}</span>
        ))}
      </p>
    </figure>
  );
}
