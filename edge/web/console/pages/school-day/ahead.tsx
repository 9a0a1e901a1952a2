import { Button } from 'antd';
import { hashOf } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useSession } from '../../session.tsx';
import { type ComparedDay, type DayView, type ReleaseView, useCompared, usePlan, useReleases } from './data.ts';
import { addDays, shortDateText, weekdayOf } from './dates.ts';
import { DayKindBadge } from './day-facts.tsx';
import { layerDay } from './layers.ts';
import { useNaming } from './naming.ts';
import { parityText, weekdayText } from './reason-words.ts';
import { Unconfirmed } from './why.tsx';
import { words } from './words.ts';

const days = 14;

/** The next two weeks at a glance: what each day is, and whether it is signed. */
export function Ahead({ today }: { readonly today: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const last = addDays(today, days - 1);
  const signed = usePlan('signed', today, last);
  const draft = usePlan('draft', today, last);
  const compared = useCompared('signed', 'draft', today, last);
  const releases = useReleases();
  const { rights, zones } = useSession();
  const failed = [signed, draft, compared, releases].find(({ isError }) => isError);
  if (failed !== undefined)
    return (
      <ErrorState
        message={errorText(failed.error, language)}
        detail={errorDetail(failed.error)}
        onRetry={() => void failed.refetch()}
      />
    );
  if (!(signed.data && draft.data && compared.data && releases.data)) return <PageSkeleton />;
  const drafts = new Map(draft.data.days.map((day) => [day.date, day]));
  const changes = new Map(compared.data.map((day) => [day.date, day]));
  const unsigned = signed.data.days.filter(({ release }) => release === null).length;
  const differs = signed.data.days.filter(({ release, date }) => release !== null && changes.has(date)).length;
  const assumed = [...signed.data.days, ...draft.data.days]
    .flatMap((day) => day.layers)
    .flatMap((one) => one.unconfirmed);
  return (
    <section className="schoolday-ahead">
      <div className="schoolday-aheadhead">
        <p>{unsigned === 0 && differs === 0 ? say.allSigned : say.aheadSum(String(unsigned), String(differs))}</p>
        {rights.includes('sign') && zones === 'all' && (
          <Button type="primary" data-act="sign" href={hashOf('/school-day/sign')}>
            {say.lookAndSign}
          </Button>
        )}
      </div>
      <Unconfirmed reasons={assumed} />
      <ol className="schoolday-days">
        {signed.data.days.map((day) => (
          <DayCard
            key={day.date}
            day={day}
            draft={drafts.get(day.date)}
            change={changes.get(day.date)}
            release={releases.data.find(({ id }) => id === day.release)}
            isToday={day.date === today}
          />
        ))}
      </ol>
    </section>
  );
}

interface CardProps {
  readonly day: DayView;
  readonly draft: DayView | undefined;
  readonly change: ComparedDay | undefined;
  readonly release: ReleaseView | undefined;
  readonly isToday: boolean;
}

function DayCard({ day, draft, change, release, isToday }: CardProps) {
  const say = useWords(words);
  const language = useLanguage();
  const naming = useNaming();
  const formats = useFormats();
  const isSigned = day.release !== null;
  // What nobody signed is shown as the draft has it, and marked so.
  const shown = isSigned ? day : (draft ?? day);
  const own = layerDay(shown, 'campus');
  const happening = shown.occurrences.filter(({ silenced }) => silenced === null);
  const bells = happening.filter(({ do: action, class: of }) => action.kind === 'sound' || of === 'exam').length;
  const switches = happening.length - bells;
  const conflicts = shown.conflicts.filter(({ code }) => code !== 'nothing-signed').length;
  const unconfirmed = shown.layers.some((one) => one.unconfirmed.length > 0);
  const state = !isSigned ? 'unsigned' : change === undefined ? 'signed' : 'differs';
  return (
    <li className="schoolday-day" data-day={day.date} data-signature={state} data-today={isToday || undefined}>
      <a href={hashOf('/school-day', { tab: 'simulator', date: day.date, of: isSigned ? 'signed' : 'draft' })}>
        <span className="schoolday-dayhead">
          <strong>{shortDateText(day.date, language)}</strong>
          <span>{isToday ? say.todayShort : weekdayText(weekdayOf(day.date), language)}</span>
        </span>
        {own !== undefined && (
          <>
            <DayKindBadge own={own} />
            <span className="kit-soft">
              {[
                own.week === null ? '' : say.weekShort(String(own.week.number), parityText(own.week.parity, language)),
                own.lessonsOf !== null && own.lessonsOf !== own.weekday
                  ? say.lessonsOf(weekdayText(own.lessonsOf, language))
                  : '',
              ]
                .filter((part) => part !== '')
                .join(' · ')}
            </span>
          </>
        )}
        <span className="schoolday-counts kit-number">
          {happening.length === 0 ? (
            say.nothingShort
          ) : (
            <>
              <span>{say.soundCount(String(bells))}</span> <span>{say.switchCount(String(switches))}</span>
            </>
          )}
        </span>
        <span className="schoolday-daymarks">
          {conflicts > 0 && (
            <span className="schoolday-bad">
              <SignIcon sign="triangle" size={13} /> {say.conflictCount(String(conflicts))}
            </span>
          )}
          {unconfirmed && (
            <span className="schoolday-bad" data-unconfirmed="1">
              <SignIcon sign="triangle" size={13} /> {say.unconfirmedShort}
            </span>
          )}
        </span>
        <span className="schoolday-state">
          <ToneBadge tone={state === 'signed' ? 'good' : state === 'differs' ? 'wait' : 'bad'}>
            {state === 'signed' ? say.signed : state === 'differs' ? say.draftDiffers : say.unsigned}
          </ToneBadge>
          {release !== undefined && (
            <span className="kit-soft">{say.signedShort(naming.who(release.by), formats.shortDate(release.time))}</span>
          )}
        </span>
      </a>
    </li>
  );
}
