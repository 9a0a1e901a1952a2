import type { AlarmView, CampusView, PointView } from '../../api.ts';
import { type DeviceStatus, useDeviceStatus } from '../../device-status.ts';
import { KindIcon } from '../../kind-icons.tsx';
import { qualityText } from '../../kit/badges.tsx';
import { type Sign, SignIcon } from '../../kit/icons.tsx';
import { useLanguage, useName } from '../../kit/language.tsx';
import { stateWords } from '../../kit/state-words.ts';
import { isTripped, valueText } from '../../kit/values.ts';
import { useReading } from '../../use-live.tsx';

type Device = CampusView['devices'][number];

const signs: Readonly<Record<DeviceStatus, Sign | null>> = {
  critical: 'octagon',
  high: 'triangle',
  medium: 'hollow',
  low: 'square',
  bad: 'cross',
  uncertain: 'doubt',
  good: null,
};

export interface ChipProps {
  readonly device: Device;
  readonly headline: PointView | undefined;
  readonly alarm: AlarmView | undefined;
  /** `glyph`: only the sign, for plans and crowded zones. */
  readonly look: 'row' | 'glyph';
}

/** One device: its kind, its name, the value that stands for it, and whether all is well. Opens its page. */
export function DeviceChip({ device, headline, alarm, look }: ChipProps) {
  const language = useLanguage();
  const name = useName();
  const status = useDeviceStatus(device.id, headline?.id, alarm);
  const reading = useReading(headline?.id ?? '');
  const point = headline?.point ?? '';
  const value = reading === undefined ? '' : valueText(reading.value, headline?.unit ?? '', point, language);
  const words = stateWords[language];
  const said =
    status === 'good'
      ? ''
      : status === 'bad' || status === 'uncertain'
        ? qualityText(status, reading?.quality === 'good' ? undefined : reading?.reason, language)
        : words[`class:${status}`];
  const title = [name(device.name), value, alarm === undefined ? said : name(alarm.message)]
    .filter((part) => part !== '')
    .join(' · ');
  const sign = signs[status];
  const isStale = status === 'bad' || status === 'uncertain';
  return (
    <a
      href={`#/devices/${device.id}`}
      className={`chip chip-${look} chip-${status} ${isStale ? 'kit-stale' : ''}`}
      title={title}
      aria-label={title}
      data-device={device.id}
      data-status={status}
    >
      <span className="chip-icon">
        <KindIcon kind={device.kind} point={point} />
        {sign !== null && (
          <span className="chip-sign">
            <SignIcon sign={sign} size={12} />
          </span>
        )}
      </span>
      {look === 'row' && (
        <>
          <span className="chip-name">{name(device.name)}</span>
          <span className={`chip-value kit-number ${isTripped(reading?.value ?? null, point) ? 'chip-tripped' : ''}`}>
            {value}
          </span>
        </>
      )}
    </a>
  );
}
