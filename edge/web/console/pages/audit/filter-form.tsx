import { Button, Input, Select } from 'antd';
import { type FormEvent, useState } from 'react';
import { fromField, toField } from '../../field-time.ts';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { deedWords, searchable } from './deeds.ts';
import { words } from './words.ts';

/** What is asked for, as the address bar and the API have it; times are ms since epoch. */
export interface Filter {
  readonly who: string;
  readonly what: string;
  readonly from: string;
  readonly to: string;
}

const everything: Filter = { who: '', what: '', from: '', to: '' };

export function filterIn(search: URLSearchParams): Filter {
  const of = (name: string) => search.get(name) ?? '';
  const time = (name: string) => (/^\d{1,15}$/.test(of(name)) ? of(name) : '');
  return { who: of('who').slice(0, 100), what: of('what').slice(0, 100), from: time('from'), to: time('to') };
}

export function isEmpty(filter: Filter): boolean {
  return Object.values(filter).every((part) => part === '');
}

/** The audit calls an account `person:li`; people call it `li`. */
function whoOf(text: string): string {
  const plain = text.trim();
  return plain === '' || plain.includes(':') || plain === 'nobody' ? plain : `person:${plain.toLowerCase()}`;
}

/** How far the campus's clock is ahead of UTC, ms: fields of times mean the campus, wherever the screen stands. */
function useShift(): (time: number) => number {
  const { timeZone } = useFormats();
  return (time) => {
    const parts = new Intl.DateTimeFormat('en-US', {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      ...(timeZone === undefined ? {} : { timeZone }),
    }).formatToParts(time);
    const of = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
    const local = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'));
    return local - Math.floor(time / 60_000) * 60_000;
  };
}

export function FilterForm({
  filter,
  onChange,
}: {
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
}) {
  const say = useWords(words);
  const shiftAt = useShift();
  const fieldOf = (time: string) => (time === '' ? '' : toField(Number(time), shiftAt(Number(time))));
  const [who, setWho] = useState(filter.who.replace(/^person:/, ''));
  const [what, setWhat] = useState(filter.what);
  const [from, setFrom] = useState(() => fieldOf(filter.from));
  const [to, setTo] = useState(() => fieldOf(filter.to));
  const timeOf = (text: string) => {
    const time = fromField(text, shiftAt(fromField(text, shiftAt(now())) ?? now()));
    return time === null ? '' : String(time);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onChange({ who: whoOf(who), what, from: timeOf(from), to: timeOf(to) });
  };
  const timeField = (id: string, label: string, value: string, onTime: (text: string) => void) => (
    <div className="kit-field">
      <label htmlFor={id}>{label}</label>
      <Input id={id} type="datetime-local" value={value} onChange={(event) => onTime(event.target.value)} />
    </div>
  );
  return (
    <form className="audit-filter" onSubmit={submit}>
      <div className="kit-field">
        <label htmlFor="audit-who">{say.who}</label>
        <Input
          id="audit-who"
          allowClear
          value={who}
          maxLength={100}
          placeholder={say.whoHint}
          autoCapitalize="none"
          spellCheck={false}
          onChange={(event) => setWho(event.target.value)}
        />
      </div>
      <DeedField value={what} onChange={setWhat} />
      {timeField('audit-from', say.fromTime, from, setFrom)}
      {timeField('audit-to', say.toTime, to, setTo)}
      <div className="audit-filter-buttons">
        <Button type="primary" htmlType="submit">
          {say.search}
        </Button>
        {!isEmpty(filter) && <Button onClick={() => onChange(everything)}>{say.clear}</Button>}
      </div>
    </form>
  );
}

/** Before the value of what is typed: without it, Select would prefer it to a deed of that name (it begins with what is typed). */
const asTyped = '~';

/** Deeds by their names; what is typed besides is looked for as it is (a device, an account). */
function DeedField({ value, onChange }: { readonly value: string; readonly onChange: (what: string) => void }) {
  const say = useWords(words);
  const deeds = deedWords[useLanguage()];
  const [typed, setTyped] = useState('');
  const known = searchable.map((verb) => ({ value: verb as string, label: deeds[verb] }));
  const isKnown = (text: string) => text === '' || known.some((option) => option.value === text);
  const own = [...new Set([typed.trim(), value])].filter((text) => !isKnown(text));
  const containing = own.map((text) => ({ value: `${asTyped}${text}`, label: say.containing(text) }));
  return (
    <div className="kit-field">
      <label htmlFor="audit-what">{say.what}</label>
      <Select<string>
        id="audit-what"
        value={isKnown(value) ? value : `${asTyped}${value}`}
        onChange={(chosen) => onChange(chosen.startsWith(asTyped) ? chosen.slice(asTyped.length) : chosen)}
        showSearch={{
          onSearch: (text) => setTyped(text.slice(0, 100)),
          filterOption: (text, option) => {
            const wanted = text.toLowerCase();
            return `${option?.label ?? ''} ${option?.value ?? ''}`.toLowerCase().includes(wanted);
          },
        }}
        options={[{ value: '', label: say.everyDeed }, ...known, ...containing]}
      />
    </div>
  );
}
