import { type CSSProperties, useCallback, useEffect, useRef, useState } from 'react';
import { useFormats, useWords } from './language.tsx';
import type { StreamFacts } from './player-line.ts';
import { PlayerSession, type SessionView } from './player-session.ts';
import { useWanted } from './player-wanted.ts';
import { playerWords, reasonOfPlayer } from './player-words.ts';
import './player.css';

/** A part of the picture, 0 to 1 from its upper left corner. */
export interface PlayerMask {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface CameraPlayerProps {
  /** Its id. */
  readonly camera: string;
  /** In the language of the screen. */
  readonly name: string;
  /** `sub` on walls, `main` where one picture fills the page. Default: `sub`. */
  readonly role?: 'main' | 'sub';
  /** Covered: what the list of cameras says for this person. */
  readonly masks?: readonly PlayerMask[];
  /** `still`: one picture each minute, until it is `live`. Default: `live`. */
  readonly mode?: 'live' | 'still';
  /** Shows codec, size, rate and delay. */
  readonly showFacts?: boolean;
  /** Called once with the ms that the first picture took. */
  readonly onFirstPicture?: (ms: number) => void;
  /** Puts itself over the picture: a name, buttons. */
  readonly children?: React.ReactNode;
}

const nothing: SessionView = { state: { kind: 'opening', reason: '' }, facts: null, hasPicture: false };

/** A camera, live, or a picture of it each minute. Says in words what is wrong; stops while nobody can see it. */
export function CameraPlayer({
  camera,
  name,
  role = 'sub',
  masks = [],
  mode = 'live',
  showFacts = false,
  onFirstPicture,
  children,
}: CameraPlayerProps) {
  const say = useWords(playerWords);
  const video = useRef<HTMLVideoElement>(null);
  const image = useRef<HTMLImageElement>(null);
  const session = useRef<PlayerSession | null>(null);
  const [view, setView] = useState(nothing);
  const { isWanted, isHidden, onPicture } = useWanted(mode);
  const first = useRef(onFirstPicture);
  first.current = onFirstPicture;

  useEffect(() => {
    if (!isWanted || video.current === null || image.current === null) return;
    let isTold = false;
    const opened = new PlayerSession({
      camera,
      role,
      video: video.current,
      image: image.current,
      onView: (next) => {
        setView(next);
        if (!next.hasPicture || isTold) return;
        isTold = true;
        onPicture();
        const { firstPicture } = opened.stats;
        if (firstPicture !== null) first.current?.(firstPicture);
      },
    });
    session.current = opened;
    return () => {
      session.current = null;
      keepPicture(video.current, still.current);
      opened[Symbol.dispose]();
      setView((last) => ({ ...last, state: { kind: 'paused', reason: '' } }));
    };
  }, [camera, role, isWanted, onPicture]);

  const still = useRef<HTMLCanvasElement>(null);
  const isPictures = view.facts?.source === 'pictures';
  const isRunning = view.state.kind === 'running' && view.hasPicture;
  const ratio = ratioOf(view.facts);
  return (
    <figure
      className="kit-player"
      data-camera={camera}
      data-state={view.state.kind}
      data-reason={view.state.reason}
      data-source={view.facts?.source ?? ''}
      data-picture={view.hasPicture}
    >
      <div className="kit-player-frame" style={{ '--kit-ratio': ratio } as CSSProperties}>
        <canvas ref={still} className="kit-player-still" aria-hidden />
        <video ref={video} muted autoPlay playsInline hidden={isPictures} aria-label={say.picture(name)} />
        <img ref={image} hidden={!isPictures} alt={say.picture(name)} />
        {masks.map((mask) => (
          <div
            key={`${mask.x} ${mask.y} ${mask.width} ${mask.height}`}
            className="kit-player-mask"
            style={boxOf(mask)}
            title={say.masked}
          />
        ))}
        {showFacts && <PlayerFacts facts={view.facts} stats={() => session.current?.stats ?? null} />}
      </div>
      <PlayerLabel facts={view.facts} />
      {!isRunning && !(mode === 'still' && view.state.kind === 'paused') && (
        <PlayerNotice view={view} isHidden={isHidden} />
      )}
      {children}
    </figure>
  );
}

/** While it is paused the last picture stays, so that a wall is not full of holes. */
function keepPicture(video: HTMLVideoElement | null, canvas: HTMLCanvasElement | null): void {
  if (video === null || canvas === null || video.videoWidth === 0) return;
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d')?.drawImage(video, 0, 0);
}

function ratioOf(facts: StreamFacts | null): number {
  if (facts === null || facts.width <= 0 || facts.height <= 0) return 16 / 9;
  return facts.width / facts.height;
}

function boxOf({ x, y, width, height }: PlayerMask): CSSProperties {
  const percent = (part: number) => `${part * 100}%`;
  return { left: percent(x), top: percent(y), width: percent(width), height: percent(height) };
}

function PlayerLabel({ facts }: { readonly facts: StreamFacts | null }) {
  const say = useWords(playerWords);
  if (facts === null || facts.source === 'copy') return null;
  const codec = facts.original.startsWith('h') ? 'H.265' : facts.original;
  const isPictures = facts.source === 'pictures';
  const isMasked = facts.isMasked === true;
  const help = isMasked
    ? isPictures
      ? say.maskedPicturesHelp
      : say.maskedHelp
    : isPictures
      ? say.picturesHelp
      : say.transcodedHelp(codec);
  return (
    <span className="kit-player-label" title={help}>
      {isPictures ? say.pictures : isMasked ? say.masked : say.transcoded}
    </span>
  );
}

function PlayerNotice({ view, isHidden }: { readonly view: SessionView; readonly isHidden: boolean }) {
  const say = useWords(playerWords);
  const { kind, reason } = view.state;
  if (isHidden || kind === 'paused') return <figcaption className="kit-player-notice">{say.paused}</figcaption>;
  const why = reasonOfPlayer(reason, say);
  if (kind === 'opening' || kind === 'running') {
    return <figcaption className="kit-player-notice kit-player-opening">{why === '' ? say.opening : why}</figcaption>;
  }
  return (
    <figcaption className="kit-player-notice" role={kind === 'refused' ? 'alert' : 'status'}>
      <strong>{kind === 'refused' ? say.refused : say.waiting}</strong>
      {why !== '' && <span>{why}</span>}
    </figcaption>
  );
}

type Stats = PlayerSession['stats'];

function PlayerFacts({ facts, stats }: { readonly facts: StreamFacts | null; readonly stats: () => Stats | null }) {
  const say = useWords(playerWords);
  const formats = useFormats();
  const [now, setNow] = useState<Stats | null>(null);
  const read = useCallback(() => setNow(stats()), [stats]);
  useEffect(() => {
    const timer = setInterval(read, 1_000);
    return () => clearInterval(timer);
  }, [read]);
  if (facts === null) return null;
  const parts = [
    facts.codec,
    facts.width > 0 ? `${facts.width} × ${facts.height}` : '',
    typeof now?.rate === 'number' ? say.rate(formats.number(now.rate, 0)) : '',
    typeof now?.lag === 'number' ? say.lag(formats.number(now.lag, 0)) : '',
    typeof now?.firstPicture === 'number' ? say.firstPicture(formats.number(now.firstPicture, 0)) : '',
  ];
  return <p className="kit-player-facts">{parts.filter((part) => part !== '').join(' · ')}</p>;
}
