import { lazy, Suspense, useMemo } from 'react';
import { deviceHash, pointHash } from '../../address.ts';
import type { PointView } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { AlarmClassBadge, alarmStateText, QualityBadge, StateBadge } from '../../kit/badges.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { isTripped, pointLabel, valueText } from '../../kit/values.ts';
import { useSentence, useZoneName } from '../../names.ts';
import { useRight } from '../../session.tsx';
import { useDeviceHealth, useReading } from '../../use-live.tsx';
import { CameraWays } from './camera-ways.tsx';
import type { Thing } from './status.ts';
import { words } from './words.ts';

/** With the player, which few cards need. */
const CameraPart = lazy(() => import('./camera-part.tsx'));

/** Values shown at once; the page of the device has all of them. Of a camera the picture says more. */
const mostPoints = { camera: 2, other: 7 } as const;

/** How one device is right now, and the ways on from here. */
export function DeviceCard({
  thing,
  points,
  place,
}: {
  readonly thing: Thing;
  readonly points: readonly PointView[];
  /** Room, zone. */
  readonly place: string;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const sentence = useSentence();
  const zoneName = useZoneName();
  const mayOperate = useRight('operate');
  const { device, headline, alarm } = thing;
  const health = useDeviceHealth(device.id);
  const isCamera = device.kind === 'camera';
  const most = mostPoints[isCamera ? 'camera' : 'other'];
  const shown = useMemo(() => {
    const rest = points.filter(({ id }) => id !== headline?.id);
    return [...(headline === undefined ? [] : [headline]), ...rest].slice(0, most);
  }, [points, headline, most]);
  return (
    <>
      <p className="kit-soft map-card-facts">
        {[zoneName(device.zone), place].filter((part) => part !== '').join(' · ')}
        {health !== undefined && <StateBadge state={health.state} />}
      </p>
      {alarm !== undefined && (
        <p className={`map-card-alarm map-card-alarm-${alarm.class}`}>
          <AlarmClassBadge alarmClass={alarm.class} />
          <a href={`#/alarms/${alarm.id}`}>{sentence(name(alarm.message))}</a>
          <span className="kit-soft">
            {alarmStateText(alarm.state, language)} · <Age time={alarm.raised} />
          </span>
        </p>
      )}
      {isCamera && (
        <Suspense fallback={<p className="kit-soft map-live">{say.pictureOnItsWay}</p>}>
          <CameraPart id={device.id} />
        </Suspense>
      )}
      {shown.length === 0 ? (
        <p className="kit-soft">{say.noValues}</p>
      ) : (
        <ul className="map-values">
          {shown.map((point) => (
            <ValueRow key={point.id} point={point} />
          ))}
        </ul>
      )}
      {isCamera ? (
        <CameraWays id={device.id} />
      ) : (
        <p className="map-card-links map-card-foot">
          {mayOperate && points.some(({ write }) => write !== undefined) && (
            <a className="kit-button" href={deviceHash(device.id)}>
              {say.operate}
            </a>
          )}
          <a className="kit-button" href={deviceHash(device.id)}>
            {points.length > most ? say.allValues(points.length) : say.details}
          </a>
        </p>
      )}
    </>
  );
}

function ValueRow({ point }: { readonly point: PointView }) {
  const language = useLanguage();
  const reading = useReading(point.id);
  const value = reading?.value ?? null;
  const isDoubted = reading !== undefined && reading.quality !== 'good';
  return (
    <li data-point={point.id}>
      <a href={pointHash(point.id)}>{pointLabel(point.point, point.label, language)}</a>
      <span className={`map-value kit-number ${isTripped(value, point.point) ? 'map-tripped' : ''}`}>
        {valueText(value, point.unit, point.point, language)}
      </span>
      <span className="kit-soft map-value-age">
        {reading !== undefined && reading.sourceTime > 0 && <Age time={reading.sourceTime} />}
      </span>
      {isDoubted && (
        <span className="map-value-quality">
          <QualityBadge quality={reading.quality} reason={reading.reason} />
        </span>
      )}
    </li>
  );
}
