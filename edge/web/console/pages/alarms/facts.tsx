import { deviceHash, hashOf } from '../../address.ts';
import type { AlarmView } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useDeviceName, useNames, useSentence, useZoneName } from '../../names.ts';
import { useCampus, usePoints } from '../../use-live.tsx';
import { ownParts } from '../devices/range.ts';
import { deviceOf } from './filter.ts';
import { words } from './words.ts';

/** Before and after it was raised, ms: enough to see how it came about. */
const around = 15 * 60_000;
const mostCharts = 4;

/** The points that an alarm speaks of: its own, and those of what was seen. */
export function refsOf(alarm: AlarmView): string[] {
  const said = alarm.reason?.match(/[a-z0-9][a-z0-9_-]*\/[a-z0-9][a-z0-9_-]*/g) ?? [];
  return [...new Set([...(alarm.ref === undefined ? [] : [alarm.ref]), ...said])];
}

/** Where, since when, what was seen, and where to look further. */
export function Facts({ alarm }: { readonly alarm: AlarmView }) {
  const say = useWords(words);
  const formats = useFormats();
  const zoneName = useZoneName();
  const deviceName = useDeviceName();
  const sentence = useSentence();
  const names = useNames();
  const campus = useCampus();
  const points = usePoints();
  const refs = refsOf(alarm).filter((ref) => points?.some(({ id }) => id === ref) === true);
  const devices = [...new Set([deviceOf(alarm), ...refs.map((ref) => ref.split('/')[0])])].filter(
    (id) => id !== undefined && campus?.devices.some((device) => device.id === id),
  );
  const end = Math.min(now(), (alarm.ended ?? alarm.returned ?? alarm.raised) + around);
  const chart = (ref: string) => hashOf(`/points/${ref}`, ownParts(alarm.raised - around, end));
  return (
    <section className="alarms-part">
      <h3>{say.facts}</h3>
      <dl className="alarms-facts">
        {alarm.zone !== undefined && (
          <div>
            <dt>{say.place}</dt>
            <dd>{zoneName(alarm.zone)}</dd>
          </div>
        )}
        <div>
          <dt>{say.since}</dt>
          <dd>
            <span className="kit-number">{formats.dateTime(alarm.raised)}</span>{' '}
            <span className="kit-soft">
              (<Age time={alarm.raised} />)
            </span>
          </dd>
        </div>
        {alarm.reason !== undefined && alarm.reason !== '' && (
          <div>
            <dt>{say.seen}</dt>
            <dd>{sentence(alarm.reason)}</dd>
          </div>
        )}
        {alarm.chattering !== undefined && (
          <div>
            <dt>{say.chattering}</dt>
            <dd>{say.chatteringSince(formats.moment(alarm.chattering.since, now()))}</dd>
          </div>
        )}
        {alarm.escalation !== undefined && <Escalation escalation={alarm.escalation} />}
        {alarm.camera !== undefined && (
          <div>
            <dt>{say.lookFirst}</dt>
            <dd className="alarms-jumps">
              <a href={deviceHash(alarm.camera)}>{deviceName(alarm.camera)}</a>
            </dd>
          </div>
        )}
        {devices.length > 0 && (
          <div>
            <dt>{say.device}</dt>
            <dd className="alarms-jumps">
              {devices.map(
                (id) =>
                  id !== undefined && (
                    <a key={id} href={deviceHash(id)}>
                      {deviceName(id)}
                    </a>
                  ),
              )}
            </dd>
          </div>
        )}
      </dl>
      {refs.length > 0 && (
        <p className="alarms-jumps">
          {refs.slice(0, mostCharts).map((ref) => (
            <a key={ref} className="kit-button" href={chart(ref)}>
              {say.openPoint(names.pointName(ref))}
            </a>
          ))}
        </p>
      )}
    </section>
  );
}

/** Who was told so far, and when the next are. */
function Escalation({ escalation }: { readonly escalation: NonNullable<AlarmView['escalation']> }) {
  const say = useWords(words);
  const formats = useFormats();
  const { step, told, due } = escalation;
  return (
    <div data-escalation={step}>
      <dt>{say.escalation}</dt>
      <dd>
        {say.escalated(step + 1, formats.moment(told, now()))} ·{' '}
        <span className="kit-soft">
          {due === null ? say.escalationEnd : say.escalationNext(formats.moment(due, now()))}
        </span>
      </dd>
    </div>
  );
}
