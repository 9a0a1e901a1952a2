import { Button, Segmented } from 'antd';
import { useWords } from '../../kit/language.tsx';
import { spans } from './address.ts';
import { Glyph } from './glyph.tsx';
import { moved, type Scale } from './scale.ts';
import { aroundTime } from './timeline.tsx';
import { words } from './words.ts';

/** How much time the timeline shows, and which. */
export function ZoomBar({
  scale,
  timeOf,
  onSpan,
  onScale,
}: {
  readonly scale: Scale;
  /** Of the clock, now. */
  readonly timeOf: () => number;
  readonly onSpan: (span: number) => void;
  readonly onScale: (scale: Scale) => void;
}) {
  const say = useWords(words);
  return (
    <div className="footage-zoom">
      <Button aria-label={say.earlier} title={say.earlier} onClick={() => onScale(moved(scale, scale.width * 0.8))}>
        <Glyph name="earlier" />
      </Button>
      <Segmented<number>
        aria-label={say.zoom}
        value={scale.span}
        onChange={onSpan}
        options={[
          { value: spans.day, label: say.zoomDay },
          { value: spans.hour, label: say.zoomHour },
          { value: spans.minutes, label: say.zoomMinutes },
        ]}
      />
      <Button aria-label={say.later} title={say.later} onClick={() => onScale(moved(scale, -scale.width * 0.8))}>
        <Glyph name="later" />
      </Button>
      <Button
        aria-label={say.zoomOut}
        title={`${say.zoomOut} · −`}
        data-act="zoom-out"
        onClick={() => onScale(aroundTime(scale, 2, timeOf()))}
      >
        <Glyph name="farther" />
      </Button>
      <Button
        aria-label={say.zoomIn}
        title={`${say.zoomIn} · +`}
        data-act="zoom-in"
        onClick={() => onScale(aroundTime(scale, 0.5, timeOf()))}
      >
        <Glyph name="nearer" />
      </Button>
    </div>
  );
}
