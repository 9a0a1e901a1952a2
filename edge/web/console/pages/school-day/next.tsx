import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { now as timeNow, useTicking } from '../../kit/ticker.ts';
import { ClassIcon } from './class-icon.tsx';
import { type LedgerLineView, type OccurrenceView, useSchoolNow } from './data.ts';
import { useNaming } from './naming.ts';
import { lastsOf, placeText } from './occurrence-text.ts';
import { spanText } from './reason-words.ts';
import { words } from './words.ts';

const shown = 4;

interface NextProps {
  readonly occurrences: readonly OccurrenceView[];
  readonly lines: readonly LedgerLineView[];
}

/** What goes on and what comes next. */
export function Next({ occurrences, lines }: NextProps) {
  const say = useWords(words);
  const { data } = useSchoolNow();
  const outcomes = new Map(lines.map(({ key, outcome }) => [key, outcome]));
  // Asked anew as time goes on.
  useTicking((now) => Math.floor(now / 5_000));
  const now = timeNow();
  const going = occurrences.filter((one) => {
    const outcome = outcomes.get(one.key);
    const isBegun = outcome === 'begun' || outcome === 'done' || outcome === 'late';
    return isBegun && now < one.at + Math.max(5_000, lastsOf(one));
  });
  // What `now` says reaches into tomorrow; what is silenced does not come.
  const coming = (data?.next ?? []).filter(({ at, silenced }) => at > now && silenced === null).slice(0, shown);
  return (
    <Panel title={say.nextTitle}>
      <div className="schoolday-next">
        {going.length > 0 && (
          <ul aria-label={say.goingOn}>
            {going.map((one) => (
              <NextItem key={one.key} one={one} isGoing />
            ))}
          </ul>
        )}
        {coming.length === 0 ? (
          <p className="kit-soft">{say.nothingNext}</p>
        ) : (
          <ul aria-label={say.nextTitle}>
            {coming.map((one) => (
              <NextItem key={one.key} one={one} />
            ))}
          </ul>
        )}
      </div>
    </Panel>
  );
}

function NextItem({ one, isGoing = false }: { readonly one: OccurrenceView; readonly isGoing?: boolean }) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const naming = useNaming();
  const formats = useFormats();
  const when = useTicking((now) => {
    if (isGoing) return say.goesUntil(formats.shortTime(one.at + lastsOf(one)));
    const seconds = Math.max(0, Math.round((one.at - now) / 1_000));
    if (seconds > 3_600) return formats.startOfDay(one.at) > formats.startOfDay(now) ? say.tomorrow : say.laterToday;
    return say.inTime(seconds >= 120 ? spanText(Math.ceil(seconds / 60) * 60, language) : spanText(seconds, language));
  });
  return (
    <li className="schoolday-nextitem" data-next={one.key} data-going={isGoing || undefined}>
      <ClassIcon of={one.class} />
      <span>
        <strong>{name(one.name)}</strong>
        <span className="kit-soft">{placeText(one, naming)}</span>
      </span>
      <span className="schoolday-when">
        <strong className="kit-number">{formats.shortTime(one.at)}</strong>
        <span className="kit-soft kit-number">{when}</span>
      </span>
    </li>
  );
}
