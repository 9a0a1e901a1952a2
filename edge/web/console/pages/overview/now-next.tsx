import type { OutputView } from '../../api.ts';
import { Panel } from '../../kit/frame.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { valueText } from '../../kit/values.ts';
import { useDeviceName, useOwnerText, usePointName, useSentence } from '../../names.ts';
import { reasonAlone } from '../../sentences.ts';
import { useOutputs } from '../../use-live.tsx';
import { words } from './words.ts';

const mostHeld = 4;
const mostNext = 4;

function isClip({ ref }: OutputView): boolean {
  return ref.endsWith('/clip');
}

/** A speaker that is silent because nothing is asked of it is nothing to tell. */
function isTold(output: OutputView): boolean {
  if (output.holder === null) return false;
  return !isClip(output) || (output.value !== null && output.value !== '');
}

/** What is being played or held, by whom and why; what ends soon; and the schedule, once there is one. */
export function NowNextPanel() {
  const say = useWords(words);
  const formats = useFormats();
  const pointName = usePointName();
  const outputs = useOutputs();
  const held = outputs.filter(isTold).sort((a, b) => (a.priority ?? 99) - (b.priority ?? 99) || b.since - a.since);
  const ending = held.filter(({ until }) => until !== null).sort((a, b) => (a.until ?? 0) - (b.until ?? 0));
  return (
    <Panel title={say.nowNext} className="overview-now">
      <div className="now-next">
        <div>
          <h3>{say.now}</h3>
          {held.length === 0 ? (
            <p className="kit-soft">{say.nothingNow}</p>
          ) : (
            <ul className="now-list">
              {held.slice(0, mostHeld).map((output) => (
                <Held key={output.ref} output={output} />
              ))}
              {held.length > mostHeld && (
                <li>
                  <a href="#/devices">{say.moreAlarms(held.length - mostHeld)}</a>
                </li>
              )}
            </ul>
          )}
        </div>
        <div>
          <h3>{say.next}</h3>
          {ending.length > 0 && (
            <ul className="now-list">
              {ending.slice(0, mostNext).map(({ ref, until }) => (
                <li key={ref}>{say.endsAt(formats.moment(until ?? 0, now()), pointName(ref))}</li>
              ))}
            </ul>
          )}
          <p className="now-none">{say.noSchedule}</p>
          <p className="kit-soft">{say.noScheduleHelp}</p>
        </div>
      </div>
    </Panel>
  );
}

function Held({ output }: { readonly output: OutputView }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const deviceName = useDeviceName();
  const pointName = usePointName();
  const ownerText = useOwnerText();
  const sentence = useSentence();
  const [device = '', point = ''] = output.ref.split('/');
  const value = valueText(output.value, '', point, language);
  const what = isClip(output)
    ? `${deviceName(device)} · ${say.playing(value)}`
    : say.held(pointName(output.ref), value);
  const hold = output.stack.find(({ owner }) => owner === output.holder);
  const why = sentence(reasonAlone(hold?.reason ?? output.reason));
  const until = output.until === null ? say.untilReset : formats.moment(output.until, now());
  return (
    <li>
      <a href={`#/devices/${device}`}>
        {isClip(output) && <SignIcon sign="dot" size={10} />} {what}
      </a>
      <span className="kit-soft">
        {say.by(ownerText(output.holder ?? ''), why)} → {until}
      </span>
    </li>
  );
}
