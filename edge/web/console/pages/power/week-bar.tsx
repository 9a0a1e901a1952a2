import { Button, Select } from 'antd';
import type { CampusView } from '../../api.ts';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import type { DaySpan } from './shapes.ts';
import type { PlanName } from './use-power.ts';
import { noonOf, shifted, weekdayOf } from './week-dates.ts';
import { words } from './words.ts';

/** Which week of which plan, how near, and where. */
export function WeekBar({
  from,
  to,
  of,
  day,
  building,
  campus,
  isPhone,
  days,
  thisWeek,
  onChange,
}: {
  readonly from: string;
  readonly to: string;
  readonly of: PlanName;
  readonly day: string;
  readonly building: string;
  readonly campus: CampusView | undefined;
  readonly isPhone: boolean;
  readonly days: readonly DaySpan[];
  readonly thisWeek: string;
  readonly onChange: (parts: Readonly<Record<string, string>>) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const formats = useFormats();
  const dayText = (date: string) => `${say[`weekday:${weekdayOf(date)}`]} ${formats.shortDate(noonOf(date))}`;
  const dates = days.length > 0 ? days.map(({ date }) => date) : Array.from({ length: 7 }, (_, n) => shifted(from, n));
  return (
    <search className="power-week-bar" aria-label={say.filters}>
      <div className="power-week-move">
        <Button aria-label={say.weekEarlier} onClick={() => onChange({ from: shifted(from, -7), day: '' })}>
          ‹
        </Button>
        <strong>{say.weekOf(formats.shortDate(noonOf(from)), formats.shortDate(noonOf(to)))}</strong>
        <Button aria-label={say.weekLater} onClick={() => onChange({ from: shifted(from, 7), day: '' })}>
          ›
        </Button>
        {from !== thisWeek && <Button onClick={() => onChange({ from: '', day: '' })}>{say.weekNow}</Button>}
      </div>
      <Select<PlanName>
        aria-label={say.plan}
        value={of}
        onChange={(plan) => onChange({ of: plan === 'draft' ? plan : '' })}
        options={[
          { value: 'signed', label: say.planSigned },
          { value: 'draft', label: say.planDraft },
        ]}
      />
      <Select<string>
        aria-label={say.zoom}
        value={day}
        onChange={(date) => onChange({ day: date })}
        options={[
          ...(isPhone ? [] : [{ value: '', label: say.zoomWeek }]),
          ...dates.map((date) => ({ value: date, label: dayText(date) })),
        ]}
      />
      <Select<string>
        aria-label={say.building}
        value={building}
        onChange={(one) => onChange({ building: one })}
        options={[
          { value: '', label: say.allBuildings },
          ...(campus?.buildings ?? []).map((one) => ({ value: one.id, label: name(one.name) })),
          { value: 'outside', label: say.outside },
        ]}
      />
    </search>
  );
}
