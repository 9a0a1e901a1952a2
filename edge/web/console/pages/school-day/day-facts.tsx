import { ToneBadge } from '../../kit/badges.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import type { LayerDay } from './data.ts';
import { useNaming } from './naming.ts';
import { dayKindText, parityText, weekdayText } from './reason-words.ts';
import { WhyFold } from './why.tsx';
import { words } from './words.ts';

/** What a date is: its kind, week, whose lessons, which timetable; and why. */
export function DayFacts({ own }: { readonly own: LayerDay }) {
  const say = useWords(words);
  const language = useLanguage();
  const naming = useNaming();
  const facts = [
    own.week === null
      ? say.noTerm
      : say.weekOf(naming.entry(own.week.term), String(own.week.number), parityText(own.week.parity, language)),
    own.lessonsOf === null ? say.noLessons : say.lessonsOf(weekdayText(own.lessonsOf, language)),
    ...(own.timetable === null ? [] : [naming.entry(own.timetable)]),
  ];
  return (
    <div className="schoolday-facts">
      <DayKindBadge own={own} />
      <span>{facts.join(' · ')}</span>
      <WhyFold reasons={own.why} label={say.whySuch} />
    </div>
  );
}

export function DayKindBadge({ own }: { readonly own: Pick<LayerDay, 'kind' | 'unconfirmed'> }) {
  const language = useLanguage();
  const tone = own.kind === 'school' ? 'good' : own.kind === 'make-up' || own.kind === 'exam' ? 'wait' : 'plain';
  return <ToneBadge tone={tone}>{dayKindText(own.kind, language)}</ToneBadge>;
}
