import { useQuery } from '@tanstack/react-query';
import { Button, Checkbox, InputNumber, Radio, Select } from 'antd';
import { useState } from 'react';
import type { PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import {
  dayKinds,
  itemClasses,
  type SchoolAction,
  type SchoolItem,
  slotKinds,
  type Weekday,
} from '#edge/domain/school.ts';
import { api } from '../../api.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState } from '../../kit/states.tsx';
import { valueText } from '../../kit/values.ts';
import { usePointName } from '../../names.ts';
import { useCampus, usePoints } from '../../use-live.tsx';
import { ValueField } from '../devices/value-field.tsx';
import type { EntriesView } from '../school-day/data.ts';
import { dayKindText, itemClassText, slotKindText, weekdayText } from '../school-day/reason-words.ts';
import { useAnchorText } from './anchor-text.ts';
import { LayerField, ZonesField } from './calendar-lists.tsx';
import { EntryEditor, type Known } from './entry-editor.tsx';
import { Field, NumberField, TimeField } from './fields.tsx';
import { idMaker } from './month-days.ts';
import { useClipOptions } from './use-clip-options.ts';
import { words } from './words.ts';

const weekdays: readonly Weekday[] = [1, 2, 3, 4, 5, 6, 7];
const newItem: SchoolItem = {
  ...{ part: 'item', name: { zh: '', en: '' }, class: 'bell', layer: 'campus', enabled: true },
  when: { slot: { kind: 'lesson' }, edge: 'start', offset: 0 },
  days: { kinds: [], weekdays: [] },
  do: { kind: 'sound', clip: '', zones: [], seconds: 10 },
};

/** Bells, programmes, screens, switches and modes of the draft, by when they happen. */
export function Items({ entries, mayEdit }: { readonly entries: EntriesView; readonly mayEdit: boolean }) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const anchor = useAnchorText();
  const [open, setOpen] = useState<Known<SchoolItem> | null>(null);
  const wrong = new Set(entries.mistakes.map(({ entry }) => entry));
  const known = entries.entries
    .flatMap(({ id, rev, body }): Known<SchoolItem>[] => (body.part === 'item' ? [{ id, rev, body }] : []))
    .sort((a, b) => rankOf(a.body) - rankOf(b.body));
  const makeNew = () => {
    const id = idMaker(
      'item',
      entries.entries.map((one) => one.id),
    )();
    setOpen({ id, rev: 0, body: newItem });
  };
  return (
    <div className="schoolplan-two">
      <section className="kit-panel schoolplan-section" aria-label={say.items}>
        <h2>{say.items}</h2>
        {known.length === 0 && <EmptyState title={say.noItems}>{say.noItemsHelp}</EmptyState>}
        <ul className="schoolplan-list">
          {known.map((one) => (
            <li key={one.id} data-item={one.id}>
              <button type="button" className="schoolplan-link" onClick={() => setOpen(one)} disabled={!mayEdit}>
                {name(one.body.name)}
              </button>
              <span className="kit-soft">
                {anchor(one.body.when)} · {itemClassText(one.body.class, language)}
              </span>
              {!one.body.enabled && <ToneBadge tone="plain">{say.off}</ToneBadge>}
              {wrong.has(one.id) && <ToneBadge tone="bad">{say.wrongTitle}</ToneBadge>}
            </li>
          ))}
        </ul>
        {mayEdit && (
          <div className="kit-actions">
            <Button type="primary" onClick={makeNew} data-act="add-item">
              {say.newItem}
            </Button>
          </div>
        )}
      </section>
      {open !== null && (
        <section className="kit-panel schoolplan-section" aria-label={say.newItem}>
          <EntryEditor<SchoolItem>
            key={`${open.id} ${open.rev}`}
            entry={open}
            missing={({ do: action }) => [
              ...(action.kind === 'sound' && action.clip === '' ? [say.needWhere] : []),
              ...(action.kind === 'hold' && action.outputs.length === 0 ? [say.needOutputs] : []),
            ]}
            onDone={() => setOpen(null)}
          >
            {(body, change) => <ItemFields {...{ body, change, entries }} />}
          </EntryEditor>
        </section>
      )}
    </div>
  );
}

/** Fixed times first, by the clock; then what hangs on slots, as the day has them. */
function rankOf({ when }: SchoolItem): number {
  if ('at' in when) return when.at;
  const { slot } = when;
  return 100_000 + (typeof slot === 'string' ? slotKinds.length : slotKinds.indexOf(slot.kind)) * 100_000 + when.offset;
}

interface FieldsProps {
  readonly body: SchoolItem;
  readonly change: (part: Partial<SchoolItem>) => void;
}

