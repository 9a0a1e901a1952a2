import { useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState } from 'react';
import { api, errorText } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useTicking } from '../../kit/ticker.ts';
import { useSession } from '../../session.tsx';
import { askAnew, type NowView, type OccurrenceView, useSchoolNow } from './data.ts';
import { useNaming } from './naming.ts';
import { clockText, spanText } from './reason-words.ts';
import { words } from './words.ts';

/* What must be known before anything else: the clock is not believed, a command of an examination waits, lines are not on disk. */

export function Notices() {
  const { data } = useSchoolNow();
  if (data === undefined) return null;
  return (
    <div className="schoolday-notices" aria-live="polite">
      {data.asked.length > 0 && <Asked asked={data.asked} />}
      {data.clock.paused !== null && <ClockPaused clock={data.clock} why={data.clock.paused} />}
      {data.unwritten > 0 && <Unwritten count={data.unwritten} />}
    </div>
  );
}

function Unwritten({ count }: { readonly count: number }) {
  const say = useWords(words);
  return (
    <div className="schoolday-loud" role="alert">
      <SignIcon sign="triangle" size={18} />
      <div>
        <strong>{say.unwritten}</strong>
        <p>{say.unwrittenHelp(String(count))}</p>
      </div>
    </div>
  );
}

/** Somebody vouched; of a box that says nothing of itself. */
export interface Vouched {
  readonly by: string;
  readonly time: number;
  readonly why: string;
}

export function vouchedOf(clock: NowView['clock']): Vouched | null {
  const { vouched } = clock;
  if (typeof vouched !== 'object' || vouched === null || !('by' in vouched) || !('time' in vouched)) return null;
  const why = 'why' in vouched ? String(vouched.why) : '';
  return { by: String(vouched.by), time: Number(vouched.time), why };
}

function ClockPaused({ clock, why }: { readonly clock: NowView['clock']; readonly why: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const naming = useNaming();
  const formats = useFormats();
  const vouched = vouchedOf(clock);
  const { rights, zones } = useSession();
  const mayVouch = rights.includes('system') && zones === 'all';
  const hasSource = clock.synchronised !== null;
  return (
    <div className="schoolday-loud" data-clock={why} role="alert">
      <SignIcon sign="clock" size={20} />
      <div>
        <strong>{say.clockPaused(clockText(why, language))}</strong>
        {hasSource ? (
          <p>{clock.synchronised === true ? say.clockSoon : say.clockNotSet(clock.source)}</p>
        ) : vouched === null ? (
          <p>{say.clockNoSource}</p>
        ) : (
          <p>{say.clockVouchedSteady(naming.who(vouched.by), formats.dateTime(vouched.time))}</p>
        )}
        {!hasSource && vouched === null && (mayVouch ? <Vouch believe /> : <p className="kit-soft">{say.vouchWho}</p>)}
      </div>
    </div>
  );
}

/** Says that the clock of this box is good, or takes that back. */
export function Vouch({ believe }: { readonly believe: boolean }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const time = useTicking((now) => (isAsking ? formats.dateTime(now) : ''));
  return (
    <>
      <Button
        {...(believe ? { type: 'primary' as const } : { size: 'small' as const })}
        data-act={believe ? 'vouch' : 'doubt'}
        onClick={() => setAsking(true)}
      >
        {believe ? say.vouch : say.doubt}
      </Button>
      <ReasonDialog
        open={isAsking}
        title={believe ? say.vouchTitle : say.doubtTitle}
        action={believe ? say.vouch : say.doubt}
        isDangerous={!believe}
        sayError={(error) => errorText(error, language)}
        onConfirm={async ({ reason }) => {
          await api.post('school/clock', { believe, why: reason });
          await askAnew(queries);
        }}
        onClose={() => setAsking(false)}
      >
        <p>{believe ? say.vouchHelp : say.doubtHelp}</p>
        {believe && (
          <p>
            {say.boxTime} <strong className="kit-number">{time}</strong>
          </p>
        )}
      </ReasonDialog>
    </>
  );
}

function Asked({ asked }: { readonly asked: readonly OccurrenceView[] }) {
  const say = useWords(words);
  return (
    <section className="schoolday-asked" role="alert" aria-label={say.askedTitle}>
      <h2>
        <SignIcon sign="octagon" size={18} /> {say.askedTitle}
      </h2>
      <p>{say.askedHelp}</p>
      <ul>
        {asked.map((one) => (
          <AskedItem key={one.key} one={one} />
        ))}
      </ul>
    </section>
  );
}

function AskedItem({ one }: { readonly one: OccurrenceView }) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const formats = useFormats();
  const queries = useQueryClient();
  const { rights, zones } = useSession();
  const mayAnswer = rights.includes('school') && zones === 'all';
  const [giving, setGiving] = useState<boolean | null>(null);
  const late = useTicking((now) => spanText(Math.max(0, Math.round((now - one.at) / 1_000)), language));
  return (
    <li data-asked={one.key}>
      <div className="schoolday-askedfacts">
        <strong className="schoolday-askedname">{name(one.name)}</strong>
        <span className="kit-number">{say.plannedAt(formats.clock(one.at))}</span>
        <span className="kit-number">{say.lateBy(late)}</span>
      </div>
      {mayAnswer && (
        <div className="kit-actions">
          <Button type="primary" danger data-act="give" onClick={() => setGiving(true)}>
            {say.give}
          </Button>
          <Button data-act="leave" onClick={() => setGiving(false)}>
            {say.leave}
          </Button>
        </div>
      )}
      <ReasonDialog
        open={giving !== null}
        title={giving === true ? say.giveTitle(name(one.name)) : say.leaveTitle(name(one.name))}
        action={giving === true ? say.give : say.leave}
        isDangerous={giving === true}
        sayError={(error) => errorText(error, language)}
        onConfirm={async ({ reason }) => {
          await api.post('school/answers', { key: one.key, give: giving === true, why: reason });
          await askAnew(queries);
        }}
        onClose={() => setGiving(null)}
      >
        <p>{giving === true ? say.giveHelp : say.leaveHelp}</p>
      </ReasonDialog>
    </li>
  );
}
