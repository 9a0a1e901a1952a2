import type { MouseEvent } from 'react';
import { useFormats, useWords } from '../../kit/language.tsx';
import type { Fired } from './rehearsal-result.tsx';
import { rehearseWords } from './rehearse-words.ts';
import type { RehearsalSide, RehearsalView } from './rules-api.ts';

/** Of the drawing, in its own units. */
const width = 1_000;
const lane = 44;
/** A moment is drawn as wide as a finger can find it among others. */
const thinnest = 3;
const mostTicks = 8;
const hour = 3_600_000;
const steps = [hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, 24 * hour, 48 * hour, 120 * hour, 720 * hour];

/** The window as lanes: when the draft was fired, and beneath it when the version that runs was. */
export function SpanLanes({
  view,
  draft,
  picked,
  onPick,
}: {
  readonly view: RehearsalView;
  readonly draft: RehearsalSide;
  readonly picked: Fired | null;
  readonly onPick: (span: Fired) => void;
}) {
  const say = useWords(rehearseWords);
  const formats = useFormats();
  const { from, to, live } = view;
  const sides = [
    { key: 'draft', name: draft.version === 0 ? say.draft : say.version(String(draft.version)), side: draft },
    ...(live === null ? [] : [{ key: 'live', name: say.live, side: live }]),
  ];
  const step = steps.find((one) => (to - from) / one <= mostTicks) ?? 720 * hour;
  const first = formats.startOfDay(from);
  const times = Array.from({ length: Math.ceil((to - first) / step) }, (_, i) => first + i * step).filter(
    (time) => time >= from && time <= to,
  );
  const label = step >= 24 * hour ? formats.shortDate : formats.shortTime;
  return (
    <div className="rules-lanes">
      {sides.map(({ key, name, side }) => (
        <div key={key} className="rules-lane" data-lane={key}>
          <span>{say.laneLabel(name, String(side.spans.length + side.more))}</span>
          <Lane side={side} from={from} to={to} picked={picked} onPick={onPick} label={name} />
        </div>
      ))}
      <div className="rules-ticks kit-soft kit-number" aria-hidden="true">
        {times.map((time) => (
          <span key={time} className="rules-tick" style={{ left: `${((time - from) / (to - from)) * 100}%` }}>
            {label(time)}
          </span>
        ))}
      </div>
    </div>
  );
}

function Lane({
  side,
  from,
  to,
  picked,
  onPick,
  label,
}: {
  readonly side: RehearsalSide;
  readonly from: number;
  readonly to: number;
  readonly picked: Fired | null;
  readonly onPick: (span: Fired) => void;
  readonly label: string;
}) {
  const say = useWords(rehearseWords);
  const xOf = (time: number) => ((Math.min(to, Math.max(from, time)) - from) / (to - from)) * width;
  const pick = (event: MouseEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const time = from + ((event.clientX - box.left) / box.width) * (to - from);
    const far = (span: Fired) => Math.max(0, span.from - time, time - (span.to ?? to));
    const [nearest] = [...side.spans].sort((a, b) => far(a) - far(b));
    if (nearest !== undefined) onPick(nearest);
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: for the mouse; every stretch is a button in the list below as well.
    <svg
      viewBox={`0 0 ${width} ${lane}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={say.laneLabel(label, String(side.spans.length))}
      onClick={pick}
    >
      {side.spans.map((span) => (
        <rect
          key={`${span.instance} ${span.from}`}
          x={xOf(span.from)}
          y={picked === span ? 0 : 6}
          width={Math.max(thinnest, xOf(span.to ?? to) - xOf(span.from))}
          height={picked === span ? lane : lane - 12}
          className={picked === span ? 'rules-rect-picked' : 'rules-rect'}
        />
      ))}
    </svg>
  );
}
