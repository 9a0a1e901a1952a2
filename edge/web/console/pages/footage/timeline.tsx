import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { useLook } from '../../kit/theme.tsx';
import { now, useTicking } from '../../kit/ticker.ts';
import type { CameraView } from '../../use-cameras.ts';
import { leastSpan, mostSpan } from './address.ts';
import type { TimelineData } from './data.ts';
import { useGestures } from './gestures.ts';
import { Marks } from './mark-row.tsx';
import { Preview } from './preview.tsx';
import { placeOf, type Scale } from './scale.ts';
import type { FootageSession } from './session.ts';
import { useFootageTexts } from './texts.ts';
import { coloursOf, draw, laneHeight, laneTop, rulerHeight, timelineHeight } from './timeline-draw.ts';
import { whatIs } from './what.ts';
import { words } from './words.ts';

export interface Selection {
  readonly from: number | null;
  readonly to: number | null;
}

export interface TimelineProps {
  readonly session: FootageSession;
  readonly cameras: readonly CameraView[];
  readonly data: TimelineData;
  readonly scale: Scale;
  readonly selection: Selection;
  /** Of the clock, whole seconds. */
  readonly second: number;
  readonly onScale: (scale: Scale) => void;
  readonly onWidth: (width: number) => void;
  readonly onScrub: (time: number) => void;
  readonly onGo: (time: number) => void;
  readonly onMark: (by: 1 | -1) => void;
}

export const bounds = { least: leastSpan, most: mostSpan } as const;

/** Where one is in time, and what there is of it. */
export function Timeline(props: TimelineProps) {
  const { session, cameras, data, scale, second, onScale, onWidth, onScrub, onGo } = props;
  const say = useWords(words);
  const name = useName();
  const formats = useFormats();
  const box = useRef<HTMLDivElement>(null);
  const [hover, setHover] = useState<number | null>(null);
  const width = useRef(onWidth);
  width.current = onWidth;
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => width.current(element.clientWidth));
    observer.observe(element);
    width.current(element.clientWidth);
    return () => observer.disconnect();
  }, []);
  useGestures(box, { scale, bounds, ruler: rulerHeight, onScale, onScrub, onScrubEnd: onGo, onHover: setHover });
  const lanes = data.lanes.length;
  const height = timelineHeight(lanes);
  const why = whatIs(cameras[0], data, second, now());
  const text = say.at(formats.dateTime(second), why === 'there' ? say.hasFootage : say[`why:${why}`]);
  return (
    <div className="footage-timeline-place">
      <div ref={box} className="footage-timeline" style={{ height }}>
        <div
          className="footage-slider"
          role="slider"
          tabIndex={0}
          aria-label={say.timeline}
          aria-description={say.timelineHelp}
          aria-valuemin={Math.round(scale.from / 1000)}
          aria-valuemax={Math.round((scale.from + scale.span) / 1000)}
          aria-valuenow={Math.round(second / 1000)}
          aria-valuetext={text}
          data-span={Math.round(scale.span)}
          data-from={Math.round(scale.from)}
          data-time={second}
          onKeyDown={(event) => hearKey(event, props)}
        >
          <Strips {...props} />
        </div>
        {lanes > 1 &&
          data.lanes.map(({ camera }, index) => (
            <span
              key={camera}
              className="footage-lane-name"
              style={{ top: laneTop(index, lanes), height: laneHeight(lanes) }}
            >
              {name(cameras.find(({ id }) => id === camera)?.name)}
            </span>
          ))}
        <Marks marks={data.marks} scale={scale} onGo={onGo} />
        <Playhead session={session} scale={scale} height={height} />
      </div>
      {hover !== null && <Preview session={session} cameras={cameras} data={data} scale={scale} time={hover} />}
    </div>
  );
}

