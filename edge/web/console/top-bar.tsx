import { type ButtonHTMLAttributes, lazy, type Ref, Suspense, useCallback, useState } from 'react';
import { roleNames } from '#edge/domain/access.ts';
import type { CampusView } from './api.ts';
import { useIllDevices } from './device-status.ts';
import { type Tone, ToneBadge, toneOfState } from './kit/badges.tsx';
import { useFormats, useLanguage, useName, useWords } from './kit/language.tsx';
import { SoundSwitch } from './kit/sound-switch.tsx';
import { LanguageSwitch, ThemeSwitch } from './kit/switches.tsx';
import { useTicking } from './kit/ticker.ts';
import { Mark } from './mark.tsx';
import { pageIcons } from './page-icons.tsx';
import { useSession } from './session.tsx';
import { useProcesses } from './use-live.tsx';
import { useNow } from './use-now.ts';
import { frameWords } from './words.ts';

/** What is always in sight: campus, time, day, box, city, and who is there. */
export function TopBar({ campus }: { readonly campus: CampusView | undefined }) {
  const name = useName();
  return (
    <>
      <a href="#/" className="bar-campus">
        <Mark size={26} />
        <strong>{name(campus?.name)}</strong>
      </a>
      <Clock />
      <DayAndMode />
      <span className="bar-space" />
      <span className="bar-health">
        <BoxHealth />
        <Bridge />
      </span>
      <SoundSwitch />
      <span className="bar-switches">
        <LanguageSwitch />
        <ThemeSwitch />
      </span>
      <UserMenu />
    </>
  );
}

function Clock() {
  const words = useWords(frameWords);
  const formats = useFormats();
  const synchronised = useNow()?.clockSynchronised;
  const clock = useTicking((now) => formats.clock(now));
  const date = useTicking((now) => formats.fullDate(now));
  const said =
    synchronised === true ? words.clockSynced : synchronised === false ? words.clockNotSynced : words.clockUnknown;
  return (
    <span className="bar-clock">
      <span className="bar-date">{date}</span>
      <strong className="kit-number" data-clock>
        {clock}
      </strong>
      {synchronised !== undefined && (
        <span className={`bar-sync bar-sync-${synchronised}`} title={said}>
          <ToneBadge tone={synchronised === true ? 'good' : synchronised === false ? 'bad' : 'plain'}>{said}</ToneBadge>
        </span>
      )}
    </span>
  );
}

const whyWords = { weekday: 'whyWeekday', weekend: 'whyWeekend', exception: 'whyException' } as const;

function DayAndMode() {
  const words = useWords(frameWords);
  const view = useNow();
  if (view === undefined) return null;
  return (
    <span className="bar-day">
      <span>
        {words[whyWords[view.day.why]]} · {view.day.open ? words.dayOpen : words.dayClosed}
      </span>
      <span className="bar-mode">{words.modeNormal}</span>
    </span>
  );
}

/** Processes that do not run and devices that are not well, in one number. */
function BoxHealth() {
  const words = useWords(frameWords);
  const processes = useProcesses().filter(({ state }) => toneOfState(state) !== 'good').length;
  const ill = processes + useIllDevices().length;
  return <ToneBadge tone={ill === 0 ? 'good' : 'bad'}>{ill === 0 ? words.boxWell : words.boxIll(ill)}</ToneBadge>;
}

/** Rows that the city takes a minute for are nothing to speak of, ms. */
const normalLag = 120_000;

function Bridge() {
  const words = useWords(frameWords);
  const formats = useFormats();
  const bridge = useNow()?.bridge;
  if (bridge === undefined || bridge === null) return null;
  const lag = bridge.oldest ?? 0;
  if (bridge.backlog === 0 || lag < normalLag) return <ToneBadge tone="good">{words.bridgeWell}</ToneBadge>;
  const tone: Tone = lag > 3_600_000 ? 'bad' : 'wait';
  return <ToneBadge tone={tone}>{words.bridgeBehind(formats.number(bridge.backlog), formats.duration(lag))}</ToneBadge>;
}

const UserMenuItems = lazy(() => import('./user-menu.tsx'));

/** The menu itself is fetched by the first press: the first sight of the console does not wait for it. */
function UserMenu() {
  const [isAsked, ask] = useState(false);
  const open = useCallback(() => ask(true), []);
  if (!isAsked) return <UserButton onClick={open} />;
  return (
    <Suspense fallback={<UserButton />}>
      <UserMenuItems Trigger={UserButton} />
    </Suspense>
  );
}

function UserButton(props: ButtonHTMLAttributes<HTMLButtonElement> & { readonly ref?: Ref<HTMLButtonElement> }) {
  const words = useWords(frameWords);
  const language = useLanguage();
  const { name, role } = useSession();
  return (
    <button {...props} type="button" className="kit-plain-button bar-user" aria-haspopup="menu">
      {pageIcons.account}
      <span className="kit-unseen">{words.userMenu}</span>
      <span className="bar-user-name">
        {name}
        <small>{roleNames[role][language]}</small>
      </span>
    </button>
  );
}
