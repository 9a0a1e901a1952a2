import { Segmented } from 'antd';
import { useState } from 'react';
import { hashOf } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useTicking } from '../../kit/ticker.ts';
import { useSession } from '../../session.tsx';
import { ConflictList } from './conflicts.tsx';
import { Course } from './course.tsx';
import { type DayView, type LayerDay, todayEvery, useLedger, usePlan, useReleases, useSchoolNow } from './data.ts';
import { longDateText, secondOf } from './dates.ts';
import { DayFacts } from './day-facts.tsx';
import { happensIn, layerDay, useLayerChoices, useLayerZones } from './layers.ts';
import { useNaming } from './naming.ts';
import { Next } from './next.tsx';
import { Vouch, vouchedOf } from './notices.tsx';
import { OverridesPanel } from './overrides.tsx';
import { spanText } from './reason-words.ts';
import { slotAt } from './timeline.ts';
import { Unconfirmed } from './why.tsx';
import { words } from './words.ts';
import { ZonesPanel } from './zones.tsx';

/** Today as it is signed: what it is, what has been done, what comes next. */
export function Today({ today }: { readonly today: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const start = useTicking((now) => formats.startOfDay(now));
  const plan = usePlan('signed', today, today, todayEvery);
  const ledger = useLedger(start, start + 86_400_000);
  const zones = useLayerZones();
  const [wanted, setLayer] = useState('campus');
  const day = plan.data?.days[0];
  const choices = useLayerChoices(day);
  if (plan.isPending) return <PageSkeleton />;
  if (plan.isError)
    return (
      <ErrorState
        message={errorText(plan.error, language)}
        detail={errorDetail(plan.error)}
        onRetry={() => void plan.refetch()}
      />
    );
  const layer = choices.some(({ value }) => value === wanted) ? wanted : 'campus';
  const own = layerDay(day, layer);
  if (day === undefined || own === undefined)
    return (
      <div className="schoolday-today">
        <NothingSigned today={today} />
        <div className="schoolday-side">
          <OverridesPanel today={today} />
          <ClockLine />
        </div>
      </div>
    );
  const shown = day.occurrences.filter((one) => happensIn(one, layer, zones));
  return (
    <div className="schoolday-today">
      <div className="schoolday-head">
        <Headline day={day} own={own} today={today} />
        {choices.length > 1 && (
          <Segmented
            aria-label={say.layer}
            options={[...choices]}
            value={layer}
            onChange={(value) => setLayer(String(value))}
          />
        )}
      </div>
      <div className="schoolday-main">
        <Unconfirmed reasons={own.unconfirmed} />
        <ConflictList conflicts={day.conflicts} />
        <Course slots={own.slots} occurrences={shown} lines={ledger.data ?? []} today={today} />
      </div>
      <div className="schoolday-side">
        <Next occurrences={day.occurrences} lines={ledger.data ?? []} />
        <OverridesPanel today={today} />
        <ZonesPanel occurrences={day.occurrences} lines={ledger.data ?? []} />
        <ClockLine />
      </div>
    </div>
  );
}

function NothingSigned({ today }: { readonly today: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const { rights } = useSession();
  return (
    <section className="kit-panel schoolday-nothing" data-unsigned={today}>
      <h2 className="schoolday-date">{longDateText(today, language)}</h2>
      <EmptyState
        title={say.nothingSigned}
        action={
          rights.includes('sign') ? (
            <a className="kit-button" href={hashOf('/school-day/sign')}>
              {say.lookAndSign}
            </a>
          ) : undefined
        }
      >
        {say.nothingSignedHelp}
      </EmptyState>
    </section>
  );
}

function Headline({ day, own, today }: { readonly day: DayView; readonly own: LayerDay; readonly today: string }) {
  const language = useLanguage();
  return (
    <section className="kit-panel schoolday-headline" data-kind={own.kind}>
      <div>
        <h2 className="schoolday-date">{longDateText(today, language)}</h2>
        <DayFacts own={own} />
        <Signature release={day.release} />
      </div>
      <NowSlot own={own} />
    </section>
  );
}

/** Which slot it is, and how much of it is left; ticks by itself. */
function NowSlot({ own }: { readonly own: LayerDay }) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const formats = useFormats();
  const clock = useTicking((now) => formats.clock(now));
  const current = useTicking((now) => slotAt(own.slots, secondOf(now, formats))?.id ?? '');
  const slot = own.slots.find(({ id }) => id === current);
  const left = useTicking((now) => {
    if (slot === undefined) return '';
    const seconds = slot.to - secondOf(now, formats);
    return seconds >= 60 ? spanText(Math.ceil(seconds / 60) * 60, language) : spanText(Math.max(0, seconds), language);
  });
  const part = useTicking((now) =>
    slot === undefined || slot.to <= slot.from
      ? 0
      : Math.round(((secondOf(now, formats) - slot.from) / (slot.to - slot.from)) * 100),
  );
  return (
    <div className="schoolday-now">
      <span className="schoolday-clock kit-number">{clock}</span>
      <strong>{slot === undefined ? say.noSlotNow : name(slot.name)}</strong>
      {slot !== undefined && (
        <>
          <span className="kit-soft">{say.left(left)}</span>
          <progress max={100} value={part} aria-label={say.progress(name(slot.name))} />
        </>
      )}
    </div>
  );
}

function Signature({ release }: { readonly release: string | null }) {
  const say = useWords(words);
  const naming = useNaming();
  const formats = useFormats();
  const { data } = useReleases();
  const found = data?.find(({ id }) => id === release);
  if (found === undefined) return null;
  return (
    <p className="schoolday-signature">
      <ToneBadge tone="good">{say.signed}</ToneBadge>{' '}
      <span className="kit-soft">{say.signedBy(naming.who(found.by), formats.dateTime(found.time))}</span>
    </p>
  );
}

/** How far the clock is believed, and by whose word. */
function ClockLine() {
  const say = useWords(words);
  const naming = useNaming();
  const formats = useFormats();
  const { data } = useSchoolNow();
  const { rights, zones } = useSession();
  if (data === undefined || data.clock.paused !== null) return null;
  const vouched = vouchedOf(data.clock);
  const isVouched = data.clock.synchronised === null && vouched !== null;
  return (
    <p className="schoolday-clockline kit-soft" data-clock="good">
      <span>
        {isVouched
          ? say.clockVouched(naming.who(vouched.by), formats.dateTime(vouched.time))
          : say.clockGood(data.clock.source)}
      </span>
      {isVouched && rights.includes('system') && zones === 'all' && <Vouch believe={false} />}
    </p>
  );
}
