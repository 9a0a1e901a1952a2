import { Button } from 'antd';
import { type KeyboardEvent, useEffect, useId, useRef } from 'react';
import type { PlacedView, PlanView } from '../../../place-schemas.ts';
import { useFormats, useWords } from '../../kit/language.tsx';
import { useDeviceName } from '../../names.ts';
import { useDrag } from './gestures.ts';
import { handlesOf, limits, pulledFar, pulledSide, settledView } from './sector.ts';
import type { Stage } from './use-stage.ts';
import type { Spot } from './view.ts';
import { words } from './words.ts';

/* What a camera sees is turned and stretched: by its handles on the plan, or by sliders that keys move. */

export interface Turning {
  readonly device: string;
  readonly spot: Spot;
  readonly view: PlacedView;
  /** Whether there is anything that could be taken away. */
  readonly isDrawn: boolean;
}

export function TurningHandles({
  turning: { spot, view },
  plan,
  stage,
  onChange,
}: {
  readonly turning: Turning;
  readonly plan: PlanView;
  readonly stage: Stage;
  readonly onChange: (view: PlacedView) => void;
}) {
  const { far, side } = handlesOf(spot, view, plan);
  const to = (change: typeof pulledFar) => (x: number, y: number) => {
    const at = stage.spotAt(x, y);
    if (at !== null) onChange(change(spot, view, at, plan));
  };
  return (
    <>
      <Handle what="far" at={far} onPull={to(pulledFar)} />
      {view.angle < 350 && <Handle what="side" at={side} onPull={to(pulledSide)} />}
    </>
  );
}

/** For a pointer only: keys have the sliders. */
function Handle({
  what,
  at,
  onPull,
}: {
  readonly what: 'far' | 'side';
  readonly at: Spot;
  readonly onPull: (x: number, y: number) => void;
}) {
  const drag = useDrag({ onMove: onPull, onDrop: onPull, onCancel: () => {} });
  return (
    <span className="map-place map-place-carried" style={{ left: `${at.x * 100}%`, top: `${at.y * 100}%` }}>
      <span className={`map-pull map-pull-${what}`} data-pull={what} aria-hidden="true" {...drag} />
    </span>
  );
}

/** What is being turned, in numbers, and the ways out of it. */
export function TurningBar({
  turning,
  onChange,
  onSave,
  onRemove,
  onCancel,
}: {
  readonly turning: Turning;
  readonly onChange: (view: PlacedView) => void;
  readonly onSave: () => void;
  readonly onRemove: () => void;
  readonly onCancel: () => void;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const deviceName = useDeviceName();
  const form = useRef<HTMLFormElement>(null);
  const { device, view, isDrawn } = turning;
  useEffect(() => form.current?.querySelector('input')?.focus({ preventScroll: true }), []);
  const change = (part: Partial<PlacedView>) => onChange(settledView({ ...view, ...part }));
  const degrees = (value: number) => `${formats.number(value, 0)}°`;
  return (
    <form
      ref={form}
      className="map-turning"
      aria-label={say.turning(deviceName(device))}
      data-turning={device}
      onSubmit={(event) => {
        event.preventDefault();
        onSave();
      }}
      onKeyDown={(event: KeyboardEvent) => {
        event.stopPropagation();
        if (event.key === 'Escape') onCancel();
        else if (event.key === 'Enter' && event.target instanceof HTMLInputElement) {
          event.preventDefault();
          onSave();
        }
      }}
    >
      <p>
        <strong>{say.turning(deviceName(device))}</strong>
        <span className="kit-soft">{say.turnHelp}</span>
      </p>
      <div className="map-turning-sliders">
        <Slider
          label={say.direction}
          value={view.direction}
          range={[0, 359]}
          text={degrees(view.direction)}
          onChange={(direction) => change({ direction })}
        />
        <Slider
          label={say.angle}
          value={view.angle}
          range={[limits.least.angle, limits.most.angle]}
          text={degrees(view.angle)}
          onChange={(angle) => change({ angle })}
        />
        <Slider
          label={say.reach}
          value={Math.round(view.reach * 100)}
          range={[limits.least.reach * 100, limits.most.reach * 100]}
          text={formats.percent(view.reach)}
          onChange={(percent) => change({ reach: percent / 100 })}
        />
      </div>
      <div className="kit-actions">
        <Button type="primary" htmlType="submit">
          {say.save}
        </Button>
        {isDrawn && <Button onClick={onRemove}>{say.removeView}</Button>}
        <Button onClick={onCancel}>{say.cancel}</Button>
      </div>
    </form>
  );
}

function Slider({
  label,
  value,
  range: [from, to],
  text,
  onChange,
}: {
  readonly label: string;
  readonly value: number;
  readonly range: readonly [number, number];
  readonly text: string;
  readonly onChange: (value: number) => void;
}) {
  const id = useId();
  return (
    <div className="map-slider">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="range"
        min={from}
        max={to}
        step={1}
        value={value}
        aria-valuetext={text}
        onChange={(event) => onChange(Number(event.target.value))}
      />
      <output className="kit-number" htmlFor={id}>
        {text}
      </output>
    </div>
  );
}
