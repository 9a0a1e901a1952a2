import { Button } from 'antd';
import { useRef } from 'react';
import { goTo, hashOf } from '../../address.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { CameraPlayer } from '../../kit/player.tsx';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { useZoneName } from '../../names.ts';
import type { CameraView } from '../../use-cameras.ts';
import { toggleFullScreen } from './full-screen.ts';
import { words } from './words.ts';

/** One camera as large as it fits. */
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
            <a className="kit-button" href={hashOf(`/cameras/${camera.id}`)}>
              {say.health}
            </a>
            <Button onClick={() => toggleFullScreen(box.current)}>{say.fullScreen}</Button>
          </>
        }
      />
      <div ref={box} className="live-large" data-large={camera.id}>
        <CameraPlayer camera={camera.id} name={name} masks={camera.masks} role="main" showFacts />
      </div>
    </>
  );
}