function ItemFields({ body, change, entries }: FieldsProps & { readonly entries: EntriesView }) {
  const say = useWords(words);
  const language = useLanguage();
  return (
    <>
      <div className="schoolplan-fields">
        <Field label={say.class}>
          {(id) => (
            <Select
              id={id}
              value={body.class}
              onChange={(next) => change({ class: next })}
              options={itemClasses.map((one) => ({ value: one, label: itemClassText(one, language) }))}
            />
          )}
        </Field>
        <LayerField layer={body.layer} entries={entries} onChange={(layer) => change({ layer })} />
        <Field label={say.enabled}>
          {(id) => (
            <Checkbox id={id} checked={body.enabled} onChange={(event) => change({ enabled: event.target.checked })} />
          )}
        </Field>
      </div>
      <When {...{ body, change, entries }} />
      <Days {...{ body, change }} />
      <Do {...{ body, change }} />
    </>
  );
}

function When({ body: { when }, change, entries }: FieldsProps & { readonly entries: EntriesView }) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const pieces = new Map(
    entries.entries.flatMap(({ body }) =>
      body.part === 'timetable' ? body.pieces.map((piece) => [piece.id, name(piece.name)] as const) : [],
    ),
  );
  const slots = [
    ...slotKinds.map((kind) => ({ value: `kind:${kind}`, label: say.slotKind(slotKindText(kind, language)) })),
    ...[...pieces].map(([id, label]) => ({ value: `slot:${id}`, label: say.slotOne(label) })),
  ];
  const isFixed = 'at' in when;
  return (
    <fieldset className="schoolplan-rows">
      <legend>{say.when}</legend>
      <Radio.Group
        value={isFixed}
        onChange={(event) =>
          change({
            when:
              event.target.value === true ? { at: 8 * 3_600 } : { slot: { kind: 'lesson' }, edge: 'start', offset: 0 },
          })
        }
      >
        <Radio value={true}>{say.whenAt}</Radio>
        <Radio value={false}>{say.whenSlot}</Radio>
      </Radio.Group>
      {'at' in when ? (
        <TimeField label={say.at} value={when.at} onChange={(at) => change({ when: { at } })} />
      ) : (
        <div className="schoolplan-fields">
          <Field label={say.slot}>
            {(id) => (
              <Select<string>
                id={id}
                value={typeof when.slot === 'string' ? `slot:${when.slot}` : `kind:${when.slot.kind}`}
                onChange={(chosen) => {
                  const kind = slotKinds.find((one) => `kind:${one}` === chosen);
                  change({ when: { ...when, slot: kind === undefined ? chosen.slice(5) : { kind } } });
                }}
                options={slots}
                popupMatchSelectWidth={false}
              />
            )}
          </Field>
          <Field label={say.edge}>
            {(id) => (
              <Select<'start' | 'end'>
                id={id}
                value={when.edge}
                onChange={(edge) => change({ when: { ...when, edge } })}
                options={(['start', 'end'] as const).map((edge) => ({ value: edge, label: say[`edge:${edge}`] }))}
              />
            )}
          </Field>
          <NumberField
            label={say.offset}
            value={when.offset}
            least={-43_200}
            most={43_200}
            onChange={(offset) => change({ when: { ...when, offset } })}
          />
        </div>
      )}
    </fieldset>
  );
}

function Days({ body: { days }, change }: FieldsProps) {
  const say = useWords(words);
  const language = useLanguage();
  const { parity, weather, ...rest } = days;
  const set = (next: { readonly parity?: string | undefined; readonly weather?: string | undefined }) => {
    const now = { parity, weather, ...next };
    change({
      days: {
        ...rest,
        ...((now.parity === 'odd' || now.parity === 'even') && { parity: now.parity }),
        ...((now.weather === 'rainy' || now.weather === 'dry') && { weather: now.weather }),
      },
    });
  };
  return (
    <fieldset className="schoolplan-rows">
      <legend>{say['field:days']}</legend>
      <div className="schoolplan-fields">
        <Field label={say.kinds}>
          {(id) => (
            <Select
              id={id}
              mode="multiple"
              value={[...days.kinds]}
              placeholder={say.kindsUsual}
              onChange={(kinds) => change({ days: { ...days, kinds } })}
              options={dayKinds.map((kind) => ({ value: kind, label: dayKindText(kind, language) }))}
            />
          )}
        </Field>
        <Field label={say.weekdays}>
          {(id) => (
            <Select<Weekday[]>
              id={id}
              mode="multiple"
              value={[...days.weekdays]}
              placeholder={say.weekdaysAll}
              onChange={(chosen) => change({ days: { ...days, weekdays: [...chosen].sort() } })}
              options={weekdays.map((day) => ({ value: day, label: weekdayText(day, language) }))}
            />
          )}
        </Field>
        <Field label={say.useParity}>
          {(id) => (
            <Select<string>
              id={id}
              value={parity ?? ''}
              onChange={(next) => set({ parity: next })}
              options={[
                { value: '', label: say.parityAny },
                { value: 'odd', label: say['parity:odd'] },
                { value: 'even', label: say['parity:even'] },
              ]}
            />
          )}
        </Field>
        <Field label={say.weather}>
          {(id) => (
            <Select<string>
              id={id}
              value={weather ?? ''}
              onChange={(next) => set({ weather: next })}
              options={[
                { value: '', label: say.weatherAny },
                { value: 'dry', label: say['weather:dry'] },
                { value: 'rainy', label: say['weather:rainy'] },
              ]}
            />
          )}
        </Field>
      </div>
    </fieldset>
  );
}

