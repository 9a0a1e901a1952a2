import { Button } from 'antd';
import { pointHash } from '../../address.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { type CardColumn, CardTable } from '../../kit/card-table.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useRight } from '../../session.tsx';
import { useLink } from '../../use-live.tsx';
import { counterWords } from './counter-words.ts';
import type { Step } from './data.ts';
import type { Deciding } from './step-dialog.tsx';
import { againOf } from './step-story.ts';
import { useStepTexts } from './step-texts.ts';

const tones = { accepted: 'good', rejected: 'bad', returned: 'plain', open: 'wait' } as const;

/** What was decided, by whom and why; the latest first. */
export function DecidedTable({
  steps,
  onDecide,
}: {
  readonly steps: readonly Step[];
  readonly onDecide: (deciding: Deciding) => void;
}) {
  const say = useWords(counterWords);
  const formats = useFormats();
  const may = useRight('devices');
  const { state } = useLink();
  const isAway = state === 'lost' || state === 'core-away';
  const columns: CardColumn<Step>[] = [
    { key: 'meter', title: say.meter, render: (step) => <Counter step={step} /> },
    { key: 'kind', title: say.kind, width: 110, render: ({ kind }) => say[`kind:${kind}`] },
    { key: 'when', title: say.when, width: 140, render: ({ toTime }) => formats.moment(toTime, now()) },
    { key: 'readings', title: say.readings, width: 230, render: (step) => <FromTo step={step} /> },
    {
      key: 'outcome',
      title: say.outcome,
      width: 150,
      render: (step) => <ToneBadge tone={tones[step.state]}>{say[`state:${step.state}`]}</ToneBadge>,
    },
    { key: 'by', title: say.by, render: (step) => <By step={step} /> },
  ];
  const again = (step: Step) => {
    const what = againOf(step);
    if (what === null) return null;
    return (
      <Button size="small" disabled={isAway} onClick={() => onDecide({ steps: [step], verdict: 'accept' })}>
        {what === 'change' ? say.change : say.acceptLater}
      </Button>
    );
  };
  return (
    <CardTable
      label={say.decided}
      columns={columns}
      rows={steps}
      keyOf={({ id }) => id}
      minWidth={900}
      {...(may ? { actions: { title: say.acts, render: again, width: 110 } } : {})}
    />
  );
}

function Counter({ step }: { readonly step: Step }) {
  const { name } = useStepTexts(step);
  return <a href={pointHash(step.ref)}>{name}</a>;
}

function FromTo({ step }: { readonly step: Step }) {
  const { amount } = useStepTexts(step);
  return (
    <span className="kit-number">
      {amount(step.from)} → {amount(step.to)}
    </span>
  );
}

function By({ step }: { readonly step: Step }) {
  const say = useWords(counterWords);
  const formats = useFormats();
  const { amount } = useStepTexts(step);
  const { decided, between } = step;
  if (decided === undefined) return step.state === 'returned' ? say.returnedNote : null;
  return (
    <>
      {say.decidedBy(decided.by, formats.moment(decided.time, now()))}
      <span className="meters-note">
        {between !== undefined && `${say.countedBetween(amount(between))} · `}
        {decided.note}
      </span>
    </>
  );
}
