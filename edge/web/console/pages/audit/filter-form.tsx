import { Button, Input } from 'antd';
import { type FormEvent, useState } from 'react';
import { useWords } from '../../kit/language.tsx';
import { words } from './words.ts';

/** Times as the browser's own field gives them: `2026-11-22T08:00`, in the clock of this computer. */
export interface Filter {
  readonly who: string;
  readonly what: string;
  readonly from: string;
  readonly to: string;
}

export function filterIn(search: URLSearchParams): Filter {
  const of = (name: string) => search.get(name) ?? '';
  const time = (name: string) => (/^\d+$/.test(of(name)) ? localText(Number(of(name))) : '');
  return { who: of('who'), what: of('what'), from: time('from'), to: time('to') };
}

/** As the API and the address bar want it: ms since epoch. */
export function filterQuery(filter: Filter): Record<string, string> {
  const time = (text: string) => (Number.isNaN(Date.parse(text)) ? '' : String(Date.parse(text)));
  const parts = { who: filter.who.trim(), what: filter.what.trim(), from: time(filter.from), to: time(filter.to) };
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== ''));
}

export function isEmpty(filter: Filter): boolean {
  return Object.values(filter).every((part) => part === '');
}

function localText(time: number): string {
  const date = new Date(time);
  return new Date(time - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function FilterForm({
  filter,
  onChange,
}: {
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
}) {
  const say = useWords(words);
  const [draft, setDraft] = useState(filter);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onChange(draft);
  };
  const field = (name: keyof Filter, label: string, hint?: string) => (
    <div className="kit-field">
      <label htmlFor={`audit-${name}`}>{label}</label>
      <Input
        id={`audit-${name}`}
        type={name === 'from' || name === 'to' ? 'datetime-local' : 'text'}
        value={draft[name]}
        maxLength={100}
        {...(hint === undefined ? {} : { placeholder: hint })}
        onChange={(event) => setDraft({ ...draft, [name]: event.target.value })}
      />
    </div>
  );
  return (
    <form className="audit-filter" onSubmit={submit}>
      {field('who', say.who, say.whoHint)}
      {field('what', say.what, say.whatHint)}
      {field('from', say.fromTime)}
      {field('to', say.toTime)}
      <div className="audit-filter-buttons">
        <Button type="primary" htmlType="submit">
          {say.search}
        </Button>
        {!isEmpty(filter) && (
          <Button onClick={() => onChange({ who: '', what: '', from: '', to: '' })}>{say.clear}</Button>
        )}
      </div>
    </form>
  );
}
