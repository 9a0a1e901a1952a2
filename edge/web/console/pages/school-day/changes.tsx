import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { ClassIcon } from './class-icon.tsx';
import type { ComparedDay, LayerDay, OccurrenceChangeView } from './data.ts';
import { longDateText } from './dates.ts';
import { useNaming } from './naming.ts';
import { actionText, placeText, zonesText } from './occurrence-text.ts';
import { dayKindText, itemClassText, reasonText, secondText, weekdayText } from './reason-words.ts';
import { words } from './words.ts';

const mostShown = 120;

/** What differs between two plans, day by day: the day itself first, then what happens. */
export function Changes({
  days,
  isOpen = false,
}: {
  readonly days: readonly ComparedDay[];
  readonly isOpen?: boolean;
}) {
  const say = useWords(words);
  const language = useLanguage();
  if (days.length === 0) return <p className="schoolday-same">{say.noChanges}</p>;
  return (
    <ol className="schoolday-changes">
      {days.map((day) => {
        const count = (...kinds: readonly string[]) =>
          day.occurrences.filter(({ kind }) => kinds.includes(kind)).length;
        return (
          <li key={day.date} data-changed={day.date}>
            <details open={isOpen || days.length === 1}>
              <summary className="schoolday-summary">
                <strong>{longDateText(day.date, language)}</strong>{' '}
                <span className="kit-soft">
                  {[
                    day.days.length > 0 ? say.dayItself : '',
                    count('added') > 0 ? say.addedCount(String(count('added'))) : '',
                    count('gone') > 0 ? say.goneCount(String(count('gone'))) : '',
                    count('moved', 'changed') > 0 ? say.movedCount(String(count('moved', 'changed'))) : '',
                  ]
                    .filter((part) => part !== '')
                    .join(' · ')}
                </span>
              </summary>
              <DayChanges day={day} />
            </details>
          </li>
        );
      })}
    </ol>
  );
}

function DayChanges({ day }: { readonly day: ComparedDay }) {
  const say = useWords(words);
  const naming = useNaming();
  return (
    <ul>
      {day.days.map(({ layer, before, after }) => (
        <li key={layer} className="schoolday-change" data-change="day">
          <span className="schoolday-sign">{say.signChanged}</span>
          <span>
            <strong>{naming.layer(layer)}</strong> <DayText day={before} /> → <DayText day={after} />
          </span>
        </li>
      ))}
      {day.occurrences.slice(0, mostShown).map((change) => (
        <Change key={`${change.kind} ${sideOf(change).key}`} change={change} />
      ))}
      {day.occurrences.length > mostShown && (
        <li className="kit-soft">{say.moreChanges(String(day.occurrences.length - mostShown))}</li>
      )}
    </ul>
  );
}

/** What of a day people see: its kind, whose lessons, which timetable from when to when. */
function DayText({ day }: { readonly day: LayerDay }) {
  const say = useWords(words);
  const language = useLanguage();
  const naming = useNaming();
  const first = day.slots[0];
  const last = day.slots.at(-1);
  const parts = [
    dayKindText(day.kind, language),
    ...(day.lessonsOf === null ? [] : [say.lessonsOf(weekdayText(day.lessonsOf, language))]),
    ...(day.timetable === null ? [] : [naming.entry(day.timetable)]),
    ...(first === undefined || last === undefined ? [] : [`${secondText(first.from)}–${secondText(last.to)}`]),
  ];
  return <span>{parts.join(' · ')}</span>;
}

function sideOf(change: OccurrenceChangeView) {
  return change.kind === 'gone' ? change.before : change.after;
}

function Change({ change }: { readonly change: OccurrenceChangeView }) {
  const say = useWords(words);
  const name = useName();
  const naming = useNaming();
  const formats = useFormats();
  const language = useLanguage();
  const one = sideOf(change);
  const signs = { added: say.signAdded, gone: say.signGone, moved: say.signMoved, changed: say.signChanged };
  return (
    <li className="schoolday-change" data-change={change.kind}>
      <span className="schoolday-sign">{signs[change.kind]}</span>
      <span className="kit-number">
        {change.kind === 'moved' && (
          <>
            <del>{formats.shortTime(change.before.at)}</del>{' '}
          </>
        )}
        {formats.shortTime(one.at)}
      </span>
      <ClassIcon of={one.class} size={16} />
      <span>
        <strong {...(change.kind === 'gone' ? { className: 'schoolday-gonename' } : {})}>{name(one.name)}</strong>{' '}
        <span className="kit-soft">{placeText(one, naming)}</span>
        {change.kind === 'changed' && (
          <ul className="schoolday-parts">
            {change.parts.map((part) => (
              <li key={part}>{partText(part, change.before, change.after)}</li>
            ))}
          </ul>
        )}
      </span>
    </li>
  );

  function partText(part: string, before: typeof one, after: typeof one): string {
    const texts = (of: (side: typeof one) => string) => say.fromTo(of(before) || say.none, of(after) || say.none);
    switch (part) {
      case 'at':
        return texts((side) => formats.clock(side.at));
      case 'zones':
        return texts((side) => zonesText(side.zones, naming));
      case 'do':
        return texts((side) => actionText(side, naming));
      case 'class':
        return texts((side) => itemClassText(side.class, language));
      default:
        return texts((side) => (side.silenced === null ? say.willBeDone : reasonText(side.silenced, naming)));
    }
  }
}
