import { type CSSProperties, useEffect, useRef } from 'react';
import { errorText } from '../../api.ts';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import type { CameraView } from '../../use-cameras.ts';
import type { TimelineData } from './data.ts';
import type { LaneView } from './lane.ts';
import { useProblemText } from './problems.ts';
import type { FootageSession } from './session.ts';
import { whatIs } from './what.ts';
import { words } from './words.ts';

export interface TileProps {
  readonly session: FootageSession;
  readonly camera: CameraView;
  readonly data: TimelineData;
  readonly view: LaneView | undefined;
  readonly second: number;
}

/** What is on the screen is told to the tenth of a second. */
const toldEvery = 200;

/** One camera: its picture, when that was, and in words why there is none. */
export function Tile(props: TileProps) {
  const { session, camera, view } = props;
  const say = useWords(words);
  const name = useName()(camera.name);
  const video = useRef<HTMLVideoElement>(null);
  const image = useRef<HTMLImageElement>(null);
  useEffect(() => {
    if (video.current === null || image.current === null) return;
    const lane = session.addLane({ camera: camera.id, video: video.current, image: image.current });
    return () => lane[Symbol.dispose]();
  }, [session, camera.id]);
  const main = camera.streams.find(({ role }) => role === 'main');
  const ratio = (main?.width ?? 16) / (main?.height ?? 9);
  const isThere = view?.state === 'shown';
  return (
    <figure
      className="footage-tile"
      data-tile={camera.id}
      data-state={view?.state ?? 'looking'}
      data-pictures={view?.pictures ?? ''}
    >
      <div className="footage-frame" style={{ '--footage-ratio': ratio } as CSSProperties} data-there={isThere}>
        <video ref={video} muted playsInline disablePictureInPicture aria-label={say.picture(name)} tabIndex={-1} />
        <img ref={image} hidden alt={say.picture(name)} />
      </div>
      <figcaption>
        <span className="footage-tile-name">{name}</span>
        <ShownTime session={session} camera={camera.id} />
      </figcaption>
      <Labels {...props} />
      <Notice {...props} />
    </figure>
  );
}

function ShownTime({ session, camera }: { readonly session: FootageSession; readonly camera: string }) {
  const formats = useFormats();
  const text = useRef<HTMLTimeElement>(null);
  useEffect(() => {
    const tell = () => {
      const shown = session.shownTime(camera);
      if (text.current === null) return;
      text.current.textContent = shown === null ? '' : formats.clock(shown);
      // Together with the clock at the same moment: whether cameras are in step can be seen from outside.
      text.current.dataset.shown = shown === null ? '' : String(Math.round(shown));
      text.current.dataset.clock = String(Math.round(session.time));
    };
    tell();
    const timer = setInterval(tell, toldEvery);
    return () => clearInterval(timer);
  }, [session, camera, formats]);
  return <time ref={text} className="footage-tile-time kit-number" />;
}

function Labels({ view }: TileProps) {
  const say = useWords(words);
  if (view === undefined) return null;
  const codec = /^h[ev]/.test(view.codec) ? 'H.265' : view.codec;
  const help = {
    codec: say.picturesCodec(codec),
    decode: say.picturesDecode(codec),
    browser: say.picturesBrowser,
  };
  return (
    <span className="footage-labels">
      {view.isMasked && <span className="footage-label">{say.masked}</span>}
      {view.pictures !== null && (
        <span className="footage-label footage-label-warn" title={help[view.pictures]}>
          {say.pictures}
        </span>
      )}
    </span>
  );
}

function Notice({ camera, data, view, second }: TileProps) {
  const say = useWords(words);
  const language = useLanguage();
  const problemText = useProblemText();
  if (view === undefined || view.state === 'shown') return null;
  if (view.state === 'nothing') {
    const why = whatIs(camera, data, second, now());
    return (
      <p className="footage-notice" data-why={why}>
        {say[`why:${why === 'there' ? 'unknown' : why}`]}
      </p>
    );
  }
  if (view.error !== null && view.error !== undefined) {
    return (
      <p className="footage-notice footage-notice-bad" role="alert">
        {say.failed} · {problemText(view.error) ?? errorText(view.error, language)} · {say.retrying}
      </p>
    );
  }
  return <p className="footage-notice footage-notice-late">{view.isMasked ? say.loadingMasked : say.loading}</p>;
}
