import { deviceHash } from '../../address.ts';
import type { CampusView } from '../../api.ts';
import { KindIcon } from '../../kind-icons.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { useSentence } from '../../names.ts';
import { useAllDeviceHealth } from '../../use-live.tsx';
import { type DeviceEntry, placeOf, zoneName } from './tree.ts';
import { TroubleBadge } from './tree-view.tsx';
import { gravity, type Troubles, troubleOf, useTroubles } from './troubles.ts';
import { explain } from './why.ts';
import { whyWords } from './why-words.ts';
import { words } from './words.ts';

/** More than this is a fault of the campus, not of devices: the list is in the tree. */
const most = 50;

/** What is shown while no device is chosen: those that need somebody, the worst first. */
export function Attention({ campus }: { readonly campus: CampusView }) {
  const say = useWords(words);
  const troubles = useTroubles();
  const ill = campus.devices
    .filter(({ id }) => troubles.has(id))
    .toSorted((a, b) => gravity(troubleOf(troubles, b.id)) - gravity(troubleOf(troubles, a.id)));
  if (ill.length === 0) {
    return (
      <div className="devices-well">
        <SignIcon sign="dot" size={28} />
        <h2>{say.allWell}</h2>
        <p className="kit-soft">{say.allWellHelp}</p>
      </div>
    );
  }
  return (
    <section className="devices-attention">
      <h2>{say.attention}</h2>
      <p className="kit-soft">{say.attentionHelp}</p>
      <ul>
        {ill.slice(0, most).map((device) => (
          <li key={device.id}>
            <IllDevice campus={campus} device={device} troubles={troubles} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function IllDevice({
  campus,
  device,
  troubles,
}: {
  readonly campus: CampusView;
  readonly device: DeviceEntry;
  readonly troubles: Troubles;
}) {
  const name = useName();
  const say = useSentence();
  const health = useAllDeviceHealth().find((one) => one.device === device.id);
  const whys = useWords(whyWords);
  const { reason } = troubleOf(troubles, device.id);
  const place = placeOf(campus, device);
  const where = (place.length > 0 ? place : [zoneName(campus, device.zone)]).map(name).join(' · ');
  return (
    <a className="devices-card" href={deviceHash(device.id)}>
      <KindIcon kind={device.kind} size={22} />
      <span className="devices-card-text">
        <strong>{name(device.name)}</strong>
        <span className="kit-soft">{where}</span>
        {health !== undefined && health.state !== 'online' ? (
          <span>{say(health.message)}</span>
        ) : (
          <span>{explain(reason, device.protocol, whys).why}</span>
        )}
      </span>
      <TroubleBadge troubles={troubles} device={device.id} isLong />
    </a>
  );
}
