import { useQueryClient } from '@tanstack/react-query';
import { type CSSProperties, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { hashOf } from '../../address.ts';
import { errorText } from '../../api.ts';
import { useAnnounce } from '../../kit/announce.tsx';
import { PageHeader } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { now } from '../../kit/ticker.ts';
import { useRight } from '../../session.tsx';
import type { CameraView } from '../../use-cameras.ts';
import { toggleFullScreen } from '../live/full-screen.ts';
import { type View, viewParts } from './address.ts';
import { CameraSelect } from './choose.tsx';
import { useTimeline } from './data.ts';
import { ExportsPanel } from './exports-panel.tsx';
import { markBeside } from './marks.ts';
import { useProblemText } from './problems.ts';
import { followed, type Scale, spanned } from './scale.ts';
import { SelectionBar } from './selection-bar.tsx';
import { FootageSession, latestOf } from './session.ts';
import { SideList } from './side-list.tsx';
import { useFootageTexts } from './texts.ts';
import { Tile } from './tile.tsx';
import { type Selection, Timeline } from './timeline.tsx';
import { Transport } from './transport.tsx';
import { useExports } from './use-exports.ts';
import { WhenBar } from './when-bar.tsx';
import { words } from './words.ts';
import { ZoomBar } from './zoom-bar.tsx';

export interface RoomProps {
  /** All that may be played back. */
  readonly all: readonly CameraView[];
  /** Those that are. */
  readonly cameras: readonly CameraView[];
  /** Asked for, and not there. */
  readonly missing: readonly string[];
  readonly view: View;
  readonly onAddress: (parts: Readonly<Record<string, string>>, how: 'push' | 'replace') => void;
}

/** The end of what is recorded grows: so much before it is where one begins, ms. */
const beforeEnd = 12_000;
/** The address follows what is seen, but not each moment of it, ms. */
const addressEvery = 700;
const jumpShown = 5_000;

/** The pictures, the buttons that play them, the timeline, and what happened. */
export function Room({ all, cameras, missing, view, onAddress }: RoomProps) {
  const say = useWords(words);
  const formats = useFormats();
  const isPhone = useMedia(phoneQuery);
  const mayWatch = useRight('live');
  const [session] = useState(() => new FootageSession(view.at ?? now() - beforeEnd));
  useEffect(() => () => session[Symbol.dispose](), [session]);
  const seen = useSyncExternalStore(session.subscribe, () => session.view);
  const [scale, setScale] = useState<Scale>(() => ({
    from: (view.at ?? now() - view.span * 0.4) - view.span / 2,
    span: view.span,
    width: 0,
  }));
  const [selection, setSelection] = useState<Selection>({ from: null, to: null });
  const ids = useMemo(() => cameras.map(({ id }) => id), [cameras.map(({ id }) => id).join(' ')]);
  const data = useTimeline(ids, scale.from, scale.from + scale.span);
  const exports = useExports();
  const queries = useQueryClient();
  const announce = useAnnounce();
  const stage = useRef<HTMLDivElement>(null);
  const look = useCallback((time: number) => {
    setScale((before) => {
      const isSeen = time >= before.from && time < before.from + before.span;
      return isSeen ? before : { ...before, from: time - before.span / 2 };
    });
  }, []);
  const go = useCallback(
    (time: number) => {
      session.seek(Math.min(time, now()));
      look(time);
    },
    [session, look],
  );
  const onSpan = useCallback((span: number, time: number) => {
    setScale((before) => (before.span === span ? before : spanned(before, span, time)));
  }, []);
  const latest = useLatest(session, ids, go);
  useAddressOfView({ view, session, seen, span: scale.span, onAddress, go, latest, onSpan });
  useFollow(session, seen.isPlaying && !seen.isScrubbing, setScale);
  const goMark = (by: 1 | -1) => {
    const mark = markBeside(data.marks, session.time, by);
    if (mark === null) announce(say.noMark);
    else go(mark.time);
  };
  const choose = (chosen: readonly string[]) =>
    onAddress(viewParts({ ...view, cameras: chosen, at: session.time, isStill: !seen.isPlaying }), 'push');
  const columns = cameras.length === 1 || isPhone ? 1 : 2;
  const rows = Math.ceil(cameras.length / columns);
  return (
    <div className="footage" data-playing={seen.isPlaying} data-held={seen.isHeld} data-ended={seen.isEnded}>
      <PageHeader
        title={say.title}
        actions={
          <>
            <WhenBar second={seen.second} onGo={go} onLatest={() => void latest()} />
            <CameraSelect cameras={all} chosen={ids} onChange={choose} />
            {mayWatch && ids[0] !== undefined && (
              <a className="kit-button" href={ids.length === 1 ? hashOf(`/live/${ids[0]}`) : hashOf('/live')}>
                {say.live}
              </a>
            )}
          </>
        }
      />
      {missing.length > 0 && <p className="kit-banner">{say.missing(missing.join('、'))}</p>}
      <div className="footage-split">
        <div className="footage-main">
          <div
            ref={stage}
            className="footage-stage"
            style={{ '--footage-columns': columns, '--footage-rows': rows } as CSSProperties}
          >
            {cameras.map((camera) => (
              <Tile
                key={camera.id}
                session={session}
                camera={camera}
                data={data}
                view={seen.lanes.get(camera.id)}
                second={seen.second}
              />
            ))}
            <Said session={session} />
          </div>
          <div className="footage-desk kit-panel">
            <Transport
              session={session}
              view={seen}
              onMark={goMark}
              onFullScreen={() => toggleFullScreen(stage.current)}
            />
            <Timeline
              session={session}
              cameras={cameras}
              data={data}
              scale={scale}
              selection={selection}
              second={seen.second}
              onScale={setScale}
              onWidth={(width) => setScale((before) => (before.width === width ? before : { ...before, width }))}
              onScrub={(time) => session.scrub(Math.min(time, now()))}
              onGo={go}
              onMark={goMark}
            />
            <div className="footage-under">
              <Legend />
              <ZoomBar
                scale={scale}
                timeOf={() => session.time}
                onSpan={(span) => setScale((before) => spanned(before, span, session.time))}
                onScale={setScale}
              />
            </div>
            <TimelineProblem error={data.error} />
            <SelectionBar
              cameras={cameras}
              selection={selection}
              timeOf={() => session.time}
              onChange={setSelection}
              onExport={exports.start}
              onSaved={() => void queries.invalidateQueries({ queryKey: ['footage', 'clips'] })}
            />
          </div>
          <ExportsPanel exports={exports} />
        </div>
        <SideList
          marks={data.marks}
          cameras={ids}
          scale={scale}
          isCut={data.isCut}
          onGo={(time) => {
            go(time);
            if (isPhone) stage.current?.scrollIntoView({ block: 'start' });
          }}
        />
      </div>
      <p className="kit-soft footage-foot">
        {say.about}
        {formats.timeZone !== undefined && ` ${say.zone(formats.timeZone)}`}
      </p>
    </div>
  );
}

/** Goes to the end of what is recorded. */
function useLatest(session: FootageSession, ids: readonly string[], go: (time: number) => void) {
  return useCallback(async () => {
    const before = session.time;
    try {
      const end = await latestOf(ids);
      // Somebody may have gone elsewhere meanwhile.
      if (Math.abs(session.time - before) < 30_000) go((end ?? now()) - beforeEnd);
    } catch {
      go(now() - beforeEnd); // why nothing can be read is said on the picture
    }
  }, [session, ids, go]);
}

/** While it plays the address follows every so many ms: whoever loads the page again goes on there. */
const playingEvery = 5_000;

/** What is seen is in the address, and what comes by the address is seen. */
function useAddressOfView({
  view,
  session,
  seen,
  span,
  onAddress,
  go,
  latest,
  onSpan,
}: {
  readonly view: View;
  readonly session: FootageSession;
  readonly seen: FootageSession['view'];
  readonly span: number;
  readonly onAddress: RoomProps['onAddress'];
  readonly go: (time: number) => void;
  readonly latest: () => Promise<void>;
  readonly onSpan: (span: number, time: number) => void;
}): void {
  const written = useRef('');
  const isSettled = useRef(false);
  const key = JSON.stringify(view);
  // What was not written here was asked for: a link, another page's "play back", or the way back.
  useEffect(() => {
    if (written.current === key) return;
    written.current = key;
    isSettled.current = view.at !== null;
    if (view.at === null) {
      void latest().then(() => {
        isSettled.current = true;
      });
      return;
    }
    onSpan(view.span, view.at);
    go(view.at);
    if (view.isStill) session.pause();
    else session.play();
  }, [key, view, go, latest, onSpan, session]);
  const every = seen.isPlaying ? playingEvery : 1_000;
  const moment = seen.isScrubbing ? null : Math.floor(seen.second / every);
  const { isPlaying } = seen;
  useEffect(() => {
    if (moment === null) return;
    const timer = setTimeout(() => {
      if (!isSettled.current) return;
      const next: View = {
        cameras: view.cameras,
        at: Math.round(session.time),
        span: Math.round(span),
        isStill: !isPlaying,
      };
      written.current = JSON.stringify(next);
      if (written.current !== key) onAddress(viewParts(next), 'replace');
    }, addressEvery);
    return () => clearTimeout(timer);
  }, [moment, span, isPlaying, key, view.cameras, session, onAddress]);
}

/** While it plays the timeline turns its page in time. */
function useFollow(
  session: FootageSession,
  isPlaying: boolean,
  setScale: (change: (before: Scale) => Scale) => void,
): void {
  useEffect(() => {
    if (!isPlaying) return;
    const timer = setInterval(() => setScale((before) => followed(before, session.time) ?? before), 500);
    return () => clearInterval(timer);
  }, [session, isPlaying, setScale]);
}

/** What just happened to the clock, for a few seconds, also for those who hear the page. */
function Said({ session }: { readonly session: FootageSession }) {
  const say = useWords(words);
  const { lengthText } = useFootageTexts();
  const announce = useAnnounce();
  const { jumped, isEnded } = useSyncExternalStore(session.subscribe, () => session.view);
  const [hidden, setHidden] = useState(0);
  const number = jumped?.number ?? 0;
  const text = isEnded ? say.ended : jumped === null ? '' : say.jumped(lengthText(jumped.to - jumped.from));
  useEffect(() => {
    if (text !== '') announce(text);
  }, [text, announce]);
  useEffect(() => {
    if (number === 0) return;
    const timer = setTimeout(() => setHidden(number), jumpShown);
    return () => clearTimeout(timer);
  }, [number]);
  const isShown = isEnded || (jumped !== null && hidden !== number);
  if (!isShown) return null;
  return (
    <p className="footage-said" data-said={isEnded ? 'ended' : 'jumped'}>
      {text}
    </p>
  );
}

function Legend() {
  const say = useWords(words);
  return (
    <ul className="footage-legend" aria-label={say.legend}>
      {(['recorded', 'gap', 'kept', 'deaf'] as const).map((kind) => (
        <li key={kind}>
          <span className={`footage-swatch footage-swatch-${kind}`} aria-hidden="true" />
          {say[kind]}
        </li>
      ))}
    </ul>
  );
}

function TimelineProblem({ error }: { readonly error: unknown }) {
  const say = useWords(words);
  const language = useLanguage();
  const problemText = useProblemText();
  if (error === null || error === undefined) return null;
  return (
    <p className="footage-problem" role="alert">
      {say.timelineProblem} · {problemText(error) ?? errorText(error, language)}
    </p>
  );
}
