import { lazy, Suspense, useEffect } from 'react';
import { useLocation } from 'wouter';
import { needsAction } from './alarm-groups.ts';
import { AlarmVoice } from './alarm-voice.tsx';
import type { CampusView } from './api.ts';
import { ageText } from './kit/formats.ts';
import { Frame, type NavGroup } from './kit/frame.tsx';
import { SignIcon } from './kit/icons.tsx';
import { useLanguage, useWords } from './kit/language.tsx';
import { useShortcut } from './kit/shortcuts.tsx';
import { EmptyState, ErrorBoundary, PageSkeleton } from './kit/states.tsx';
import { useTicking } from './kit/ticker.ts';
import { pageIcons } from './page-icons.tsx';
import { type PageEntry, pageAt, pages } from './pages.ts';
import { useRight, useSession } from './session.tsx';
import { TopBar } from './top-bar.tsx';
import { LiveProvider, useCampus, useLink, useOpenAlarms } from './use-live.tsx';
import { frameWords } from './words.ts';

/* The campus of whoever is signed in: frame, navigation by rights, the page that is open. */

export function Shell({ onCampus }: { readonly onCampus: (campus: CampusView) => void }) {
  return (
    <LiveProvider>
      <Campus onCampus={onCampus} />
    </LiveProvider>
  );
}

const groupTitles = {
  watch: 'groupWatch',
  school: 'groupSchool',
  sound: 'groupSound',
  things: 'groupThings',
  automation: 'groupAutomation',
  box: 'groupBox',
} as const;

function Campus({ onCampus }: { readonly onCampus: (campus: CampusView) => void }) {
  const campus = useCampus();
  const words = useWords(frameWords);
  const [location] = useLocation();
  const { rights } = useSession();
  const alarms = useAlarmCount();
  useEffect(() => {
    if (campus !== undefined) onCampus(campus);
  }, [campus, onCampus]);

  const mine = pages.filter(({ right }) => right === null || rights.includes(right));
  const open = pageAt(mine, location);
  const itemOf = (entry: PageEntry) => ({
    href: `#${entry.path}`,
    label: words[entry.title] as string,
    icon: pageIcons[entry.name],
    isCurrent: entry === open,
    ...(entry.name === 'alarms' ? { count: alarms } : {}),
  });
  // The flows of a campus may be off.
  const isHere = ({ name }: PageEntry) => name !== 'flows' || campus?.flowsEditor === true;
  const groups: NavGroup[] = (['watch', 'school', 'sound', 'automation', 'things', 'box'] as const).map((group) => ({
    label: words[groupTitles[group]],
    items: mine.filter((entry) => entry.group === group && isHere(entry)).map(itemOf),
  }));

  return (
    <Frame
      brand={null}
      bar={<TopBar campus={campus} />}
      groups={groups.filter(({ items }) => items.length > 0)}
      firstOnPhone={['#/', '#/alarms', '#/map', '#/devices']}
      banner={
        <>
          <LinkBanner />
          <Panic />
          <Emergencies />
        </>
      }
    >
      <AlarmVoice />
      {mine.map((entry) => (
        <PageShortcut key={entry.name} entry={entry} />
      ))}
      {open === undefined ? (
        <EmptyState title={words.notFound} action={<a href="#/">{words.notFoundAction}</a>} />
      ) : (
        <ErrorBoundary name={open.name}>
          <Suspense fallback={<PageSkeleton />}>
            <open.Page />
          </Suspense>
        </ErrorBoundary>
      )}
    </Frame>
  );
}

function useAlarmCount(): number {
  return useOpenAlarms().filter((alarm) => needsAction(alarm) && alarm.state !== 'acknowledged').length;
}

function PageShortcut({ entry }: { readonly entry: PageEntry }) {
  const words = useWords(frameWords);
  const [, navigate] = useLocation();
  useShortcut(`g ${entry.key}`, words.goTo(words[entry.title] as string), () => navigate(entry.path));
  return null;
}

const PanicBanner = lazy(async () => ({ default: (await import('./panic/banner.tsx')).PanicBanner }));

/** The one-key alarm stands over every page until somebody ends it. */
function Panic() {
  const pressed = useOpenAlarms().filter(({ source, active }) => active && /^interlock:panic\.[^.]+$/.test(source));
  return (
    pressed.length > 0 && (
      <Suspense>
        <PanicBanner alarms={pressed} />
      </Suspense>
    )
  );
}

const EmergencyBanner = lazy(async () => ({ default: (await import('./emergency/banner.tsx')).EmergencyBanner }));

/** So does an emergency, and its exercise. */
function Emergencies() {
  return (
    useRight('see') && (
      <Suspense>
        <EmergencyBanner />
      </Suspense>
    )
  );
}

/** Says that what is on the screen is old, how old, and what happens next. */
function LinkBanner() {
  const { state, lastWell } = useLink();
  const words = useWords(frameWords);
  const language = useLanguage();
  const age = useTicking((now) => ageText(now - lastWell, language));
  if (state === 'live' || state === 'connecting') return null;
  return (
    <div className="kit-banner" data-link={state}>
      <SignIcon sign="triangle" size={16} />
      {state === 'lost' ? words.lost(age) : words.coreAway(age)}
    </div>
  );
}
