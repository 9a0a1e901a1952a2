import type { PointView } from '../../api.ts';
import { domainText } from '../../domain-words.ts';
import { QualityBadge } from '../../kit/badges.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { pointLabel } from '../../kit/values.ts';
import { useDeviceHealth, useProcesses } from '../../use-live.tsx';
import type { DeviceEntry } from './tree.ts';
import { type Complaint, explain, type Why } from './why.ts';
import { whyWords } from './why-words.ts';

/** Names of values that are listed before it says how many more. */
const mostNames = 4;

/** Why values of a device are not good, each reason once, with the next step: what nobody else tells. */
export function WhyBox({
  device,
  points,
  complaints,
}: {
  readonly device: DeviceEntry;
  readonly points: readonly PointView[];
  readonly complaints: readonly Complaint[];
}) {
  const say = useWords(whyWords);
  const down = useStoppedProcess(device.id);
  if (complaints.length === 0) return null;
  return (
    <ul className="devices-why" aria-label={say.title}>
      {complaints.map((complaint) => (
        <li key={`${complaint.quality} ${complaint.reason}`}>
          <OneComplaint device={device} points={points} complaint={complaint} down={down} />
        </li>
      ))}
    </ul>
  );
}

function OneComplaint({
  device,
  points,
  complaint,
  down,
}: {
  readonly device: DeviceEntry;
  readonly points: readonly PointView[];
  readonly complaint: Complaint;
  readonly down: string | null;
}) {
  const say = useWords(whyWords);
  const language = useLanguage();
  const name = useName();
  const names = complaint.refs.slice(0, mostNames).map((ref) => {
    const point = points.find(({ id }) => id === ref);
    return point === undefined ? ref : pointLabel(point.point, point.label, language) || name(point.label);
  });
  const known: Why = explain(complaint.reason, device.protocol, say);
  const isDown = down !== null && complaint.reason === 'no-communication';
  const { why, what } = isDown
    ? { why: say.processDown(domainText('process', down, language)), what: say.processDownDo }
    : known;
  return (
    <>
      <p className="devices-why-head">
        <QualityBadge quality={complaint.quality} reason={complaint.reason} />
        <strong>{say.affected(complaint.refs.length, points.length)}</strong>
        {complaint.refs.length < points.length && (
          <span className="kit-soft">
            {say.andMore(names.join(say.separator), complaint.refs.length - names.length)}
          </span>
        )}
      </p>
      <dl>
        <dt>{say.why}</dt>
        <dd>{why}</dd>
        <dt>{say.what}</dt>
        <dd>{what}</dd>
      </dl>
    </>
  );
}

/** The driver process of a device, when it is not running; null otherwise, and for devices without one. */
function useStoppedProcess(device: string): string | null {
  const name = useDeviceHealth(device)?.process;
  const state = useProcesses().find((child) => child.name === name)?.state;
  return name !== undefined && state !== undefined && state !== 'ready' ? name : null;
}
