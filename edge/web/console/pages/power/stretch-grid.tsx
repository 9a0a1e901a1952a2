import { Button, Input, Select } from 'antd';
import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react';
import type { Weekday } from '#edge/domain/school.ts';
import { useWords } from '../../kit/language.tsx';
import { editWords } from './edit-words.ts';
import {
  added,
  copied,
  daySeconds,
  isSame,
  moved,
  onDay,
  replaced,
  type Stretch,
  secondAt,
  secondOf,
  step,
  stretched,
  timeText,
  weekdays,
  without,
} from './stretches.ts';
import { words } from './words.ts';

/* Drawing the fixed times of a week: by pointer, by keys, and as times to type. */

type Drag =
  | { readonly kind: 'draw'; readonly day: Weekday; readonly start: number; readonly end: number }
  | { readonly kind: 'move' | 'from' | 'to'; readonly one: Stretch; readonly start: number; readonly now: Stretch };

const work: readonly Weekday[] = [1, 2, 3, 4, 5];
const hours = [0, 3, 6, 9, 12, 15, 18, 21, 24];
/** An edge is so near, px. */
const edgeWidth = 9;

export function StretchGrid({
  stretches,
  onChange,
}: {
  readonly stretches: readonly Stretch[];
  readonly onChange: (stretches: readonly Stretch[]) => void;
}) {
  const say = useWords(words);
  const edit = useWords(editWords);
  const [chosen, setChosen] = useState<Stretch | null>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const track = useRef<HTMLDivElement>(null);
  const selected = stretches.find((one) => chosen !== null && isSame(one, chosen)) ?? null;

  const put = (next: readonly Stretch[], one: Stretch) => {
    onChange(next);
    // What it touched has become one with it.
    setChosen(next.find(({ day, from, to }) => day === one.day && from <= one.from && to >= one.to) ?? null);
  };
  const secondOfPointer = (event: PointerEvent): number => {
    const box = track.current?.getBoundingClientRect();
    return box === undefined || box.width === 0 ? 0 : secondAt((event.clientX - box.left) / box.width);
  };
  const begin = (event: PointerEvent<HTMLElement>, day: Weekday, one: Stretch | null) => {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    track.current?.setPointerCapture(event.pointerId);
    const start = secondOfPointer(event);
    if (one === null) return setDrag({ kind: 'draw', day, start, end: start });
    setChosen(one);
    event.currentTarget.focus();
    const box = event.currentTarget.getBoundingClientRect();
    const near = Math.min(edgeWidth, box.width / 3);
    const kind = event.clientX - box.left < near ? 'from' : box.right - event.clientX < near ? 'to' : 'move';
    setDrag({ kind, one, start, now: one });
  };
  const pull = (event: PointerEvent) => {
    if (drag === null) return;
    const at = secondOfPointer(event);
    if (drag.kind === 'draw') return setDrag({ ...drag, end: at });
    const by = at - drag.start;
    setDrag({ ...drag, now: drag.kind === 'move' ? moved(drag.one, by) : stretched(drag.one, drag.kind, by) });
  };
  const drop = () => {
    if (drag === null) return;
    setDrag(null);
    if (drag.kind !== 'draw') return put(replaced(stretches, drag.one, drag.now), drag.now);
    const one = drawn(drag);
    // A click where nothing is draws an hour.
    const made = one.to === one.from ? { ...one, to: Math.min(daySeconds, one.from + 3_600) } : one;
    if (made.to > made.from) put(added(stretches, made), made);
  };
  const press = (event: KeyboardEvent, one: Stretch) => {
    const next = keyed(event, one);
    if (next === undefined) return;
    event.preventDefault();
    if (next === null) {
      onChange(without(stretches, one));
      setChosen(null);
    } else put(replaced(stretches, one, next), next);
  };
  const shownOf = (day: Weekday): readonly Stretch[] => {
    const moving = drag !== null && drag.kind !== 'draw' ? drag : null;
    return stretches
      .filter((one) => one.day === day)
      .map((one) => (moving !== null && isSame(one, moving.one) ? moving.now : one));
  };
  const text = ({ day, from, to }: Stretch) => edit.stretch(say[`weekday:${day}`], timeText(from), timeText(to));

  return (
    <div className="power-draw">
      <p className="kit-soft">{edit.weeklyHelp}</p>
      <div className="power-draw-grid">
        <div className="power-draw-hours" aria-hidden="true">
          {hours.map((hour) => (
            <span key={hour} style={{ left: `${(hour / 24) * 100}%` }}>
              {hour}
            </span>
          ))}
        </div>
        {weekdays.map((day) => (
          <div key={day} className="power-draw-row">
            <span className="power-draw-day">{say[`weekday:${day}`]}</span>
            <div
              className="power-draw-track"
              data-day={day}
              ref={day === 1 ? track : undefined}
              onPointerDown={(event) => begin(event, day, null)}
              onPointerMove={pull}
              onPointerUp={drop}
              onPointerCancel={() => setDrag(null)}
            >
              {shownOf(day).map((one) => (
                <button
                  key={`${one.from} ${one.to}`}
                  type="button"
                  className="power-draw-bar"
                  aria-pressed={selected !== null && isSame(one, selected)}
                  aria-label={text(one)}
                  title={text(one)}
                  style={{
                    left: `${(one.from / daySeconds) * 100}%`,
                    width: `${((one.to - one.from) / daySeconds) * 100}%`,
                  }}
                  onPointerDown={(event) => begin(event, day, one)}
                  onFocus={() => drag === null && setChosen(one)}
                  onKeyDown={(event) => press(event, one)}
                >
                  <span>{`${timeText(one.from)}–${timeText(one.to)}`}</span>
                </button>
              ))}
              {drag?.kind === 'draw' && drag.day === day && <Drawing stretch={drawn(drag)} />}
            </div>
          </div>
        ))}
      </div>
      <div className="power-draw-acts">
        <Button
          size="small"
          data-act="add-stretch"
          onClick={() => {
            const one = { day: 1 as const, from: 8 * 3_600, to: 9 * 3_600 };
            put(added(stretches, one), one);
          }}
        >
          {edit.addStretch}
        </Button>
        {selected === null ? (
          <span className="kit-soft">{edit.noneSelected}</span>
        ) : (
          <Chosen
            key={`${selected.day} ${selected.from} ${selected.to}`}
            one={selected}
            onPut={(one) => put(replaced(stretches, selected, one), one)}
            onCopy={(days) => put(copied(stretches, selected, days), selected)}
            onRemove={() => {
              onChange(without(stretches, selected));
              setChosen(null);
            }}
          />
        )}
      </div>
    </div>
  );
}

