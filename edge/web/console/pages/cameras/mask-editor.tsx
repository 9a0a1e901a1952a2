import { App, Button } from 'antd';
import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react';
import { query } from '../../api.ts';
import { fromHere } from '../../kit/download.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import type { CameraView } from '../../use-cameras.ts';
import { between, byKey, type Mask, mostMasks, newMask, yamlOf } from './masks.ts';
import { words } from './words.ts';

interface Drawn extends Mask {
  readonly id: number;
}

interface Corner {
  readonly x: number;
  readonly y: number;
}

/** The picture that is drawn on is some seconds old: the newest file is still being written. */
const pictureAge = 20_000;

/** Masks drawn over a picture by mouse, finger or keys, and what they are in the site file. */
export default function MaskEditor({ camera }: { readonly camera: CameraView }) {
  const say = useWords(words);
  const { masks, chosen, setChosen, add, change, remove, clear } = useMasks(camera);
  const [from, setFrom] = useState<Corner | null>(null);
  const [to, setTo] = useState<Corner | null>(null);
  const canvas = useRef<HTMLFieldSetElement>(null);
  const cornerOf = (event: PointerEvent): Corner => {
    const box = canvas.current?.getBoundingClientRect();
    if (box === undefined) return { x: 0, y: 0 };
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  };
  const begin = (event: PointerEvent) => {
    if (event.button !== 0 || masks.length >= mostMasks) return;
    if (event.target instanceof Element && event.target.closest('button') !== null) return;
    canvas.current?.setPointerCapture(event.pointerId);
    setFrom(cornerOf(event));
    setTo(cornerOf(event));
  };
  const end = () => {
    const drawn = from === null || to === null ? null : between(from, to);
    setFrom(null);
    setTo(null);
    if (drawn !== null) add(drawn);
  };
  const onKey = (event: KeyboardEvent) => {
    const mask = masks.find(({ id }) => id === chosen);
    if (event.key === 'n' || event.key === 'N') add(newMask);
    else if (mask === undefined) return;
    else if (event.key === 'Delete' || event.key === 'Backspace') remove(mask.id);
    else {
      const moved = byKey(mask, event.key, event.shiftKey);
      if (moved === null) return;
      change(mask.id, moved);
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const growing = from === null || to === null ? null : between(from, to);
  return (
    <div className="cameras-editor">
      <div>
        <p className="kit-soft cameras-help">{say.drawHelp}</p>
        <fieldset
          ref={canvas}
          className="cameras-canvas"
          aria-label={say.canvas}
          onPointerDown={begin}
          onPointerMove={(event) => from !== null && setTo(cornerOf(event))}
          onPointerUp={end}
          onPointerCancel={() => setFrom(null)}
          onKeyDown={onKey}
        >
          <Picture camera={camera} />
          {masks.map((mask, index) => (
            <MaskBox
              key={mask.id}
              mask={mask}
              number={index + 1}
              isChosen={mask.id === chosen}
              onFocus={() => setChosen(mask.id)}
            />
          ))}
          {growing !== null && <span className="cameras-mask cameras-mask-new" style={boxOf(growing)} />}
        </fieldset>
        <div className="kit-actions cameras-editor-acts">
          <Button data-act="add-mask" disabled={masks.length >= mostMasks} onClick={() => add(newMask)}>
            {say.addMask}
          </Button>
          <Button disabled={chosen === null} onClick={() => chosen !== null && remove(chosen)}>
            {say.removeMask}
          </Button>
          <Button disabled={masks.length === 0} onClick={clear}>
            {say.clearMasks}
          </Button>
        </div>
      </div>
      <Yaml text={yamlOf(camera.id, masks)} />
    </div>
  );
}

function useMasks(camera: CameraView) {
  const last = useRef(camera.masks.length);
  const [masks, setMasks] = useState<readonly Drawn[]>(() => camera.masks.map((mask, id) => ({ ...mask, id })));
  const [chosen, setChosen] = useState<number | null>(null);
  return {
    masks,
    chosen,
    setChosen,
    add: (mask: Mask) => {
      if (masks.length >= mostMasks) return;
      const id = last.current++;
      setMasks([...masks, { ...mask, id }]);
      setChosen(id);
    },
    change: (id: number, mask: Mask) => setMasks(masks.map((one) => (one.id === id ? { ...mask, id } : one))),
    remove: (id: number) => {
      setMasks(masks.filter((one) => one.id !== id));
      setChosen(null);
    },
    clear: () => {
      setMasks([]);
      setChosen(null);
    },
  };
}

function boxOf({ x, y, width, height }: Mask) {
  const percent = (part: number) => `${part * 100}%`;
  return { left: percent(x), top: percent(y), width: percent(width), height: percent(height) };
}

function MaskBox({
  mask,
  number,
  isChosen,
  onFocus,
}: {
  readonly mask: Drawn;
  readonly number: number;
  readonly isChosen: boolean;
  readonly onFocus: () => void;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const { x, y, width, height } = mask;
  const place = say.placeOf(formats.percent(x), formats.percent(y), formats.percent(width), formats.percent(height));
  return (
    <button
      type="button"
      className="cameras-mask"
      style={boxOf(mask)}
      aria-label={say.maskAt(number, place)}
      aria-pressed={isChosen}
      data-mask={number}
      onFocus={onFocus}
      onClick={onFocus}
    >
      {number}
    </button>
  );
}

function Picture({ camera }: { readonly camera: CameraView }) {
  const say = useWords(words);
  const [at] = useState(() => Math.round(now()) - pictureAge);
  const [isMissing, setMissing] = useState(!camera.may.playback);
  if (isMissing) return <p className="cameras-canvas-empty">{say.noPicture}</p>;
  const path = `api/v1/cameras/${camera.id}/footage/picture${query({ at, width: 960 })}`;
  return <img src={fromHere(path)} alt="" draggable={false} onError={() => setMissing(true)} />;
}

function Yaml({ text }: { readonly text: string }) {
  const say = useWords(words);
  const { message } = App.useApp();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      void message.success(say.copied);
    } catch {
      // Plain http to another machine has no clipboard.
      void message.info(say.copyFailed);
    }
  };
  return (
    <div className="cameras-yaml">
      <h3>{say.yamlTitle}</h3>
      <p className="kit-soft">{say.yamlHelp}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines are scrolled by the keyboard. */}
      <pre tabIndex={0}>{text}</pre>
      <Button onClick={() => void copy()}>{say.copy}</Button>
    </div>
  );
}
