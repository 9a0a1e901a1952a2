import { Button } from 'antd';
import { pointHash } from '../../address.ts';
import { Age } from '../../kit/age.tsx';
import { ToneBadge } from '../../kit/badges.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useZoneName } from '../../names.ts';
import { useRight } from '../../session.tsx';
import { useLink, usePoints } from '../../use-live.tsx';
import { counterWords } from './counter-words.ts';
import type { Step } from './data.ts';
import { StepChart } from './step-chart.tsx';
import type { Deciding } from './step-dialog.tsx';
import { Shown } from './step-shown.tsx';
import { countedSince, isSettled, jumpOf, type StepGroup } from './step-story.ts';
import { useStepTexts } from './step-texts.ts';

/** One story: what was, what came, what it may be, and what either decision means; with the other counters of the same meter. */
export function StepCard({
  group,
  meterHref,
  onDecide,
}: {
  readonly group: StepGroup;
  /** The page of its meter; null: it is in no tree. */
  readonly meterHref: string | null;
  readonly onDecide: (deciding: Deciding) => void;
}) {
  const say = useWords(counterWords);
  const zoneName = useZoneName();
  const { head: step, others } = group;
  const { name, unit } = useStepTexts(step);
  const zone = usePoints()?.find(({ id }) => id === step.ref)?.zone;
  return (
    <article className="kit-panel meters-step" data-step={step.id} data-ref={step.ref}>
      <header className="meters-step-head">
        <h3>{name}</h3>
        <ToneBadge tone="wait">{say[`kind:${step.kind}`]}</ToneBadge>
        <span className="kit-soft">
          {zone !== undefined && `${zoneName(zone)} · `}
          <Age time={step.toTime} />
        </span>
      </header>
      <div className="meters-step-body">
        <div className="meters-step-story">
          <p className="meters-step-what">{useWhat(step)}</p>
          <Readings step={step} />
        </div>
        <StepChart step={step} unit={unit} />
        <Meanings step={step} />
        <Shown step={step} />
        {others.length > 0 && <Others steps={others} />}
      </div>
      <footer className="meters-step-foot">
        <Acts steps={[step, ...others]} onDecide={onDecide} />
        <span className="meters-jumps">
          {meterHref !== null && <a href={meterHref}>{say.openMeter}</a>}
          <a href={pointHash(step.ref)}>{say.openHistory}</a>
        </span>
      </footer>
    </article>
  );
}

function useWhat({ kind, serial }: Step): string {
  const say = useWords(counterWords);
  return serial === undefined ? say[`what:${kind}`] : say['what:swapSerial'](serial.before, serial.after);
}

function Readings({ step }: { readonly step: Step }) {
  const say = useWords(counterWords);
  const formats = useFormats();
  const { amount } = useStepTexts(step);
  const moment = (time: number) => formats.moment(time, now());
  const rows = [
    [say.was, step.from, step.fromTime],
    [say.became, step.to, step.toTime],
    [say.isNow, step.last, step.lastTime],
  ] as const;
  return (
    <>
      <dl className="meters-readings">
        {rows.map(([label, value, time]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd className="kit-number">
              <strong>{amount(value)}</strong> <span className="kit-soft">{moment(time)}</span>
            </dd>
          </div>
        ))}
      </dl>
      <p className="kit-soft meters-agreed">{isSettled(step) ? say.agreed(step.agreed) : say.unsettled}</p>
    </>
  );
}

function Meanings({ step }: { readonly step: Step }) {
  const say = useWords(counterWords);
  const { amount } = useStepTexts(step);
  const jump = jumpOf(step);
  const counted = amount(countedSince(step));
  return (
    <section className="meters-means" aria-label={say.means}>
      <h4>{say.means}</h4>
      <dl>
        <div>
          <dt>{say.ifAccept}</dt>
          <dd>
            {jump === null
              ? say.acceptMeans(amount(step.to), counted)
              : say.acceptSpikeMeans(amount(step.to), amount(jump))}
          </dd>
        </div>
        <div>
          <dt>{say.ifReject}</dt>
          <dd>{say.rejectMeans(amount(step.from))}</dd>
        </div>
      </dl>
    </section>
  );
}

/** Counters that stepped with it: they are decided together. */
function Others({ steps }: { readonly steps: readonly Step[] }) {
  const say = useWords(counterWords);
  return (
    <section className="meters-others" aria-label={say.others(steps.length)}>
      <h4>{say.others(steps.length)}</h4>
      <ul>
        {steps.map((step) => (
          <Other key={step.id} step={step} />
        ))}
      </ul>
    </section>
  );
}

function Other({ step }: { readonly step: Step }) {
  const { label, amount } = useStepTexts(step);
  return (
    <li>
      <a href={pointHash(step.ref)}>{label}</a>{' '}
      <span className="kit-number">
        {amount(step.from)} → {amount(step.last)}
      </span>
    </li>
  );
}

function Acts({
  steps,
  onDecide,
}: {
  readonly steps: Deciding['steps'];
  readonly onDecide: (deciding: Deciding) => void;
}) {
  const say = useWords(counterWords);
  const may = useRight('devices');
  const { state } = useLink();
  const isAway = state === 'lost' || state === 'core-away';
  if (!may) return <p className="kit-soft">{say.onlySee}</p>;
  return (
    <div className="kit-actions">
      <Button
        type="primary"
        data-act="accept"
        disabled={isAway || !steps.every(isSettled)}
        onClick={() => onDecide({ steps, verdict: 'accept' })}
      >
        {steps.length === 1 ? say.accept : say.acceptAll(steps.length)}
      </Button>
      <Button data-act="reject" disabled={isAway} onClick={() => onDecide({ steps, verdict: 'reject' })}>
        {steps.length === 1 ? say.reject : say.rejectAll(steps.length)}
      </Button>
      {isAway && <p className="kit-soft">{say.away}</p>}
    </div>
  );
}
