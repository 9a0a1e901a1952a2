import { Button } from 'antd';
import { useMemo, useState } from 'react';
import { ToneBadge } from '../../kit/badges.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState } from '../../kit/states.tsx';
import { now as timeNow, useTicking } from '../../kit/ticker.ts';
import { useSession } from '../../session.tsx';
import { ClassIcon } from './class-icon.tsx';
import type { LedgerLineView, OccurrenceView } from './data.ts';
import { secondOf } from './dates.ts';
import { FateBadge, useFateText } from './fate-badge.tsx';
import { useNaming } from './naming.ts';
import { actionText, placeText } from './occurrence-text.ts';
import { SkipDialog } from './override-dialog.tsx';
import { secondText, slotKindText } from './reason-words.ts';
import { fateOf, type SlotView, type Stretch, stretchesOf, tallyOf } from './timeline.ts';
import { Why } from './why.tsx';
import { words } from './words.ts';

interface CourseProps {
  readonly slots: readonly SlotView[];
  readonly occurrences: readonly OccurrenceView[];
  readonly lines: readonly LedgerLineView[];
  readonly today: string;
}

/** The course of the day: what is over is folded away once there is much of it, with its sum left to see. */
export function Course({ slots, occurrences, lines, today }: CourseProps) {
  const say = useWords(words);
  const formats = useFormats();
  const [isAll, setAll] = useState(false);
  const minute = useTicking((now) => Math.floor(secondOf(now, formats) / 60));
  const stretches = useMemo(() => stretchesOf(slots, occurrences), [slots, occurrences]);
  const byKey = useMemo(() => new Map(lines.map((line) => [line.key, line])), [lines]);
  const second = minute * 60;
  const isOver = ({ to, from, slot, occurrences: own }: Stretch) =>
    slot === null ? own.every((one) => one.second + 60 <= second) : Math.max(to, from + 60) <= second;
  const over = stretches.filter(isOver);
  const folds = over.length > 3 && over.length < stretches.length;
  const shown = folds && !isAll ? stretches.filter((one) => !over.slice(0, -1).includes(one)) : stretches;
  if (stretches.length === 0)
    return (
      <section className="kit-panel schoolday-course">
        <EmptyState title={say.nothingToday}>{say.nothingTodayHelp}</EmptyState>
      </section>
    );
  return (
    <section className="kit-panel schoolday-course" aria-label={say.course}>
      <header>
        <h2>{say.course}</h2>
        <TallyBar lines={lines} />
      </header>
      {folds && (
        <button type="button" className="schoolday-earlier" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
          {isAll ? say.hideEarlier : say.showEarlier(String(over.length - 1))}
        </button>
      )}
      <ol className="schoolday-stretches">
        {shown.map((one) => (
          <StretchRow
            key={one.key}
            stretch={one}
            lines={byKey}
            today={today}
            state={isOver(one) ? 'over' : one.slot !== null && one.from <= second ? 'now' : 'coming'}
          />
        ))}
      </ol>
    </section>
  );
}

function TallyBar({ lines }: { readonly lines: readonly LedgerLineView[] }) {
  const say = useWords(words);
  const { done, late, skipped, failed } = tallyOf(lines);
  return (
    <div className="schoolday-tally" data-done={done}>
      <ToneBadge tone="good">{say.tallyDone(String(done))}</ToneBadge>
      {late > 0 && <ToneBadge tone="wait">{say.tallyLate(String(late))}</ToneBadge>}
      {skipped > 0 && <ToneBadge tone="plain">{say.tallySkipped(String(skipped))}</ToneBadge>}
      {failed > 0 && <ToneBadge tone="bad">{say.tallyFailed(String(failed))}</ToneBadge>}
    </div>
  );
}

function StretchRow({
  stretch: { slot, from, to, occurrences },
  lines,
  today,
  state,
}: {
  readonly stretch: Stretch;
  readonly lines: ReadonlyMap<string, LedgerLineView>;
  readonly today: string;
  readonly state: 'over' | 'now' | 'coming';
}) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  return (
    <li className="schoolday-stretch" data-state={state} data-slot={slot?.kind ?? 'none'}>
      {slot !== null && (
        <div className="schoolday-slot" {...(state === 'now' ? { 'aria-current': 'time' as const } : {})}>
          <span className="kit-number">
            {secondText(from)}
            {to > from && `–${secondText(to)}`}
          </span>
          <strong>{name(slot.name)}</strong>
          {slotKindText(slot.kind, language) !== name(slot.name) && (
            <span className="kit-soft">{slotKindText(slot.kind, language)}</span>
          )}
          {state === 'now' && <span className="schoolday-nowmark">{say.nowMark}</span>}
        </div>
      )}
      {occurrences.length > 0 && (
        <ul>
          {occurrences.map((one) => (
            <OccurrenceRow key={one.key} one={one} lines={lines} today={today} />
          ))}
        </ul>
      )}
    </li>
  );
}

function OccurrenceRow({
  one,
  lines,
  today,
}: {
  readonly one: OccurrenceView;
  readonly lines: ReadonlyMap<string, LedgerLineView>;
  readonly today: string;
}) {
  const say = useWords(words);
  const name = useName();
  const naming = useNaming();
  const formats = useFormats();
  const fateText = useFateText();
  const { rights, zones } = useSession();
  const [isSkipping, setSkipping] = useState(false);
  const fate = fateOf(one, lines, timeNow());
  const said = fateText(one, fate);
  const maySkip = rights.includes('school') && zones === 'all' && fate.kind === 'coming' && one.class !== 'exam';
  return (
    <li
      className="schoolday-item"
      data-key={one.key}
      data-class={one.class}
      data-fate={fate.kind === 'ledger' ? fate.line.outcome : fate.kind}
    >
      <span className="kit-number">{one.second % 60 === 0 ? formats.shortTime(one.at) : formats.clock(one.at)}</span>
      <ClassIcon of={one.class} />
      <details>
        <summary className="schoolday-summary">
          <span className="schoolday-item-name">{name(one.name)}</span>
          <span className="kit-soft">{placeText(one, naming)}</span>
        </summary>
        <p className="schoolday-itemtext">{actionText(one, naming)}</p>
        <Why reasons={one.why} />
        {maySkip && (
          <Button size="small" className="schoolday-skip" data-act="skip" onClick={() => setSkipping(true)}>
            {say.skipThis}
          </Button>
        )}
      </details>
      <span className="schoolday-fate">
        <FateBadge fate={fate} />
      </span>
      {said !== null && <p className="schoolday-said">{said}</p>}
      <SkipDialog one={one} isOpen={isSkipping} today={today} onClose={() => setSkipping(false)} />
    </li>
  );
}
