import { Button, Radio } from 'antd';
import { useState } from 'react';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { type EditSay, editWords } from './edit-words.ts';
import { type Field, merged, mergeOf } from './merge.ts';
import type { PowerBody } from './shapes.ts';
import { timeText } from './stretches.ts';
import { type Say, words } from './words.ts';

/** What somebody else made of an entry meanwhile; a body of null: it was removed. */
export interface Theirs {
  readonly rev: number;
  readonly time: number | null;
  readonly who: string | null;
  readonly body: PowerBody | null;
}

/** Two people changed one entry: shows both, and puts them together. Nothing typed is lost. */
export function Conflict({
  base,
  mine,
  theirs,
  onMerged,
  onTake,
  onAnew,
}: {
  readonly base: PowerBody;
  readonly mine: PowerBody;
  readonly theirs: Theirs;
  readonly onMerged: (body: PowerBody) => void;
  readonly onTake: () => void;
  readonly onAnew: () => void;
}) {
  const edit = useWords(editWords);
  const formats = useFormats();
  const who = whoText(theirs.who, edit);
  const time = theirs.time === null ? '—' : formats.moment(theirs.time, now());
  return (
    <section className="kit-panel power-conflict" aria-label={edit.conflict} role="alert">
      <h2>
        <SignIcon sign="triangle" size={16} /> {edit.conflict}
      </h2>
      <p>{theirs.body === null ? edit.conflictGone(who, time) : edit.conflictBy(who, time)}</p>
      {theirs.body === null ? (
        <div className="kit-actions">
          <Button type="primary" onClick={onAnew}>
            {edit.keepMine}
          </Button>
          <Button onClick={onTake}>{edit.takeTheirs}</Button>
        </div>
      ) : (
        <Fields base={base} mine={mine} theirs={theirs.body} onMerged={onMerged} onTake={onTake} />
      )}
    </section>
  );
}

function Fields({
  base,
  mine,
  theirs,
  onMerged,
  onTake,
}: {
  readonly base: PowerBody;
  readonly mine: PowerBody;
  readonly theirs: PowerBody;
  readonly onMerged: (body: PowerBody) => void;
  readonly onTake: () => void;
}) {
  const say = useWords(words);
  const edit = useWords(editWords);
  const name = useName();
  const [choices, setChoices] = useState<Readonly<Partial<Record<Field, 'mine' | 'theirs'>>>>({});
  const found = mergeOf(base, mine, theirs);
  const text = (body: PowerBody, field: Field) => fieldText(body, field, edit, say, name);
  const rows = [
    ...found.conflicts.map((field) => ({ field, kind: 'both' as const })),
    ...found.theirs.map((field) => ({ field, kind: 'theirs' as const })),
    ...found.mine.map((field) => ({ field, kind: 'mine' as const })),
  ];
  return (
    <>
      <table className="power-conflict-table">
        <thead>
          <tr>
            <th scope="col">{edit.field}</th>
            <th scope="col">{edit.mine}</th>
            <th scope="col">{edit.theirs}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ field, kind }) => (
            <tr key={field} data-conflict={kind}>
              <th scope="row">
                {edit[`field:${field}`]}
                <span className="kit-soft">
                  {kind === 'both' ? edit.both : kind === 'theirs' ? edit.onlyTheirs : edit.onlyMine}
                </span>
              </th>
              {(['mine', 'theirs'] as const).map((side) => {
                const shown = text(side === 'mine' ? mine : theirs, field);
                const isTaken = kind === 'both' ? (choices[field] ?? 'mine') === side : kind === side;
                return (
                  <td key={side} data-taken={isTaken}>
                    {kind === 'both' ? (
                      <Radio checked={isTaken} name={field} onChange={() => setChoices({ ...choices, [field]: side })}>
                        {shown}
                      </Radio>
                    ) : (
                      shown
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <div className="kit-actions">
        <Button type="primary" onClick={() => onMerged(merged(base, mine, theirs, choices))} data-act="merge">
          {edit.merge}
        </Button>
        <Button onClick={onTake} data-act="take-theirs">
          {edit.takeTheirs}
        </Button>
      </div>
    </>
  );
}

function whoText(who: string | null, edit: EditSay): string {
  if (who === null) return edit.someone;
  const cut = who.indexOf(':');
  const id = who.slice(cut + 1);
  return who.startsWith('person:') ? edit.person(id) : edit.token(id);
}

/** A field in a few words, enough to tell two of them apart. */
function fieldText(
  body: PowerBody,
  field: Field,
  edit: EditSay,
  say: Say,
  name: (pair: PowerBody['name']) => string,
): string {
  switch (field) {
    case 'name':
      return name(body.name);
    case 'kind':
      return say[`kind:${body.kind}`];
    case 'slots': {
      if (body.slots === null) return edit.no;
      const { kinds, before, after } = body.slots;
      return `${kinds.map((kind) => edit[`slot:${kind}`]).join(say.and)} (−${edit.minutes(before)}, +${edit.minutes(after)})`;
    }
    case 'weekly':
      return body.weekly.length === 0
        ? edit.no
        : body.weekly
            .map(
              ({ days, from, to }) =>
                `${days.map((day) => say[`weekday:${day}`]).join(say.and)} ${timeText(from)}–${timeText(to)}`,
            )
            .join('; ');
    case 'days': {
      const { kinds, parity } = body.days;
      const text = kinds.length === 0 ? edit.daysSchool : kinds.map((kind) => edit[`day:${kind}`]).join(say.and);
      return parity === undefined ? text : `${text}${say.comma}${parity === 'odd' ? edit.parityOdd : edit.parityEven}`;
    }
    case 'months':
      return body.months.length === 0 ? edit.monthsAll : body.months.map((month) => edit.month(month)).join(say.and);
    case 'outputs':
      return body.outputs.join(say.and);
    case 'occupancy':
      return body.occupancy === null ? edit.no : `${body.occupancy.ref} · ${edit.minutes(body.occupancy.offAfter)}`;
    case 'prepare':
      return body.prepare === null ? edit.no : `${edit[body.prepare.mode]} ${body.prepare.setpoint} ℃`;
    case 'setback':
      return body.setback === null ? edit.no : String(body.setback.value);
    case 'minimumOn':
    case 'minimumOff':
      return edit.minutes(body[field]);
    case 'on':
    case 'off':
    case 'layer':
      return String(body[field]);
  }
}
