import { memo } from 'react';
import type { AlarmView, PointView } from '../../api.ts';
import { useDeviceStatus } from '../../device-status.ts';
import { KindIcon } from '../../kind-icons.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useLanguage, useName } from '../../kit/language.tsx';
import { pointLabel, valueText } from '../../kit/values.ts';
import { pairIn } from '../../kit/words.ts';
import { useReading } from '../../use-live.tsx';
import { type Device, signs, statusText } from './status.ts';

/** A device as a line of words: what its glyph says, for those who do not see it or prefer to read. */
export const ThingRow = memo(function ThingRow({
  device,
  headline,
  alarm,
  about,
  isCurrent,
  onPress,
}: {
  readonly device: Device;
  readonly headline: PointView | undefined;
  readonly alarm: AlarmView | undefined;
  /** Where it is. */
  readonly about: string;
  readonly isCurrent: boolean;
  readonly onPress: (device: string) => void;
}) {
  const language = useLanguage();
  const name = useName();
  const status = useDeviceStatus(device.id, headline?.id, alarm);
  const reading = useReading(headline?.id ?? '');
  const value =
    reading === undefined || headline === undefined
      ? ''
      : valueText(reading.value, headline.unit, headline.point, language);
  // "None" says nothing without what there is none of.
  const isPlain = headline === undefined || typeof reading?.value !== 'boolean';
  const shown = isPlain ? value : pairIn(language, pointLabel(headline.point, headline.label, language), value);
  return (
    <button
      type="button"
      className={`map-row map-is-${status}`}
      aria-current={isCurrent ? 'true' : undefined}
      data-row={device.id}
      data-status={status}
      onClick={() => onPress(device.id)}
    >
      <span className="map-row-icon">
        <KindIcon kind={device.kind} point={headline?.point} />
      </span>
      <span className="map-row-words">
        <span className="map-row-name">{name(device.name)}</span>
        {about !== '' && <span className="kit-soft map-row-about">{about}</span>}
      </span>
      <span className="map-row-end">
        <span className="kit-number map-row-value">{shown}</span>
        {status !== 'good' && (
          <span className="map-row-status">
            <SignIcon sign={signs[status]} size={12} /> {statusText(status, language)}
          </span>
        )}
      </span>
    </button>
  );
});
