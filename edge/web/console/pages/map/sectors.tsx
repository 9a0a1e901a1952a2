import { memo, useId } from 'react';
import type { PlacedView } from '../../../place-schemas.ts';
import { useWords } from '../../kit/language.tsx';
import type { CameraView } from '../../use-cameras.ts';
import { useCameraState } from './camera-state.ts';
import { circleOf, sectorPath } from './sector.ts';
import type { Size, Spot } from './view.ts';
import { words } from './words.ts';

/** A camera on the plan, with what it sees of it. */
export interface Looking {
  readonly id: string;
  readonly spot: Spot;
  readonly view: PlacedView;
  readonly recording: CameraView['recording'];
  /** Something happens before it that nobody has taken. */
  readonly isPulsing: boolean;
  /** Its card is open, or it is being turned. */
  readonly isChosen: boolean;
}

/** Below the glyphs: what cameras see. A press on it is a press on the camera; for keys there is the glyph. */
export function Sectors({
  plan,
  cameras,
  onPress,
}: {
  readonly plan: Size;
  readonly cameras: readonly Looking[];
  /** null: nothing is to be pressed while the plan is arranged. */
  readonly onPress: ((camera: string) => void) | null;
}) {
  return (
    <svg
      className="map-sectors"
      viewBox={`0 0 ${plan.width} ${plan.height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      data-pressable={onPress !== null}
    >
      {cameras.map((camera) => (
        <Sector key={camera.id} {...camera} plan={plan} onPress={onPress} />
      ))}
    </svg>
  );
}

const Sector = memo(function Sector({
  id,
  spot,
  view,
  recording,
  isPulsing,
  isChosen,
  plan,
  onPress,
}: Looking & { readonly plan: Size; readonly onPress: ((camera: string) => void) | null }) {
  const state = useCameraState(id, recording);
  const fill = useId();
  const { x, y, radius } = circleOf(spot, view, plan);
  const shape = sectorPath(spot, view, plan);
  const step = plan.width / 110;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: for keys there is the glyph of the camera, which does the same.
    <g
      className={`map-sector map-sees-${state}`}
      data-sector={id}
      data-state={state}
      data-pulsing={isPulsing}
      data-chosen={isChosen}
      onClick={(event) => {
        if (onPress === null) return;
        event.stopPropagation();
        onPress(id);
      }}
    >
      <defs>
        {state === 'unheard' ? (
          <pattern id={fill} width={step} height={step} patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect className="map-sector-ground" width={step} height={step} />
            <rect className="map-sector-stripe" width={step / 4} height={step} />
          </pattern>
        ) : (
          <radialGradient id={fill} gradientUnits="userSpaceOnUse" cx={x} cy={y} r={radius}>
            <stop className="map-sector-near" offset="0" />
            <stop className="map-sector-away" offset="1" />
          </radialGradient>
        )}
      </defs>
      <path className="map-sector-edge" d={shape} fill={`url(#${fill})`} />
      {isPulsing && <path className="map-sector-pulse" d={shape} />}
    </g>
  );
});

const shown = ['recording', 'watching', 'unheard'] as const;

/** What the colours mean, for those who see any. */
export function SectorLegend({ isPulsing }: { readonly isPulsing: boolean }) {
  const say = useWords(words);
  return (
    <ul className="map-legend">
      {shown.map((state) => (
        <li key={state}>
          <span className={`map-legend-mark map-sees-${state}`} />
          {say[`sees-${state}`]}
        </li>
      ))}
      {isPulsing && (
        <li>
          <span className="map-legend-mark map-legend-pulse" />
          {say['sees-incident']}
        </li>
      )}
    </ul>
  );
}
