import { Button, Segmented } from 'antd';
import { useState } from 'react';
import { fromField, toField } from '../../field-time.ts';
import { FromTo } from '../../from-to.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { zoneOffset } from '../../kit/series.ts';
import { now } from '../../kit/ticker.ts';
import { historyWords } from './history-words.ts';
import { lastParts, movedParts, ownParts, type Range, ranges, type Window, zoomedParts } from './range.ts';

type Change = (parts: Readonly<Record<string, string>>) => void;

/** Which stretch of time: the usual ones, one's own, before and after, nearer and farther. */
export function RangeBar({ window, onChange }: { readonly window: Window; readonly onChange: Change }) {
  const say = useWords(historyWords);
  const [isOwn, setOwn] = useState(false);
  const choose = (value: Range | 'custom') => {
    setOwn(value === 'custom');
    if (value !== 'custom') onChange(lastParts(value));
  };
  return (
    <div className="devices-rangebar">
      <Segmented<Range | 'custom'>
        aria-label={say.ranges}
        value={isOwn || window.range === null ? 'custom' : window.range}
        onChange={choose}
        options={[
          ...ranges.map((value) => ({ value, label: say[value] })),
          { value: 'custom' as const, label: say.custom },
        ]}
      />
      <div className="devices-range-buttons">
        <Button onClick={() => onChange(movedParts(window, -1, now()))}>← {say.earlier}</Button>
        <Button disabled={window.isLive} onClick={() => onChange(movedParts(window, 1, now()))}>
          {say.later} →
        </Button>
        {!window.isLive && <Button onClick={() => onChange(lastParts(window.range ?? '24h'))}>{say.toNow}</Button>}
        <Button onClick={() => onChange(zoomedParts(window, 0.5, now()))}>{say.zoomIn}</Button>
        <Button onClick={() => onChange(zoomedParts(window, 2, now()))}>{say.zoomOut}</Button>
      </div>
      {(isOwn || window.range === null) && (
        <OwnRange key={`${window.from} ${window.to}`} window={window} onChange={onChange} />
      )}
    </div>
  );
}

/** The browser's own fields for date and time, read as the time of the campus wherever the browser is. */
function OwnRange({ window, onChange }: { readonly window: Window; readonly onChange: Change }) {
  const say = useWords(historyWords);
  const formats = useFormats();
  const shift = zoneOffset(formats.startOfDay(window.to));
  const [from, setFrom] = useState(toField(window.from, shift));
  const [to, setTo] = useState(toField(window.to, shift));
  const [problem, setProblem] = useState('');
  return (
    <form
      className="devices-own-range"
      onSubmit={(event) => {
        event.preventDefault();
        const [first, last] = [fromField(from, shift), fromField(to, shift)];
        if (first === null || last === null || last <= first) return setProblem(say.badRange);
        onChange(ownParts(first, last));
      }}
    >
      <FromTo className="devices-field" labels={say} from={from} to={to} onFrom={setFrom} onTo={setTo} />
      <Button htmlType="submit">{say.apply}</Button>
      <span className="kit-form-error" role="alert">
        {problem}
      </span>
    </form>
  );
}
