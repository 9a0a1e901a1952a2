import { Button } from 'antd';
import { useState } from 'react';
import { hashOf, pointHash } from '../../address.ts';
import type { OutputView } from '../../api.ts';
import { QualityBadge } from '../../kit/badges.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { now, useTicking } from '../../kit/ticker.ts';
import { LevelText } from '../../level.tsx';
import { useOwnerText, useSentence } from '../../names.ts';
import { useRight } from '../../session.tsx';
import { useLink, useOutput, useReading } from '../../use-live.tsx';
import { Outlook } from '../outputs/outlook.tsx';
import { EndHold } from './held.tsx';
import { manualOf, ours, scheduleOwner } from './hold.ts';
import { HoldDialog } from './hold-dialog.tsx';
import { PowerIcon } from './power-icon.tsx';
import { inOneLine, isAssumed, linesOf, shortMoment } from './reasons.ts';
import type { Row } from './rows.ts';
import type { CircuitNow } from './shapes.ts';
import { useStateText } from './state-text.ts';
import { timeText } from './stretches.ts';
import { useSpeech, useTodaySlots } from './use-power.ts';
import { words } from './words.ts';

/** Changes that are told. */
const mostNext = 6;

/** One circuit: what it is, why, until when, what comes next, and what can be done. */
export function Detail({ row }: { readonly row: Row }) {
  const say = useWords(words);
  const stateOf = useStateText();
  const output = useOutput(row.ref);
  const reading = useReading(row.ref);
  const value = reading?.value ?? output?.value ?? null;
  const state = stateOf(row, value);
  const question = state.look === 'on' ? say.whyOn : state.look === 'off' ? say.whyOff : say.whySo;
  return (
    <article className="kit-panel power-detail" data-power-detail={row.ref}>
      <div className="power-detail-head" data-look={state.look}>
        <PowerIcon kind={row.kind} size={30} />
        <div>
          <h2>{headline(row, state, say)}</h2>
          <p className="kit-soft">
            {row.place} · {say[`kind:${row.kind}`]}
            {reading !== undefined && <QualityBadge quality={reading.quality} reason={reading.reason} />}
          </p>
        </div>
      </div>
      <section className="power-why">
        <h3>{question}</h3>
        <Why row={row} output={output} value={value} />
      </section>
      {row.circuit !== null && <Next row={row} circuit={row.circuit} />}
      {output !== undefined && isOutlookNews(row, output) && <Outlook output={output} point={row.point} />}
      <Acts row={row} output={output} />
    </article>
  );
}

/** A hold of the schedule is renewed for as long as it wants it: its own end tells nothing. */
function isOutlookNews({ entry }: Row, { holder, waiting, local, forbidden }: OutputView): boolean {
  const isSchedule = entry !== null && holder === scheduleOwner(entry);
  return !isSchedule || waiting !== null || local !== null || forbidden.length > 0;
}

function headline(row: Row, state: ReturnType<ReturnType<typeof useStateText>>, say: (typeof words)['zh']): string {
  switch (state.look) {
    case 'on':
      return say.isOn(row.title);
    case 'off':
      return say.isOff(row.title);
    case 'unknown':
      return say.isUnknown(row.title);
    case 'other':
      return say.isValue(row.title, state.text);
  }
}

/** From whoever holds it to what the sensors say: a line each, the strongest first. */
function Why({
  row,
  output,
  value,
}: {
  readonly row: Row;
  readonly output: OutputView | undefined;
  readonly value: OutputView['value'];
}) {
  const say = useWords(words);
  const stateOf = useStateText();
  const speech = useSpeech();
  const { circuit } = row;
  const isSchedule = circuit !== null && output?.holder === scheduleOwner(circuit.entry);
  const wanted = output?.value ?? null;
  return (
    <ol className="power-chain">
      <Holder row={row} output={output} />
      {circuit === null && <li className="kit-soft">{row.entry === null ? say.scheduleNone : say.schedulePaused}</li>}
      {circuit !== null && (
        <li>
          <span>
            {isSchedule || output?.holder === null || output === undefined
              ? say.scheduleBecause(stateOf(row, circuit.decision.value).text)
              : say.scheduleWants(stateOf(row, circuit.decision.value).text)}
          </span>
          <ul className="power-reasons">
            <CurrentSlot circuit={circuit} row={row} />
            {linesOf(circuit.decision.why, speech).map(({ code, text }) => (
              <li key={`${code} ${text}`} data-reason={code}>
                {text}
              </li>
            ))}
          </ul>
        </li>
      )}
      {circuit !== null && <Until circuit={circuit} />}
      {output !== undefined && (
        <Proof row={row} output={output} isDifferent={wanted !== null && value !== null && wanted !== value} />
      )}
    </ol>
  );
}

