import { useEffect, useState } from 'react';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import type { CameraView } from '../../use-cameras.ts';
import type { TimelineData } from './data.ts';
import { placeOf, type Scale } from './scale.ts';
import type { FootageSession } from './session.ts';
import { whatIs } from './what.ts';
import { words } from './words.ts';

/** px. */
const width = 216;
/** The pointer rests before anything is asked for, ms. */
const rest = 140;

/** What a moment under the pointer looks like, before one goes there: of the first camera that has something of it. */
export function Preview({
  session,
  cameras,
  data,
  scale,
  time,
}: {
  readonly session: FootageSession;
  readonly cameras: readonly CameraView[];
  readonly data: TimelineData;
  readonly scale: Scale;
  readonly time: number;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const name = useName();
  const camera = cameras.find((one) => whatIs(one, data, time, now()) === 'there') ?? cameras[0];
  const what = whatIs(camera, data, time, now());
  const id = camera?.id ?? '';
  // Moments that one pixel holds are one picture.
  const apart = Math.max(1_000, (scale.span / Math.max(1, scale.width)) * 3);
  const at = Math.round(time / apart) * apart;
  const [shown, setShown] = useState<{ readonly at: number; readonly url: string } | null>(null);
  const [isMissing, setMissing] = useState(false);
  useEffect(() => {
    if (what !== 'there' || id === '') return;
    const timer = setTimeout(() => {
      session.queue.ask('hover', { camera: id, at, width: width * 2 }, (picture) => {
        setMissing(picture === null);
        if (picture !== null) setShown({ at, url: URL.createObjectURL(picture.blob) });
      });
    }, rest);
    return () => clearTimeout(timer);
  }, [session, id, at, what]);
  useEffect(() => () => session.queue.forget('hover'), [session]);
  useEffect(() => {
    if (shown === null) return;
    return () => URL.revokeObjectURL(shown.url);
  }, [shown]);
  const x = placeOf(scale, time);
  const left = Math.max(0, Math.min(scale.width - width, x - width / 2));
  return (
    <div className="footage-preview" style={{ left, width }} aria-hidden="true" data-preview={what}>
      {what === 'there' && !isMissing && (
        <div className="footage-preview-picture">
          {shown !== null && <img src={shown.url} alt="" data-old={Math.abs(shown.at - at) > apart * 4} />}
        </div>
      )}
      <strong className="kit-number">{formats.clock(time)}</strong>
      <span>{what === 'there' ? (isMissing ? say.noPreview : name(camera?.name)) : say[`why:${what}`]}</span>
    </div>
  );
}