function drawn(drag: Extract<Drag, { readonly kind: 'draw' }>): Stretch {
  return { day: drag.day, from: Math.min(drag.start, drag.end), to: Math.max(drag.start, drag.end) };
}

function Drawing({ stretch: { from, to } }: { readonly stretch: Stretch }) {
  return (
    <span
      className="power-draw-new"
      aria-hidden="true"
      style={{ left: `${(from / daySeconds) * 100}%`, width: `${((to - from) / daySeconds) * 100}%` }}
    />
  );
}

/** What a key makes of it; null: it is removed, undefined: nothing. */
function keyed({ key, shiftKey }: KeyboardEvent, one: Stretch): Stretch | null | undefined {
  switch (key) {
    case 'ArrowLeft':
      return shiftKey ? stretched(one, 'to', -step) : moved(one, -step);
    case 'ArrowRight':
      return shiftKey ? stretched(one, 'to', step) : moved(one, step);
    case 'ArrowUp':
      return onDay(one, -1);
    case 'ArrowDown':
      return onDay(one, 1);
    case 'Delete':
    case 'Backspace':
      return null;
    default:
      return undefined;
  }
}

/** The one that is chosen, as times to type. */
function Chosen({
  one,
  onPut,
  onCopy,
  onRemove,
}: {
  readonly one: Stretch;
  readonly onPut: (one: Stretch) => void;
  readonly onCopy: (days: readonly Weekday[]) => void;
  readonly onRemove: () => void;
}) {
  const say = useWords(words);
  const edit = useWords(editWords);
  const [from, setFrom] = useState(timeText(one.from));
  const [to, setTo] = useState(timeText(one.to));
  const keep = () => {
    const begin = secondOf(from, 'from');
    const end = secondOf(to, 'to');
    if (begin === null || end === null || end <= begin) {
      setFrom(timeText(one.from));
      setTo(timeText(one.to));
    } else if (begin !== one.from || end !== one.to) onPut({ ...one, from: begin, to: end });
  };
  return (
    <fieldset className="power-chosen" aria-label={edit.selected}>
      <Select<Weekday>
        size="small"
        aria-label={edit.onDay}
        value={one.day}
        onChange={(day) => onPut({ ...one, day })}
        options={weekdays.map((day) => ({ value: day, label: say[`weekday:${day}`] }))}
      />
      <Input
        size="small"
        aria-label={edit.from}
        value={from}
        onChange={(event) => setFrom(event.target.value)}
        onBlur={keep}
        onPressEnter={keep}
      />
      <span aria-hidden="true">–</span>
      <Input
        size="small"
        aria-label={edit.to}
        value={to}
        onChange={(event) => setTo(event.target.value)}
        onBlur={keep}
        onPressEnter={keep}
      />
      <Button size="small" onClick={() => onCopy(work)}>
        {edit.copyWork}
      </Button>
      <Button size="small" onClick={() => onCopy(weekdays)}>
        {edit.copyAll}
      </Button>
      <Button size="small" danger onClick={onRemove}>
        {edit.remove}
      </Button>
    </fieldset>
  );
}
