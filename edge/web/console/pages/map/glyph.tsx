import { memo } from 'react';
import type { AlarmView, PointView } from '../../api.ts';
import { useDeviceStatus } from '../../device-status.ts';
import { KindIcon } from '../../kind-icons.tsx';
import { qualityText } from '../../kit/badges.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { valueText } from '../../kit/values.ts';
import { useReading } from '../../use-live.tsx';
import type { Cluster, Placed } from './clusters.ts';
import { type DragHandlers, useDrag } from './gestures.ts';
import { type Device, isUnseen, signs, statusText, type Thing, useWorstStatus } from './status.ts';
import type { Spot } from './view.ts';
import { words } from './words.ts';

export interface PlacedThing extends Placed, Thing {}

function at({ x, y }: Spot) {
  return { left: `${x * 100}%`, top: `${y * 100}%` };
}

/** One device on the plan: its kind, and by shape, colour and word whether all is well. */
export const Glyph = memo(function Glyph({
  device,
  headline,
  alarm,
  x,
  y,
  isOpen,
  drag,
  onPress,
}: {
  readonly device: Device;
  readonly headline: PointView | undefined;
  readonly alarm: AlarmView | undefined;
  readonly x: number;
  readonly y: number;
  readonly isOpen: boolean;
  /** null: it stays where it is. */
  readonly drag: ((device: string) => DragHandlers) | null;
  readonly onPress: (device: string) => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const status = useDeviceStatus(device.id, headline?.id, alarm);
  const reading = useReading(headline?.id ?? '');
  const value =
    reading === undefined || headline === undefined
      ? ''
      : valueText(reading.value, headline.unit, headline.point, language);
  const isDoubted = status === 'bad' || status === 'uncertain';
  const reason = isDoubted && reading?.quality !== 'good' ? reading?.reason : undefined;
  const said = isDoubted ? qualityText(status, reason, language) : statusText(status, language);
  const text = [name(device.name), value, said, drag === null ? '' : say.pressToMove]
    .filter((part) => part !== '')
    .join(' · ');
  return (
    <span className="map-place" style={at({ x, y })}>
      <button
        type="button"
        className={`map-glyph map-is-${status} ${isDoubted ? 'kit-stale' : ''} ${drag === null ? '' : 'map-movable'}`}
        title={text}
        aria-label={text}
        data-device={device.id}
        data-status={status}
        data-unseen={isUnseen(alarm)}
        aria-expanded={isOpen}
        {...useDrag(drag === null ? null : drag(device.id))}
        onClick={() => onPress(device.id)}
      >
        <KindIcon kind={device.kind} point={headline?.point} />
        {status !== 'good' && (
          <span className="map-sign">
            <SignIcon sign={signs[status]} size={13} />
          </span>
        )}
      </button>
      <span className="map-label" aria-hidden="true">
        {name(device.name)}
      </span>
    </span>
  );
});

/** Several devices too close to be told apart from here: how many, and the worst of them. */
export function ClusterGlyph({
  cluster,
  spaceName,
  isOpen,
  onPress,
}: {
  readonly cluster: Cluster<PlacedThing>;
  readonly spaceName: (device: Device) => string;
  readonly isOpen: boolean;
  readonly onPress: (cluster: Cluster<PlacedThing>) => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const status = useWorstStatus(cluster.members);
  const isDoubted = status === 'bad' || status === 'uncertain';
  const spaces = new Set(cluster.members.map(({ device }) => spaceName(device)).filter((one) => one !== ''));
  const where = spaces.size === 1 ? [...spaces].join('') : '';
  const text = [where, say.severalDevices(cluster.members.length), statusText(status, language)]
    .filter((part) => part !== '')
    .join(' · ');
  return (
    <span className="map-place" style={at(cluster)}>
      <button
        type="button"
        className={`map-glyph map-cluster map-is-${status} ${isDoubted ? 'kit-stale' : ''}`}
        title={text}
        aria-label={text}
        data-cluster={cluster.members.map(({ id }) => id).join(' ')}
        data-status={status}
        data-unseen={cluster.members.some(({ alarm }) => isUnseen(alarm))}
        aria-expanded={isOpen}
        onClick={() => onPress(cluster)}
      >
        <span className="kit-number">{cluster.members.length}</span>
        {status !== 'good' && (
          <span className="map-sign">
            <SignIcon sign={signs[status]} size={13} />
          </span>
        )}
      </button>
      {where !== '' && (
        <span className="map-label" aria-hidden="true">
          {where}
        </span>
      )}
    </span>
  );
}
