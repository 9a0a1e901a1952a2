import { Button, Input } from 'antd';
import { useState } from 'react';
import { incidentOutcomes } from '#edge/domain/incident.ts';
import { type Sign, SignIcon } from '../../kit/icons.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import type { IncidentActs } from './acts.ts';
import type { Whole } from './data.ts';
import { words } from './words.ts';

type Entry = Whole['course'][number];

const signs: Readonly<Partial<Record<Entry['what'], Sign>>> = {
  opened: 'octagon',
  escalated: 'triangle',
  claimed: 'half',
  resolved: 'square',
  released: 'hollow',
};

/** Who did what when, latest first, with what he wrote. */
export function Course({ incident }: { readonly incident: Whole }) {
  const say = useWords(words);
  const formats = useFormats();
  return (
    <ol className="incidents-course">
      {incident.course.toReversed().map((entry, index) => (
        <li key={`${entry.time} ${incident.course.length - index}`} data-did={entry.what}>
          <SignIcon sign={signs[entry.what] ?? 'dot'} size={12} />
          <span className="kit-number kit-soft">{formats.moment(entry.time, now())}</span>
          <span>
            {entry.name === '' ? say.bySystem : entry.name} · {say[`did:${entry.what}`]}
            <Said entry={entry} />
          </span>
        </li>
      ))}
    </ol>
  );
}

function Said({ entry: { what, who, text } }: { readonly entry: Entry }) {
  const say = useWords(words);
  if (text === '' || what === 'opened' || what === 'grew') return null;
  if (what === 'escalated' && who.startsWith('process:')) return <q className="incidents-said">{say.notInTime}</q>;
  if (what !== 'resolved') return <q className="incidents-said">{text}</q>;
  const outcome = incidentOutcomes.find((one) => text === one || text.startsWith(`${one}: `));
  if (outcome === undefined) return <q className="incidents-said">{text}</q>;
  const note = text.slice(outcome.length + 2);
  return (
    <q className="incidents-said">{[say[`outcome:${outcome}`], note].filter((part) => part !== '').join(' · ')}</q>
  );
}

/** A line for whoever comes next. Ctrl and Enter send it. */
export function NoteField({ id, acts }: { readonly id: string; readonly acts: IncidentActs }) {
  const say = useWords(words);
  const [text, setText] = useState('');
  const canSend = text.trim() !== '' && !acts.isAway;
  const send = async () => {
    if (canSend && (await acts.note(id, text.trim()))) setText('');
  };
  return (
    <div className="incidents-note">
      <Input.TextArea
        aria-label={say.note}
        placeholder={say.noteHint}
        rows={2}
        maxLength={2_000}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void send();
        }}
      />
      <Button disabled={!canSend} loading={acts.isBusy} data-act="note" onClick={() => void send()}>
        {say.noteAdd}
      </Button>
    </div>
  );
}
