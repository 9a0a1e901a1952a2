import { deviceHash } from '../../address.ts';
import { Age } from '../../kit/age.tsx';
import { ToneBadge } from '../../kit/badges.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { useDeviceName } from '../../names.ts';
import type { NetworkLine } from './repair-said.ts';
import { repairWords } from './repair-words.ts';

/** Whether it answers: in a word with its sign. */
export function Reachable({ line: { reachable } }: { readonly line: NetworkLine }) {
  const say = useWords(repairWords);
  if (reachable === null) return <ToneBadge tone="plain">{say.unknown}</ToneBadge>;
  return <ToneBadge tone={reachable ? 'good' : 'bad'}>{reachable ? say.reachable : say.unreachable}</ToneBadge>;
}

/** Where it hangs on a switch. */
export function Uplink({ line: { uplink } }: { readonly line: NetworkLine }) {
  const say = useWords(repairWords);
  const deviceName = useDeviceName();
  if (uplink === null) return say.none;
  return <a href={deviceHash(uplink.device)}>{say.port(deviceName(uplink.device), uplink.port)}</a>;
}

export function NetworkFacts({ line }: { readonly line: NetworkLine }) {
  const say = useWords(repairWords);
  const formats = useFormats();
  return (
    <dl className="devices-facts">
      <div>
        <dt>{say.network}</dt>
        <dd>
          <Reachable line={line} /> <code>{line.address}</code>
        </dd>
      </div>
      <div>
        <dt>{say.latency}</dt>
        <dd className="kit-number">{line.latency === null ? say.none : `${formats.number(line.latency, 1)} ms`}</dd>
      </div>
      <div>
        <dt>{say.loss}</dt>
        <dd className="kit-number">{line.loss === null ? say.none : formats.percent(line.loss)}</dd>
      </div>
      {line.at !== null && (
        <div>
          <dt>{say.at}</dt>
          <dd>
            <Age time={line.at} /> {line.way !== null && <span className="kit-soft">{say[`way:${line.way}`]}</span>}
          </dd>
        </div>
      )}
      {line.uplink !== null && (
        <div>
          <dt>{say.uplink}</dt>
          <dd>
            <Uplink line={line} />
          </dd>
        </div>
      )}
    </dl>
  );
}
