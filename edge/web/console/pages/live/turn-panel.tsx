import { useEffect } from 'react';
import { Age } from '../../kit/age.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useWords } from '../../kit/language.tsx';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { useSession } from '../../session.tsx';
import type { CameraView } from '../../use-cameras.ts';
import { useLink, useReading } from '../../use-live.tsx';
import type { Move, TurnHold } from './turn-hold.ts';
import { type AskTurn, type Said, useHold, useLastTurn, useTurning } from './use-turning.ts';
import { words } from './words.ts';

type Ptz = NonNullable<CameraView['ptz']>;
type Preset = Ptz['presets'][number];

const signs = { up: '▲', left: '◀', right: '▶', down: '▼', zoomIn: '+', zoomOut: '−' } as const;
const keys: Readonly<Record<Move, string>> = {
  up: 'ArrowUp',
  left: 'ArrowLeft',
  right: 'ArrowRight',
  down: 'ArrowDown',
  zoomIn: '+',
  zoomOut: '-',
};
const allMoves = Object.keys(keys) as Move[];
const digits = ['1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;
/** A screen reader, or Enter on a button, presses it for a moment, ms. */
const nudge = 250;

/** Arrows that turn while they are held, the way home, and presets. */
export function TurnPanel({ camera, ptz }: { readonly camera: string; readonly ptz: Ptz }) {
  const say = useWords(words);
  const { ask, said } = useTurning(camera);
  const { held, hold } = useHold(ask);
  const isAway = useLink().state !== 'live';
  const here = usePresetHere(camera);
  const isThere = said.preset !== undefined && said.preset === here;
  const home = () => void ask({ home: true }, say.wentHome);
  return (
    <div className="live-turning">
      <Pad hold={hold} held={held} isAway={isAway} home={ptz.home ? home : null} />
      <Presets presets={ptz.presets} here={here} isAway={isAway} ask={ask} />
      <div className="live-outcome">
        <Outcome
          said={isAway ? { kind: 'refused', text: say.awayNow } : isThere ? { kind: 'done', text: say.arrived } : said}
        />
        <LastTurned camera={camera} presets={ptz.presets} />
      </div>
      <p className="kit-soft live-help">
        {say.turnHelp} <span className="live-keys">{say.turnKeys}</span>
      </p>
    </div>
  );
}

/** The preset at which the camera is proved to look. */
function usePresetHere(camera: string): string | null {
  const reading = useReading(`${camera}/ptz_preset`);
  return reading?.quality === 'good' && typeof reading.value === 'string' && reading.value !== ''
    ? reading.value
    : null;
}

function Pad({
  hold,
  held,
  isAway,
  home,
}: {
  readonly hold: TurnHold;
  readonly held: Move | null;
  readonly isAway: boolean;
  readonly home: (() => void) | null;
}) {
  const say = useWords(words);
  useKeysLetGo(hold);
  const button = (move: Move) => (
    <button
      type="button"
      className="live-turn"
      data-turn={move}
      data-held={held === move}
      aria-label={say[move]}
      title={say[move]}
      disabled={isAway}
      onPointerDown={({ button: which }) => which === 0 && hold.begin(move)}
      onPointerUp={() => hold.end(move)}
      onPointerLeave={() => hold.end(move)}
      onPointerCancel={() => hold.end(move)}
      // A finger that rests on it asks for no menu.
      onContextMenu={(event) => event.preventDefault()}
      onClick={({ detail }) => {
        if (detail !== 0) return;
        hold.begin(move);
        setTimeout(() => hold.end(move), nudge);
      }}
    >
      <span aria-hidden="true">{signs[move]}</span>
    </button>
  );
  return (
    <fieldset className="live-pad" aria-label={say.turning}>
      {button('up')}
      {button('left')}
      {home !== null && (
        <button type="button" className="live-turn" data-turn="home" title={say.home} disabled={isAway} onClick={home}>
          {say.home}
        </button>
      )}
      {button('right')}
      {button('down')}
      <span className="live-zoom">
        {button('zoomOut')}
        <span aria-hidden="true">{say.zoom}</span>
        {button('zoomIn')}
      </span>
      {allMoves.map((move) => (
        <Key key={move} keys={keys[move]} what={say[move]} run={() => !isAway && hold.begin(move)} />
      ))}
      <Key keys="=" what={say.zoomIn} run={() => !isAway && hold.begin('zoomIn')} />
      {home !== null && <Key keys="0" what={say.home} run={() => !isAway && home()} />}
    </fieldset>
  );
}

/** Keys turn it as long as they are down. */
function useKeysLetGo(hold: TurnHold): void {
  useEffect(() => {
    const hear = ({ key }: KeyboardEvent) => {
      const move = allMoves.find((one) => keys[one] === key);
      if (move !== undefined) hold.end(move);
      // Of + and = the one that comes up depends on which of Shift and the key itself is let go of first.
      else if (key === '=' || key === 'Shift') hold.end('zoomIn');
      else if (key === '_') hold.end('zoomOut');
    };
    addEventListener('keyup', hear);
    return () => removeEventListener('keyup', hear);
  }, [hold]);
}

function Presets({
  presets,
  here,
  isAway,
  ask,
}: {
  readonly presets: readonly Preset[];
  readonly here: string | null;
  readonly isAway: boolean;
  readonly ask: AskTurn;
}) {
  const say = useWords(words);
  return (
    <>
      <h3>{say.presets}</h3>
      {presets.length === 0 ? (
        <p className="kit-soft">{say.noPresets}</p>
      ) : (
        <ul className="live-presets">
          {presets.map((preset, index) => {
            const { token } = preset;
            const name = presetName(preset, presets);
            const go = () => void ask({ preset: token }, say.wentTo(name));
            const digit = digits[index];
            return (
              <li key={token}>
                <button
                  type="button"
                  className="kit-button"
                  data-preset={token}
                  data-here={here === token}
                  disabled={isAway}
                  onClick={go}
                >
                  {digit !== undefined && <kbd>{digit}</kbd>}
                  <span className="live-preset-name">{name}</span>
                  {here === token && (
                    <span className="live-here">
                      <SignIcon sign="dot" size={12} /> {say.here}
                    </span>
                  )}
                </button>
                {digit !== undefined && <Key keys={digit} what={say.preset(name)} run={() => !isAway && go()} />}
              </li>
            );
          })}
        </ul>
      )}
    </>
  );
}

/** Cameras let two presets have one name. */
function presetName({ token, name }: Preset, presets: readonly Preset[]): string {
  if (name === '') return token;
  return presets.filter((preset) => preset.name === name).length > 1 ? `${name} (${token})` : name;
}

function Key({ keys, what, run }: { readonly keys: string; readonly what: string; readonly run: () => void }) {
  useShortcut(keys, what, run);
  return null;
}

function Outcome({ said: { kind, text } }: { readonly said: Said }) {
  return (
    <p className="live-said" role="status" data-said={kind}>
      {kind !== 'none' && <SignIcon sign={kind === 'done' ? 'dot' : 'triangle'} size={14} />} {text}
    </p>
  );
}

/** Two people at two screens must not pull at one camera unknowingly. */
function LastTurned({ camera, presets }: { readonly camera: string; readonly presets: readonly Preset[] }) {
  const say = useWords(words);
  const { id } = useSession();
  const last = useLastTurn(camera);
  if (last === null) return null;
  const who = last.who === `person:${id}` ? say.you : last.name;
  const preset = presets.find(({ token }) => token === last.preset);
  const where = preset === undefined ? (last.preset ?? '') : presetName(preset, presets);
  return (
    <p className="kit-soft live-last" data-last={last.who}>
      {say.lastTurned(who, last.how === 'preset' ? say.toPreset(where) : say[last.how])} · <Age time={last.time} />
    </p>
  );
}
