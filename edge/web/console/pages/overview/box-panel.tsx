import { useIllDevices } from '../../device-status.ts';
import { domainText } from '../../domain-words.ts';
import { headlineOf } from '../../headline.ts';
import { QualityBadge, StateBadge, type Tone, ToneBadge, toneOfState } from '../../kit/badges.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { useDeviceName, useSentence } from '../../names.ts';
import { useRight } from '../../session.tsx';
import {
  useAllDeviceHealth,
  useCampus,
  useDeviceHealth,
  usePoints,
  useProcesses,
  useReading,
} from '../../use-live.tsx';
import { useNow } from '../../use-now.ts';
import { words } from './words.ts';

const mostIll = 3;

/** Whether the box does its work: processes, devices, clock, bridge; and what is not well, with why. */
export function BoxPanel() {
  const say = useWords(words);
  const language = useLanguage();
  const sentence = useSentence();
  const seesSystem = useRight('system');
  const processes = useProcesses();
  const health = useAllDeviceHealth();
  const devices = useCampus()?.devices.length ?? health.length;
  const badProcesses = processes.filter(({ state }) => toneOfState(state) !== 'good');
  const badDevices = useIllDevices();
  const run = processes.length - badProcesses.length;
  return (
    <Panel
      title={say.box}
      className="overview-box"
      extra={
        seesSystem ? (
          <a href="#/system" className="overview-link">
            {say.system}
          </a>
        ) : undefined
      }
    >
      <dl className="box-facts">
        <Fact label={say.processes} tone={badProcesses.length === 0 ? 'good' : 'bad'}>
          {badProcesses.length === 0 ? say.allRun(run) : say.someRun(run, processes.length)}
        </Fact>
        <Fact label={say.devices} tone={badDevices.length === 0 ? 'good' : 'bad'}>
          {badDevices.length === 0 ? say.allOnline(devices) : say.someOnline(devices - badDevices.length, devices)}
        </Fact>
        <ClockFact />
        <BridgeFact />
      </dl>
      <ul className="box-ill">
        {badProcesses.slice(0, mostIll).map(({ name, state, lastExit }) => (
          <li key={name}>
            <StateBadge state={state} /> <b>{domainText('process', name, language)}</b>{' '}
            <span className="kit-soft">{sentence(lastExit)}</span>
          </li>
        ))}
        {badDevices.slice(0, Math.max(0, mostIll - badProcesses.length)).map((device) => (
          <IllDevice key={device} device={device} />
        ))}
      </ul>
    </Panel>
  );
}

/** Its driver's own words; of a sensor that has no driver, why its value cannot be used. */
function IllDevice({ device }: { readonly device: string }) {
  const deviceName = useDeviceName();
  const sentence = useSentence();
  const health = useDeviceHealth(device);
  const headline = headlineOf((usePoints() ?? []).filter((point) => point.device === device));
  const reading = useReading(headline?.id ?? '');
  return (
    <li>
      {health === undefined ? (
        <QualityBadge quality={reading?.quality ?? 'bad'} reason={reading?.reason} />
      ) : (
        <StateBadge state={health.state} />
      )}{' '}
      <a href={`#/devices/${device}`}>{deviceName(device)}</a>{' '}
      <span className="kit-soft">{sentence(health?.message)}</span>
    </li>
  );
}

function Fact({ label, tone, children }: { readonly label: string; readonly tone: Tone; readonly children: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <ToneBadge tone={tone}>{children}</ToneBadge>
      </dd>
    </div>
  );
}

function ClockFact() {
  const say = useWords(words);
  const view = useNow();
  if (view === undefined) return null;
  const { clockSynchronised: is } = view;
  return (
    <Fact label={say.clock} tone={is === true ? 'good' : is === false ? 'bad' : 'plain'}>
      {is === true ? say.synced : is === false ? say.notSynced : say.syncUnknown}
    </Fact>
  );
}

/** Rows wait a little always: the city takes them in batches, ms. */
const normalLag = 120_000;

function BridgeFact() {
  const say = useWords(words);
  const formats = useFormats();
  const view = useNow();
  if (view === undefined) return null;
  if (view.bridge === null)
    return (
      <Fact label={say.bridge} tone="plain">
        {say.noBridge}
      </Fact>
    );
  const { backlog, oldest } = view.bridge;
  const lag = oldest ?? 0;
  if (backlog === 0 || lag < normalLag)
    return (
      <Fact label={say.bridge} tone="good">
        {say.upToDate}
      </Fact>
    );
  return (
    <Fact label={say.bridge} tone={lag > 3_600_000 ? 'bad' : 'wait'}>
      {`${say.backlog(formats.number(backlog))} · ${say.oldest(formats.duration(lag))}`}
    </Fact>
  );
}
