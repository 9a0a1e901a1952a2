import { Button } from 'antd';
import { useRef } from 'react';
import { goTo, hashOf } from '../../address.ts';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { CameraPlayer } from '../../kit/player.tsx';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { now } from '../../kit/ticker.ts';
import { useZoneName } from '../../names.ts';
import type { CameraView } from '../../use-cameras.ts';
import { toggleFullScreen } from './full-screen.ts';
import { TurnPanel } from './turn-panel.tsx';
import { words } from './words.ts';

/** Whoever missed it looks a little back, ms. */
const back = 300_000;

/** One camera as large as it fits, and beside it what turns it. */
export function OneCamera({
  camera,
  cameras,
}: {
  readonly camera: CameraView;
  readonly cameras: readonly CameraView[];
}) {
  const say = useWords(words);
  const name = useName()(camera.name);
  const zoneName = useZoneName();
  const box = useRef<HTMLDivElement>(null);
  const at = cameras.indexOf(camera);
  const go = (by: number) => {
    const next = cameras[(at + by + cameras.length) % cameras.length];
    if (next !== undefined) goTo(hashOf(`/live/${next.id}`), 'replace');
  };
  useShortcut('f', say.fullScreen, () => toggleFullScreen(box.current));
  useShortcut('PageDown', say.after, () => go(1));
  useShortcut('PageUp', say.before, () => go(-1));
  useShortcut('Escape', say.back, () => {
    if (document.fullscreenElement === null) goTo(hashOf('/live'));
  });
  return (
    <>
      <p className="live-back">
        <a href={hashOf('/live')}>‹ {say.back}</a>
      </p>
      <PageHeader
        title={name}
        about={zoneName(camera.zone)}
        actions={
          <>
            {cameras.length > 1 && <Button onClick={() => go(-1)}>‹ {say.before}</Button>}
            {cameras.length > 1 && <Button onClick={() => go(1)}>{say.after} ›</Button>}
            {camera.may.playback && (
              <Button
                data-act="playback"
                onClick={() => goTo(hashOf('/footage', { cameras: camera.id, at: String(Math.round(now() - back)) }))}
              >
                {say.earlierFootage}
              </Button>
            )}
            <a className="kit-button" href={hashOf(`/cameras/${camera.id}`)}>
              {say.health}
            </a>
            <Button onClick={() => toggleFullScreen(box.current)}>{say.fullScreen}</Button>
          </>
        }
      />
      <div className="live-one">
        <div ref={box} className="live-large" data-large={camera.id}>
          <CameraPlayer camera={camera.id} name={name} masks={camera.masks} role="main" showFacts />
        </div>
        {camera.ptz !== null && camera.may.turn && (
          <Panel title={say.turning} className="live-side">
            <TurnPanel camera={camera.id} ptz={camera.ptz} />
          </Panel>
        )}
      </div>
    </>
  );
}