function hearKey(event: KeyboardEvent, { session, scale, onGo, onMark, onScale }: TimelineProps): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target !== event.currentTarget) return;
  const step = event.shiftKey ? 10_000 : 1_000;
  const { time } = session;
  const zoom = (factor: number) => onScale(aroundTime(scale, factor, time));
  const acts: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => onGo(time - step),
    ArrowDown: () => onGo(time - step),
    ArrowRight: () => onGo(time + step),
    ArrowUp: () => onGo(time + step),
    PageUp: () => onMark(-1),
    PageDown: () => onMark(1),
    Home: () => onGo(scale.from),
    End: () => onGo(scale.from + scale.span - 1_000),
    '+': () => zoom(0.5),
    '=': () => zoom(0.5),
    '-': () => zoom(2),
  };
  const act = acts[event.key];
  if (act === undefined) return;
  event.preventDefault();
  // The page has keys of the same names.
  event.stopPropagation();
  event.nativeEvent.stopImmediatePropagation();
  act();
}

/** Nearer or farther around the clock, which stays in sight. */
export function aroundTime(scale: Scale, factor: number, time: number): Scale {
  const span = Math.min(bounds.most, Math.max(bounds.least, scale.span * factor));
  const part = (time - scale.from) / scale.span;
  const kept = part < 0 || part > 1 ? 0.5 : part;
  return { ...scale, from: time - kept * span, span };
}

function Strips({ data, cameras, scale, selection }: TimelineProps) {
  const say = useWords(words);
  const formats = useFormats();
  const { isDark } = useLook();
  const { tickText } = useFootageTexts();
  const canvas = useRef<HTMLCanvasElement>(null);
  const lanes = useMemo(
    () =>
      data.lanes.map((lane) => ({
        ...lane,
        oldest: cameras.find(({ id }) => id === lane.camera)?.recording?.oldest ?? null,
      })),
    [data.lanes, cameras],
  );
  // Now moves by less than a pixel for a long time.
  const apart = Math.max(1_000, scale.span / Math.max(1, scale.width));
  const moment = useTicking((time) => Math.floor(time / apart) * apart);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (element === null || context === null || context === undefined || scale.width <= 0) return;
    const ratio = window.devicePixelRatio || 1;
    const height = timelineHeight(lanes.length);
    const [wide, tall] = [Math.round(scale.width * ratio), Math.round(height * ratio)];
    if (element.width !== wide || element.height !== tall) [element.width, element.height] = [wide, tall];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const midnight = formats.startOfDay(scale.from + scale.span / 2);
    const words = { tick: tickText, now: say.now, edge: say.edge };
    // The theme is told by the page's own colours.
    element.dataset.look = isDark ? 'dark' : 'light';
    draw(context, { scale, lanes, now: moment, midnight, selection, say: words }, coloursOf(element));
  });
  return <canvas ref={canvas} className="footage-strips" />;
}

/** Drawn by itself: the clock goes on sixty times a second. */
function Playhead({
  session,
  scale,
  height,
}: {
  readonly session: FootageSession;
  readonly scale: Scale;
  readonly height: number;
}) {
  const formats = useFormats();
  const line = useRef<HTMLDivElement>(null);
  const label = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let frame = 0;
    const step = () => {
      const { time } = session;
      const x = placeOf(scale, time);
      const isSeen = x >= 0 && x <= scale.width;
      if (line.current !== null && label.current !== null) {
        line.current.hidden = !isSeen;
        line.current.style.transform = `translateX(${x}px)`;
        const text = formats.clock(time);
        if (label.current.textContent !== text) label.current.textContent = text;
        const half = 34;
        const shift = Math.max(half - x, Math.min(0, scale.width - half - x));
        label.current.style.transform = `translateX(calc(-50% + ${shift}px))`;
      }
      frame = requestAnimationFrame(step);
    };
    step();
    return () => cancelAnimationFrame(frame);
  }, [session, scale, formats]);
  return (
    <div ref={line} className="footage-playhead" style={{ height }} aria-hidden="true">
      <span ref={label} className="kit-number" />
    </div>
  );
}
