import { App, Button } from 'antd';
import { type ReactNode, useState } from 'react';
import { api, errorText, type OutputView, type PointView, type RequestResult } from '../../api.ts';
import { domainText } from '../../domain-words.ts';
import { QualityBadge } from '../../kit/badges.tsx';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now, useTicking } from '../../kit/ticker.ts';
import { pointLabel, valueText } from '../../kit/values.ts';
import { LevelText } from '../../level.tsx';
import { useOwnerText, useSentence } from '../../names.ts';
import { useRight } from '../../session.tsx';
import { useLink, useOutput, useReading } from '../../use-live.tsx';
import { Outlook } from '../outputs/outlook.tsx';
import { HistoryLink } from './history-link.tsx';
import { OperateDialog } from './operate-dialog.tsx';
import { operateWords } from './operate-words.ts';
import { OutputActs } from './output-acts.tsx';

type Hold = OutputView['stack'][number];

/** Owner of what people of the console hold. */
const ours = 'request:web';

/** One output: what it should be and is, who holds it and why, what lies below, and the buttons of those who may. */
export function OutputCard({
  point,
  clips,
  order,
}: {
  readonly point: PointView;
  readonly clips: readonly string[];
  /** In the place of the order of control that it shows itself. */
  readonly order?: ReactNode;
}) {
  const say = useWords(operateWords);
  const language = useLanguage();
  const output = useOutput(point.id);
  const reading = useReading(point.id);
  const { state } = useLink();
  const mayOperate = useRight('operate');
  const [isOperating, setOperating] = useState(false);
  const [isLettingGo, setLettingGo] = useState(false);
  const name = pointLabel(point.point, point.label, language);
  const stack = output?.stack ?? [];
  const [top, ...rest] = stack;
  const wanted = output?.value ?? null;
  const actual = reading?.value ?? null;
  const text = (value: typeof actual) => valueText(value, point.unit, point.point, language);
  const isDifferent = wanted !== null && actual !== null && wanted !== actual && output?.confirmed?.outcome !== 'sent';
  return (
    <article className="devices-output" data-ref={point.id}>
      <header>
        <h3>{name}</h3>
        <span className="devices-output-value">{text(wanted ?? actual)}</span>
        {reading !== undefined && <QualityBadge quality={reading.quality} reason={reading.reason} />}
        <HistoryLink point={point.id} name={name} />
      </header>
      {top === undefined ? <p className="kit-soft">{say.nobodyHolds}</p> : <HoldText hold={top} />}
      {isDifferent && (
        <p className="devices-differs">
          <SignIcon sign="triangle" size={13} /> {say.differs}{' '}
          <span>
            {say.wanted} {text(wanted)} · {say.measured} {text(actual)}
          </span>
        </p>
      )}
      {output !== undefined && <Confirmation output={output} point={point} />}
      {output !== undefined && <Outlook output={output} point={point} />}
      {order}
      {order === undefined && top !== undefined && rest.length > 0 && (
        <details className="devices-stack" open>
          <summary>{say.stack}</summary>
          <p className="kit-soft">{say.stackHelp}</p>
          <ol>
            {stack.map((hold, index) => (
              <li key={hold.owner} data-top={index === 0}>
                <span className="devices-stack-mark">
                  {hold.owner === output?.holder ? say.inForce : say.waitingBelow}
                </span>
                <strong>{text(hold.value)}</strong>
                <HoldText hold={hold} />
              </li>
            ))}
          </ol>
          <p className="kit-soft">{say.keeps}</p>
        </details>
      )}
      {mayOperate && (
        <div className="kit-actions">
          <Button disabled={state !== 'live'} onClick={() => setOperating(true)}>
            {say.operate}
          </Button>
          {stack.some(({ owner }) => owner === ours) && (
            <Button disabled={state !== 'live'} onClick={() => setLettingGo(true)}>
              {say.letGo}
            </Button>
          )}
          {state !== 'live' && state !== 'connecting' && <span className="kit-soft">{say.away}</span>}
        </div>
      )}
      <OutputActs point={point} version={`${output?.since ?? 0} ${output?.confirmed?.time ?? 0}`} />
      <OperateDialog point={point} clips={clips} isOpen={isOperating} onClose={() => setOperating(false)} />
      <LetGoDialog point={point} name={name} isOpen={isLettingGo} onClose={() => setLettingGo(false)} />
    </article>
  );
}

function HoldText({ hold }: { readonly hold: Hold }) {
  const say = useWords(operateWords);
  const formats = useFormats();
  const ownerOf = useOwnerText();
  const sentence = useSentence();
  const { until } = hold;
  const left = useTicking((at) => (until === null ? '' : formats.duration(Math.max(0, until - at))));
  return (
    <span className="devices-hold">
      <span>
        {say.heldBy(ownerOf(hold.owner))} · <LevelText level={hold.priority} />
      </span>
      {hold.reason !== '' && <span>{say.because(sentence(hold.reason))}</span>}
      <span className="kit-soft">
        {say.sinceTime(formats.moment(hold.since, now()))} ·{' '}
        {until === null ? say.untilReset : say.untilTime(formats.moment(until, now()), left)}
      </span>
    </span>
  );
}

function Confirmation({ output, point }: { readonly output: OutputView; readonly point: PointView }) {
  const say = useWords(operateWords);
  const language = useLanguage();
  const formats = useFormats();
  const { confirmed } = output;
  if (confirmed === null) return output.holder === null ? null : <p className="kit-soft">{say.confirmedNever}</p>;
  const isProved = confirmed.outcome === 'done' || confirmed.outcome === 'sent';
  const value = confirmed.value === null ? '' : valueText(confirmed.value, point.unit, point.point, language);
  return (
    <p className="devices-confirmed" data-proved={isProved}>
      <SignIcon sign={isProved ? 'dot' : 'cross'} size={12} />{' '}
      {say.confirmedAt(
        domainText('outcome', confirmed.outcome, language),
        value,
        formats.moment(confirmed.time, now()),
      )}
    </p>
  );
}

function LetGoDialog({
  point,
  name,
  isOpen,
  onClose,
}: {
  readonly point: PointView;
  readonly name: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}) {
  const say = useWords(operateWords);
  const language = useLanguage();
  const { message } = App.useApp();
  return (
    <ReasonDialog
      open={isOpen}
      title={say.letGoTitle(name)}
      action={say.letGo}
      sayError={(error) => errorText(error, language)}
      reasonRequired={false}
      onConfirm={async ({ reason }) => {
        const body = { point: point.id, value: null, seconds: 1, reason: reason || say.relinquishReason };
        const result = await api.post<RequestResult>('requests', body);
        const said = domainText('outcome', result.outcome, language);
        void (result.accepted ? message.success(said) : message.error(`${say.refused} · ${said}`));
      }}
      onClose={onClose}
    >
      <p>{say.letGoHelp}</p>
    </ReasonDialog>
  );
}
