import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { deviceHash, pointHash } from '../../address.ts';
import { api, type EventView, type PointView, query } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { AlarmClassBadge, alarmStateText, QualityBadge, StateBadge } from '../../kit/badges.tsx';
import { fromHere } from '../../kit/download.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { isTripped, pointLabel, valueText } from '../../kit/values.ts';
import { useSentence, useZoneName } from '../../names.ts';
import { useRight } from '../../session.tsx';
import { useDeviceHealth, useReading, useRecentEvents } from '../../use-live.tsx';
import type { Thing } from './status.ts';
import { words } from './words.ts';

/** Values shown at once; the page of the device has all of them. */
const mostPoints = 7;

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
  const shown = useMemo(() => {
    const rest = points.filter(({ id }) => id !== headline?.id);
    return [...(headline === undefined ? [] : [headline]), ...rest].slice(0, mostPoints);
  }, [points, headline]);
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
      {device.kind === 'camera' && <LatestPicture device={device.id} />}
      {shown.length === 0 ? (
        <p className="kit-soft">{say.noValues}</p>
      ) : (
        <ul className="map-values">
          {shown.map((point) => (
            <ValueRow key={point.id} point={point} />
          ))}
        </ul>
      )}
      <p className="map-card-links map-card-foot">
        {mayOperate && points.some(({ write }) => write !== undefined) && (
          <a className="kit-button" href={deviceHash(device.id)}>
            {say.operate}
          </a>
        )}
        <a className="kit-button" href={deviceHash(device.id)}>
          {points.length > mostPoints ? say.allValues(points.length) : say.details}
        </a>
      </p>
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

/** What a camera saw last, with when; a newer one takes its place as it comes. */
function LatestPicture({ device }: { readonly device: string }) {
  const say = useWords(words);
  const seesPictures = useRight('pictures');
  const [missing, setMissing] = useState('');
  const recent = useRecentEvents().find((event) => event.device === device && event.snapshot !== undefined);
  const asked = useQuery({
    queryKey: ['events', 'pictures', device],
    queryFn: ({ signal }) =>
      api.get<readonly EventView[]>(`events${query({ newest: true, device, limit: 100 })}`, signal),
    enabled: seesPictures && recent === undefined,
    staleTime: 30_000,
  });
  if (!seesPictures) return <p className="kit-soft">{say.noPictureRight}</p>;
  const event = recent ?? asked.data?.find(({ snapshot }) => snapshot !== undefined);
  if (event === undefined || event.id === missing) {
    return <p className="kit-soft">{asked.isFetching ? say.pictureOnItsWay : say.noPicture}</p>;
  }
  return (
    <figure className="map-picture">
      <img
        src={fromHere(`api/v1/events/${event.id}/snapshot`)}
        alt={say.picture}
        onError={() => setMissing(event.id)}
      />
      <figcaption className="kit-soft">
        {say.pictureOf} <Age time={event.time} />
      </figcaption>
    </figure>
  );
}
