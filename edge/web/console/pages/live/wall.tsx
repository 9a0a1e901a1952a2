import { Button, Segmented, Select } from 'antd';
import { type CSSProperties, useRef } from 'react';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { CameraPlayer } from '../../kit/player.tsx';
import { useWall } from '../../kit/player-wall.ts';
import { usePreference } from '../../kit/preferences.ts';
import { useRestHeight } from '../../kit/rest-height.ts';
import { useShortcut } from '../../kit/shortcuts.tsx';
import type { CameraView } from '../../use-cameras.ts';
import { useActiveCameras } from './active.ts';
import { toggleFullScreen } from './full-screen.ts';
import { words } from './words.ts';

const layouts = [1, 4, 9, 16] as const;
const leastHeight = 320;

/** Several cameras at once. Where nothing happens a picture a minute is enough, unless somebody wants it otherwise. */
export function Wall({ cameras }: { readonly cameras: readonly CameraView[] }) {
  const say = useWords(words);
  const { query } = useAddress();
  const [mode, setMode] = usePreference('wall', ['smart', 'all']);
  const count = layouts.find((one) => String(one) === query.get('n')) ?? layoutFor(cameras.length);
  const pages = Math.ceil(cameras.length / count);
  const page = Math.min(pages, Math.max(1, Number(query.get('page')) || 1));
  const shown = cameras.slice((page - 1) * count, page * count);
  const ids = shown.map(({ id }) => id);
  const active = useActiveCameras(ids);
  const modeOf = useWall({ cameras: ids, mode: count === 1 ? 'all' : mode, active });
  const box = useRef<HTMLElement>(null);
  const [rest, height] = useRestHeight(leastHeight);
  const show = (n: number, next: number) => goTo(hashOf('/live', { n: String(n), page: String(next) }), 'replace');
  const turn = (by: number) => show(count, ((page - 1 + by + pages) % pages) + 1);
  useShortcut('f', say.fullScreen, () => toggleFullScreen(box.current));
  useShortcut('PageDown', say.later, () => turn(1));
  useShortcut('PageUp', say.earlier, () => turn(-1));
  const columns = Math.min(Math.sqrt(count), shown.length);
  const rows = Math.ceil(shown.length / columns);
  const shape = { '--live-columns': columns, '--live-rows': rows, '--live-height': `${height}px` };
  return (
    <>
      <PageHeader
        title={say.title}
        about={say.about}
        actions={
          <>
            <Segmented<number>
              aria-label={say.layout}
              value={count}
              onChange={(n) => show(n, 1)}
              options={layouts.map((n) => ({ value: n, label: n, title: say.layoutOf(n) }))}
            />
            <Select
              aria-label={say.mode}
              className="live-mode"
              value={mode}
              onChange={setMode}
              title={say.smartHelp}
              options={[
                { value: 'smart', label: say.smart },
                { value: 'all', label: say.all },
              ]}
            />
            {pages > 1 && (
              <span className="live-pages">
                <Button aria-label={say.earlier} onClick={() => turn(-1)}>
                  ‹
                </Button>
                <span className="kit-number">{say.pageOf(page, pages)}</span>
                <Button aria-label={say.later} onClick={() => turn(1)}>
                  ›
                </Button>
              </span>
            )}
            <Button onClick={() => toggleFullScreen(box.current)}>{say.fullScreen}</Button>
          </>
        }
      />
      <section
        ref={(element) => {
          box.current = element;
          return rest(element) as undefined | (() => void);
        }}
        className="live-wall"
        aria-label={say.wall}
        style={shape as CSSProperties}
      >
        {shown.map((camera, index) => (
          <Tile
            key={camera.id}
            camera={camera}
            number={index + 1}
            mode={modeOf(camera.id)}
            isActive={active.has(camera.id)}
          />
        ))}
      </section>
    </>
  );
}

function layoutFor(cameras: number): number {
  return layouts.find((one) => one >= cameras) ?? 16;
}

function Tile({
  camera,
  number,
  mode,
  isActive,
}: {
  readonly camera: CameraView;
  readonly number: number;
  readonly mode: 'live' | 'still';
  readonly isActive: boolean;
}) {
  const say = useWords(words);
  const name = useName()(camera.name);
  const open = () => goTo(hashOf(`/live/${camera.id}`));
  return (
    <div className="live-tile" data-tile={camera.id} data-mode={mode} data-active={isActive}>
      <CameraPlayer camera={camera.id} name={name} masks={camera.masks} mode={mode}>
        <button type="button" className="live-open" title={say.open(name)} onClick={open}>
          <span className="live-name">
            {name}
            {isActive && (
              <span className="live-active">
                <SignIcon sign="triangle" size={12} /> {say.active}
              </span>
            )}
            {mode === 'still' && (
              <span className="live-still" title={say.stillHelp}>
                {say.still}
              </span>
            )}
          </span>
        </button>
      </CameraPlayer>
      {number <= 9 && <TileKey number={number} open={open} />}
    </div>
  );
}

function TileKey({ number, open }: { readonly number: number; readonly open: () => void }) {
  const say = useWords(words);
  useShortcut(String(number), say.shortcutOpen(number), open);
  return null;
}
