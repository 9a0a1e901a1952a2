import { useMemo } from 'react';
import { goTo, hashOf } from '../../address.ts';
import type { CampusView, PointView } from '../../api.ts';
import { domainText } from '../../domain-words.ts';
import { KindIcon } from '../../kind-icons.tsx';
import { Age } from '../../kit/age.tsx';
import { AlarmClassBadge, StateBadge } from '../../kit/badges.tsx';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { EmptyState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { useSentence } from '../../names.ts';
import { useRight } from '../../session.tsx';
import { useDeviceHealth, useOpenAlarms, usePoints } from '../../use-live.tsx';
import { AssetBrief } from './asset-brief.tsx';
import { GiveUp } from './give-up.tsx';
import { Happenings } from './happenings.tsx';
import { operateWords } from './operate-words.ts';
import { OutputCard } from './output-card.tsx';
import { PointsPanel } from './points-table.tsx';
import { useLastHeard, useQualities } from './qualities.ts';
import { RepairPanel } from './repair.tsx';
import { type DeviceEntry, placeOf, zoneName } from './tree.ts';
import { complaintsOf } from './why.ts';
import { WhyBox } from './why-box.tsx';
import { wordOf, words } from './words.ts';

/** One device: how it is and why, what it says, what holds its outputs. A label's QR code opens this. */
export function DevicePane({ id, campus }: { readonly id: string; readonly campus: CampusView }) {
  const say = useWords(words);
  const points = usePoints();
  const own = useMemo(() => points?.filter((point) => point.device === id) ?? [], [points, id]);
  const inputs = useMemo(() => own.filter(({ write }) => write === undefined), [own]);
  const device = campus.devices.find((one) => one.id === id);
  useShortcut('Escape', say.shortcutBack, () => goTo(hashOf('/devices')));
  if (device === undefined) {
    return <EmptyState title={say.unknownDevice} action={<a href="#/devices">{say.back}</a>} />;
  }
  if (points === undefined) return <PageSkeleton />;
  return (
    <article className="devices-pane" data-device={id}>
      <Head device={device} campus={campus} />
      <State device={device} points={own} />
      <OpenAlarms device={id} />
      <Outputs points={own} campus={campus} />
      {inputs.length > 0 && <PointsPanel points={inputs} />}
      {own.length === 0 && <EmptyState title={say.noPoints}>{say.noPointsHelp}</EmptyState>}
      <RepairPanel device={id} />
      <Happenings device={device} />
      <Facts device={device} campus={campus} />
      <AssetBrief device={id} />
    </article>
  );
}

function Head({ device, campus }: { readonly device: DeviceEntry; readonly campus: CampusView }) {
  const say = useWords(words);
  const name = useName();
  const place = placeOf(campus, device);
  const where = (place.length > 0 ? place : [zoneName(campus, device.zone)]).map(name).join(' · ');
  return (
    <div className="devices-head">
      <a className="devices-back" href="#/devices">
        ← {say.back}
      </a>
      <div className="devices-head-line">
        <KindIcon kind={device.kind} size={30} />
        <PageHeader title={name(device.name)} about={`${name(device.profileName)} · ${where}`} />
      </div>
    </div>
  );
}

function State({ device, points }: { readonly device: DeviceEntry; readonly points: readonly PointView[] }) {
  const say = useWords(words);
  const sentence = useSentence();
  const health = useDeviceHealth(device.id);
  const heard = useLastHeard(points);
  const judged = useQualities(points);
  const complaints = useMemo(() => complaintsOf(judged), [judged]);
  const counters = Object.entries(health?.counters ?? {});
  return (
    <section className="devices-state" aria-label={say.state}>
      {health !== undefined && (
        <p>
          <StateBadge state={health.state} />
          <strong>{sentence(health.message)}</strong>
          {health.since > 0 && <Since time={health.since} />}
        </p>
      )}
      {health === undefined && heard > 0 && (
        <p>
          {say.heard} <Age time={heard} /> <span className="kit-soft">· {say.ownReports}</span>
        </p>
      )}
      {health === undefined && heard === 0 && <p className="kit-soft">{say.neverHeard}</p>}
      <WhyBox device={device} points={points} complaints={complaints} />
      {counters.length > 0 && (
        <details>
          <summary>{say.counters}</summary>
          <table className="devices-table">
            <thead>
              <tr>
                <th scope="col">{say.counter}</th>
                <th scope="col">{say.times}</th>
              </tr>
            </thead>
            <tbody>
              {counters.map(([key, value]) => (
                <tr key={key}>
                  <td>
                    <code>{key}</code>
                  </td>
                  <td className="kit-number">{value}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </section>
  );
}

function Since({ time }: { readonly time: number }) {
  const say = useWords(words);
  const formats = useFormats();
  return <span className="kit-soft">{say.since(formats.moment(time, now()))}</span>;
}

function OpenAlarms({ device }: { readonly device: string }) {
  const say = useWords(words);
  const name = useName();
  const alarms = useOpenAlarms().filter(
    (alarm) => alarm.device === device || alarm.ref?.startsWith(`${device}/`) === true,
  );
  if (alarms.length === 0) return null;
  return (
    <ul className="devices-alarms" aria-label={say.deviceAlarms}>
      {alarms.map((alarm) => (
        <li key={alarm.id}>
          <AlarmClassBadge alarmClass={alarm.class} />
          <a href={hashOf(`/alarms/${alarm.id}`)}>{name(alarm.message)}</a>
          <Age time={alarm.raised} className="kit-soft" />
        </li>
      ))}
    </ul>
  );
}

function Outputs({ points, campus }: { readonly points: readonly PointView[]; readonly campus: CampusView }) {
  const say = useWords(operateWords);
  const outputs = points.filter(({ write }) => write !== undefined);
  if (outputs.length === 0) return null;
  return (
    <Panel title={say.outputs}>
      <div className="devices-outputs">
        {outputs.map((point) => (
          <OutputCard key={point.id} point={point} clips={campus.clips} />
        ))}
      </div>
    </Panel>
  );
}

function Facts({ device, campus }: { readonly device: DeviceEntry; readonly campus: CampusView }) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const mayGiveUp = useRight('devices') && device.adopted;
  const place = placeOf(campus, device);
  const facts: readonly (readonly [string, string])[] = [
    [say.id, device.id],
    [say.model, name(device.profileName)],
    [say.place, place.length > 0 ? place.map(name).join(' · ') : say.noRoom],
    [say.zone, name(zoneName(campus, device.zone))],
    [
      say.protocol,
      `${wordOf(say, `protocol:${device.protocol}`, device.protocol)} · ${domainText('kind', device.kind, language)}`,
    ],
    [say.origin, device.adopted ? say.adopted : say.declared],
  ];
  return (
    <Panel title={say.facts} extra={<a href={hashOf('/map', { device: device.id })}>{say.showOnMap}</a>}>
      <dl className="devices-facts">
        {facts.map(([key, value]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {mayGiveUp && <GiveUp device={device} />}
    </Panel>
  );
}
