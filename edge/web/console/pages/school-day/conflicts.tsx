import { SignIcon } from '../../kit/icons.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import type { ConflictView } from './data.ts';
import { shortDateText } from './dates.ts';
import { useNaming } from './naming.ts';
import { conflictText } from './reason-words.ts';
import { words } from './words.ts';

const mostDates = 5;

/** What cannot be meant; the same on several days is said once, with its days. */
export function ConflictList({
  conflicts,
  hasDates = false,
}: {
  readonly conflicts: readonly ConflictView[];
  readonly hasDates?: boolean;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const naming = useNaming();
  if (conflicts.length === 0) return null;
  const byText = Map.groupBy(conflicts, (one) => conflictText(one, naming));
  return (
    <section className="schoolday-conflicts" data-conflicts={conflicts.length} aria-label={say.conflicts}>
      <h3>
        <SignIcon sign="triangle" /> {say.conflictCount(String(byText.size))}
      </h3>
      <ul>
        {[...byText].map(([text, all]) => {
          const dates = [...new Set(all.map(({ date }) => date))];
          const list = dates
            .slice(0, mostDates)
            .map((date) => shortDateText(date, language))
            .join(language === 'zh' ? '、' : ', ');
          return (
            <li key={text} data-conflict={all[0]?.code}>
              {text}
              {hasDates && (
                <span className="kit-soft">
                  {' '}
                  {dates.length > mostDates ? say.andMoreDays(list, String(dates.length)) : list}
                </span>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
