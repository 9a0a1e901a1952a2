import { Select } from 'antd';
import { useEffect, useRef } from 'react';
import { useFormats, useWords } from '../../kit/language.tsx';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { Glyph, type GlyphName } from './glyph.tsx';
import type { FootageSession, SessionView } from './session.ts';
import { type Rate, rateBeside, rates } from './step-clock.ts';
import { words } from './words.ts';

export interface TransportProps {
  readonly session: FootageSession;
  readonly view: SessionView;
  readonly onMark: (by: 1 | -1) => void;
  readonly onFullScreen: () => void;
}

const jump = 10_000;

/** Buttons that play, and their keys. */
export function Transport({ session, view, onMark, onFullScreen }: TransportProps) {
  const say = useWords(words);
  const formats = useFormats();
  const toggle = () => (view.isPlaying ? session.pause() : session.play());
  const go = (by: number) => session.seek(session.time + by);
  const setRate = (rate: Rate) => session.setRate(rate);
  useShortcut('k', `${say.play} / ${say.pause}`, toggle);
  useSpace(toggle);
  useShortcut('j', say.back, () => go(-jump));
  useShortcut('l', say.on, () => go(jump));
  useShortcut(',', say.frameBack, () => session.step(-1));
  useShortcut('.', say.frameOn, () => session.step(1));
  useShortcut('PageUp', say.markBefore, () => onMark(-1));
  useShortcut('PageDown', say.markAfter, () => onMark(1));
  useShortcut('<', say.slower, () => setRate(rateBeside(view.rate, -1)));
  useShortcut('>', say.faster, () => setRate(rateBeside(view.rate, 1)));
  useShortcut('f', say.fullScreen, onFullScreen);
  return (
    <div className="footage-transport" role="toolbar" aria-label={say.controls}>
      <Act glyph="markBefore" label={say.markBefore} onPress={() => onMark(-1)} isMinor />
      <Act glyph="back" label={say.back} onPress={() => go(-jump)} />
      <Act glyph="frameBack" label={say.frameBack} onPress={() => session.step(-1)} isMinor />
      <button
        type="button"
        className="footage-play"
        data-act="play"
        data-playing={view.isPlaying}
        aria-label={view.isPlaying ? say.pause : say.play}
        title={`${view.isPlaying ? say.pause : say.play} · K`}
        onClick={toggle}
      >
        <Glyph name={view.isPlaying ? 'pause' : 'play'} />
      </button>
      <Act glyph="frameOn" label={say.frameOn} onPress={() => session.step(1)} isMinor />
      <Act glyph="on" label={say.on} onPress={() => go(jump)} />
      <Act glyph="markAfter" label={say.markAfter} onPress={() => onMark(1)} isMinor />
      <Select<Rate>
        className="footage-rate"
        aria-label={say.rate}
        value={view.rate}
        onChange={setRate}
        options={rates.map((rate) => ({
          value: rate,
          label: `${formats.number(rate)}×`,
          title: say.rateOf(String(rate)),
        }))}
      />
      <span className="footage-clock kit-number" data-clock={view.second}>
        {formats.dateTime(view.second)}
      </span>
      <Act glyph="full" label={say.fullScreen} onPress={onFullScreen} isMinor />
    </div>
  );
}

/** Space plays and pauses, but where it presses what one is at. */
function useSpace(toggle: () => void): void {
  const latest = useRef(toggle);
  latest.current = toggle;
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      const { target } = event;
      const isFree = target instanceof HTMLElement && target.matches('body, main, .footage-slider');
      const isAlone = document.querySelector('.ant-modal-wrap:not([style*="display: none"]), dialog[open]') === null;
      if (event.key !== ' ' || event.ctrlKey || event.metaKey || event.altKey || !isFree || !isAlone) return;
      event.preventDefault();
      latest.current();
    };
    addEventListener('keydown', hear);
    return () => removeEventListener('keydown', hear);
  }, []);
}

function Act({
  glyph,
  label,
  onPress,
  isMinor = false,
}: {
  readonly glyph: GlyphName;
  readonly label: string;
  readonly onPress: () => void;
  /** Not on a phone: there is no room for it. */
  readonly isMinor?: boolean;
}) {
  return (
    <button
      type="button"
      className={isMinor ? 'kit-plain-button footage-minor' : 'kit-plain-button'}
      data-act={glyph}
      aria-label={label}
      title={label}
      onClick={onPress}
    >
      <Glyph name={glyph} />
    </button>
  );
}
