import { CompressOutlined, MinusOutlined, PlusOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import {
  type CSSProperties,
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
  useEffect,
  useId,
  useRef,
  useState,
} from 'react';
import type { PlanView } from '../../../place-schemas.ts';
import { KindIcon } from '../../kind-icons.tsx';
import { fromHere } from '../../kit/download.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { usePanAndPinch } from './gestures.ts';
import type { Placing } from './placing.ts';
import type { Thing } from './status.ts';
import type { Stage } from './use-stage.ts';
import { closest } from './view.ts';
import { words } from './words.ts';

/** px a key moves the view. */
const keyStep = 60;
const zoomStep = 1.5;
/** From here on there is room for names. */
const labelsFrom = 2.2;

/** A plan behind its window, moved by fingers, wheel, buttons and keys. `glyphs` lie on it, `children` above it. */
export function PlanStage({
  plan,
  stage,
  placing,
  carriedThing,
  glyphs,
  children,
  onPressGround,
}: {
  readonly plan: PlanView;
  readonly stage: Stage;
  readonly placing: Placing;
  readonly carriedThing: Thing | undefined;
  readonly glyphs: ReactNode;
  readonly children: ReactNode;
  readonly onPressGround: () => void;
}) {
  const say = useWords(words);
  const name = useName();
  const help = useId();
  const gestures = usePanAndPinch(stage);
  const { carried } = placing;
  const isByKeys = carried?.how === 'keys';
  const press = (event: MouseEvent) => {
    if (event.target instanceof Element && event.target.closest('button, a, .map-card, .map-controls') !== null) return;
    const spot = stage.spotAt(event.clientX, event.clientY);
    if (isByKeys && spot !== null) placing.put(spot);
    else onPressGround();
  };
  return (
    <section
      ref={stage.box}
      className="map-stage"
      aria-label={say.mapOf(name(plan.name))}
      aria-describedby={help}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: keys move the view.
      tabIndex={0}
      style={{ '--map-ratio': plan.height / plan.width } as CSSProperties}
      data-zoom={stage.view.zoom.toFixed(2)}
      data-placing={isByKeys}
      onKeyDown={(event) => moveByKey(event, stage)}
      onClick={press}
      {...gestures}
    >
      <p id={help} className="kit-unseen">
        {say.keys}
      </p>
      <div
        className="map-layer"
        data-labels={stage.view.zoom >= labelsFrom}
        style={{ ...stage.layer, transform: `translate(${stage.view.x}px, ${stage.view.y}px)` }}
      >
        <PlanImage key={plan.image} image={plan.image} />
        {stage.size !== null && glyphs}
        {isByKeys && carried.spot !== null && carriedThing !== undefined && (
          <CarriedGlyph placing={placing} spot={carried.spot} thing={carriedThing} />
        )}
      </div>
      <Controls stage={stage} />
      {children}
    </section>
  );
}

function moveByKey(event: KeyboardEvent, stage: Stage): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const run: Readonly<Record<string, () => void>> = {
    '+': () => stage.zoomBy(zoomStep),
    '=': () => stage.zoomBy(zoomStep),
    '-': () => stage.zoomBy(1 / zoomStep),
    '0': stage.whole,
    ArrowLeft: () => stage.panBy(keyStep, 0),
    ArrowRight: () => stage.panBy(-keyStep, 0),
    ArrowUp: () => stage.panBy(0, keyStep),
    ArrowDown: () => stage.panBy(0, -keyStep),
  };
  const found = run[event.key];
  if (found === undefined) return;
  event.preventDefault();
  found();
}

/** Pictures come through the tag: whatever a drawing holds, nothing in it runs. */
function PlanImage({ image }: { readonly image: string }) {
  const say = useWords(words);
  const [isBroken, setBroken] = useState(false);
  if (isBroken) return <p className="map-broken">{say.noImage}</p>;
  // Its name is that of the stage around it.
  return (
    <img
      className="map-image"
      src={fromHere(image.replace(/^\//, ''))}
      alt=""
      draggable={false}
      onError={() => setBroken(true)}
    />
  );
}

function CarriedGlyph({
  placing,
  spot,
  thing: { device, headline },
}: {
  readonly placing: Placing;
  readonly spot: { readonly x: number; readonly y: number };
  readonly thing: Thing;
}) {
  const say = useWords(words);
  const name = useName();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus({ preventScroll: true }), []);
  return (
    <span className="map-place map-place-carried" style={{ left: `${spot.x * 100}%`, top: `${spot.y * 100}%` }}>
      <button
        ref={button}
        type="button"
        className="map-glyph map-carried"
        data-carried={device.id}
        aria-label={`${name(device.name)} · ${say.placeHelp}`}
        onKeyDown={placing.onKey}
        onClick={() => placing.put()}
      >
        <KindIcon kind={device.kind} point={headline?.point} />
      </button>
      <span className="map-label map-label-always" aria-hidden="true">
        {name(device.name)}
      </span>
    </span>
  );
}

function Controls({ stage }: { readonly stage: Stage }) {
  const say = useWords(words);
  const { zoom } = stage.view;
  return (
    <div className="map-controls">
      <Button
        icon={<PlusOutlined />}
        aria-label={say.zoomIn}
        title={say.zoomIn}
        disabled={zoom >= closest}
        onClick={() => stage.zoomBy(zoomStep)}
      />
      <Button
        icon={<MinusOutlined />}
        aria-label={say.zoomOut}
        title={say.zoomOut}
        disabled={zoom <= 1}
        onClick={() => stage.zoomBy(1 / zoomStep)}
      />
      <Button icon={<CompressOutlined />} aria-label={say.whole} title={say.whole} onClick={stage.whole} />
    </div>
  );
}