function Holder({ row, output }: { readonly row: Row; readonly output: OutputView | undefined }) {
  const say = useWords(words);
  const name = useName();
  const formats = useFormats();
  const ownerOf = useOwnerText();
  const sentence = useSentence();
  const hold = output?.stack.find(({ owner }) => owner === output.holder);
  const until = hold?.until ?? null;
  const left = useTicking((time) => (until === null ? '' : formats.duration(Math.max(0, until - time))));
  if (hold === undefined) return <li data-holder="nobody">{say.byNobody}</li>;
  const isSchedule = row.entry !== null && hold.owner === scheduleOwner(row.entry);
  if (isSchedule && row.power !== null)
    return (
      <li data-holder="schedule">
        <strong>{say.bySchedule(name(row.power.name))}</strong>{' '}
        <span className="kit-soft">
          <LevelText level={hold.priority} />
        </span>
      </li>
    );
  const isPerson = hold.owner === ours;
  return (
    <li data-holder={isPerson ? 'person' : 'other'}>
      <strong>{isPerson ? say.byPerson(hold.reason) : say.byOther(ownerOf(hold.owner))}</strong>{' '}
      <span className="kit-soft">
        <LevelText level={hold.priority} />
        {!isPerson && hold.reason !== '' && ` · ${sentence(hold.reason)}`}
        {until !== null && ` · ${say.lasts(shortMoment(until, now(), formats), left)}`}
      </span>
    </li>
  );
}

/** Which lesson it is: the reasons name the whole stretch. */
function CurrentSlot({ circuit, row }: { readonly circuit: CircuitNow; readonly row: Row }) {
  const say = useWords(words);
  const name = useName();
  const formats = useFormats();
  const isBySlots = circuit.decision.why.some(({ code }) => code === 'slot');
  const slots = useTodaySlots(row.power?.layer ?? 'campus', isBySlots);
  const current = useTicking((time) => {
    const second = (time - formats.startOfDay(time)) / 1_000;
    const slot = slots.find(({ from, to }) => second >= from && second < to);
    return slot === undefined ? '' : say.slotNow(name(slot.name), timeText(slot.from), timeText(slot.to));
  });
  return isBySlots && current !== '' ? <li data-reason="now">{current}</li> : null;
}

function Until({ circuit: { decision } }: { readonly circuit: CircuitNow }) {
  const say = useWords(words);
  const formats = useFormats();
  const { until } = decision;
  const left = useTicking((time) => (until === null ? '' : formats.duration(Math.max(0, until - time))));
  const bySensor = decision.why.some(({ code }) => code === 'occupied' || code === 'empty' || code === 'preparing');
  if (until === null) return <li className="kit-soft">{say.staysOpen}</li>;
  return (
    <li>
      {say.stays(shortMoment(until, now(), formats), left)}
      {bySensor && (
        <span className="kit-soft">
          {say.comma}
          {say.staysSensor}
        </span>
      )}
    </li>
  );
}

function Proof({
  row,
  output,
  isDifferent,
}: {
  readonly row: Row;
  readonly output: OutputView;
  readonly isDifferent: boolean;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const stateOf = useStateText();
  const { confirmed, holder } = output;
  if (holder === null) return null;
  if (isDifferent && confirmed?.outcome !== 'sent')
    return (
      <li className="power-differs">
        <SignIcon sign="triangle" size={13} /> {say.differs(stateOf(row, output.value).text)}
      </li>
    );
  const isProved = confirmed !== null && (confirmed.outcome === 'done' || confirmed.outcome === 'sent');
  return (
    <li className="kit-soft">{isProved ? say.confirmed(formats.moment(confirmed.time, now())) : say.notConfirmed}</li>
  );
}

function Next({ row, circuit }: { readonly row: Row; readonly circuit: CircuitNow }) {
  const say = useWords(words);
  const speech = useSpeech();
  const formats = useFormats();
  const stateOf = useStateText();
  const coming = circuit.next.slice(0, mostNext);
  return (
    <section className="power-next">
      <h3>{say.next}</h3>
      {coming.length === 0 ? (
        <p className="kit-soft">{say.nextNone}</p>
      ) : (
        <ol>
          {coming.map(({ at, decision }) => (
            <li key={at} data-next={decision.on ? 'on' : 'off'}>
              <strong>{say.nextShort(shortMoment(at, now(), formats), stateOf(row, decision.value).text)}</strong>
              <span>{inOneLine(decision.why, speech)}</span>
              {isAssumed(decision) && <span className="power-assumed">{say.assumption}</span>}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Acts({ row, output }: { readonly row: Row; readonly output: OutputView | undefined }) {
  const say = useWords(words);
  const mayOperate = useRight('operate');
  const mayEdit = useRight('school');
  const { state } = useLink();
  const [isHolding, setHolding] = useState(false);
  return (
    <footer className="power-acts">
      {mayOperate && (
        <div className="kit-actions">
          <Button type="primary" disabled={state !== 'live'} onClick={() => setHolding(true)} data-act="hold">
            {say.hold}
          </Button>
          {manualOf(output) !== null && <EndHold row={row} />}
          {state !== 'live' && state !== 'connecting' && <span className="kit-soft">{say.away}</span>}
        </div>
      )}
      <p className="power-links">
        {mayEdit && row.entry !== null && <a href={hashOf(`/power/edit/${row.entry}`)}>{say.edit}</a>}
        <a href={hashOf(`/outputs/${row.ref}`)}>{say.order}</a>
        <a href={pointHash(row.ref)}>{say.curve}</a>
      </p>
      {isHolding && <HoldDialog row={row} onClose={() => setHolding(false)} />}
    </footer>
  );
}