const actions: Readonly<Record<SchoolAction['kind'], SchoolAction>> = {
  sound: { kind: 'sound', clip: '', zones: [], seconds: 10 },
  hold: { kind: 'hold', outputs: [], seconds: 3_600 },
  mode: { kind: 'mode', mode: '', on: true, seconds: 3_600 },
};

function Do({ body: { do: action }, change }: FieldsProps) {
  const say = useWords(words);
  const set = (next: SchoolAction) => change({ do: next });
  return (
    <fieldset className="schoolplan-rows">
      <legend>{say.do}</legend>
      <Radio.Group
        value={action.kind}
        onChange={(event) => {
          const next = Object.values(actions).find(({ kind }) => kind === event.target.value);
          if (next !== undefined) set(next);
        }}
      >
        {(['sound', 'hold', 'mode'] as const).map((kind) => (
          <Radio key={kind} value={kind}>
            {say[`do:${kind}`]}
          </Radio>
        ))}
      </Radio.Group>
      {action.kind === 'sound' && <Sound action={action} onChange={set} />}
      {action.kind === 'hold' && <Hold action={action} onChange={set} />}
      {action.kind === 'mode' && <Mode action={action} onChange={set} />}
      <NumberField
        label={say.seconds}
        value={action.seconds}
        least={1}
        most={action.kind === 'sound' ? 21_600 : 86_400}
        onChange={(seconds) => set({ ...action, seconds })}
      />
    </fieldset>
  );
}

type Of<K extends SchoolAction['kind']> = Extract<SchoolAction, { kind: K }>;

function Sound({
  action,
  onChange,
}: {
  readonly action: Of<'sound'>;
  readonly onChange: (action: Of<'sound'>) => void;
}) {
  const say = useWords(words);
  const clips = useClipOptions();
  const { volume, ...rest } = action;
  return (
    <div className="schoolplan-fields">
      <Field label={say.clip}>
        {(id) => (
          <Select<string>
            id={id}
            value={action.clip === '' ? null : action.clip}
            onChange={(clip) => onChange({ ...action, clip })}
            options={[...clips]}
          />
        )}
      </Field>
      <ZonesField
        label={say.zones}
        zones={action.zones}
        placeholder={say.zonesLayer}
        // Checked by the server: a zone is one of the campus.
        onChange={(zones) => onChange({ ...action, zones: zones as ZoneId[] })}
      />
      <Field label={say.volume}>
        {(id) => (
          <InputNumber<number>
            id={id}
            {...{ min: 0, max: 100, precision: 0, placeholder: say.volumeUsual }}
            value={volume === undefined ? null : Math.round(volume * 100)}
            onChange={(next) => onChange(next === null ? rest : { ...rest, volume: next / 100 })}
          />
        )}
      </Field>
    </div>
  );
}

function Hold({ action, onChange }: { readonly action: Of<'hold'>; readonly onChange: (action: Of<'hold'>) => void }) {
  const say = useWords(words);
  const pointName = usePointName();
  const points = (usePoints() ?? []).filter(({ write, point }) => write !== undefined && point !== 'clip');
  const first = points.find(({ id }) => id === action.outputs[0]?.ref);
  return (
    <div className="schoolplan-fields">
      <Field label={say.outputs}>
        {(id) => (
          <Select<string[]>
            id={id}
            mode="multiple"
            value={action.outputs.map(({ ref }) => ref)}
            onChange={(refs) => {
              const value = action.outputs[0]?.value ?? true;
              // Checked by the server: a point of the campus.
              onChange({ ...action, outputs: refs.map((ref) => ({ ref: ref as PointRef, value })) });
            }}
            options={points.map((point) => ({ value: point.id, label: pointName(point.id) }))}
            showSearch={{ optionFilterProp: 'label' }}
          />
        )}
      </Field>
      {first !== undefined && (
        <Field label={say.value}>
          {(id) => (
            <ValueField
              id={id}
              point={first}
              clips={[]}
              value={action.outputs[0]?.value ?? true}
              onChange={(value) =>
                value !== null && onChange({ ...action, outputs: action.outputs.map(({ ref }) => ({ ref, value })) })
              }
            />
          )}
        </Field>
      )}
    </div>
  );
}

function Mode({ action, onChange }: { readonly action: Of<'mode'>; readonly onChange: (action: Of<'mode'>) => void }) {
  const say = useWords(words);
  const name = useName();
  const modes = useQuery({
    queryKey: ['modes'],
    queryFn: ({ signal }) => api.get<readonly { readonly id: string; readonly name: Name }[]>('modes', signal),
    staleTime: 60_000,
  }).data;
  return (
    <Field label={say.mode}>
      {(id) => (
        <Select<string>
          id={id}
          value={action.mode === '' ? null : action.mode}
          onChange={(mode) => onChange({ ...action, mode })}
          options={(modes ?? []).map((mode) => ({ value: mode.id, label: name(mode.name) }))}
        />
      )}
    </Field>
  );
}
