import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import type { DeviceId, HappeningId, ZoneId } from '#edge/domain/ids.ts';
import type { Incident } from '#edge/domain/incident.ts';
import { mostEntries } from '#edge/rules/incident-course.ts';
import { actOn, type IncidentAct, mergeIncidents, situationOf } from '#edge/rules/incident-machine.ts';
import {
  type IncidentInput,
  type IncidentSituation,
  incidentCell,
  incidentInputs,
  incidentSituations,
  incidentTableMarkdown,
} from '#edge/rules/incident-table.ts';

const start = 1_800_000_000_000;
const me = { who: 'person:lin', name: 'Lin', time: start + 5_000 };
const other = { who: 'person:wang', name: 'Wang', time: start + 1_000 };
const context = { actor: me, escalateAfter: 60_000 };

function incident(more: Partial<Incident> = {}): Incident {
  return {
    id: '019f0000-0000-7000-8000-000000000001' as HappeningId,
    state: 'new',
    class: 'medium',
    zone: 'gate' as ZoneId,
    types: ['person'],
    devices: ['camera-1' as DeviceId],
    from: start,
    to: start + 1_000,
    isClosed: false,
    events: ['018f0000-0000-7000-8000-000000000001' as HappeningId],
    count: 1,
    picture: null,
    claimedBy: null,
    seenBy: null,
    escalatesAt: start + 60_000,
    outcome: null,
    note: '',
    emergency: null,
    course: [{ time: start, who: 'process:core', name: '', what: 'opened', text: 'person camera-1' }],
    rev: 1,
    ...more,
  };
}

function incidentIn(situation: IncidentSituation): Incident {
  const emergency = situation.endsWith('e') ? 'gatehouse' : null;
  const by = situation.startsWith('C') ? me : situation.startsWith('O') ? other : null;
  const state = ({ N: 'new', C: 'claimed', O: 'claimed', E: 'escalated', R: 'resolved' } as const)[
    situation.slice(0, 1) as 'N'
  ];
  return incident({ state, emergency, claimedBy: by, escalatesAt: state === 'new' ? start + 60_000 : null });
}

function actFor(input: IncidentInput): IncidentAct | null {
  switch (input) {
    case 'merge':
      return null;
    case 'resolve':
    case 'reset':
      return { act: input, outcome: 'handled', text: 'a parent' };
    case 'see':
    case 'claim':
    case 'take':
    case 'due':
      return { act: input };
    default:
      return { act: input, text: 'why' };
  }
}

describe('every state and every input', () => {
  const cells = incidentSituations.flatMap((from) => incidentInputs.map((input) => [from, input] as const));
  it.each(cells)('%s, %s: is as the table says', (from, input) => {
    const before = incidentIn(from);
    const cell = incidentCell(from, input);
    const act = actFor(input);
    if (act === null) {
      const whole = incident({ id: '019f0000-0000-7000-8000-000000000009' as HappeningId });
      const merged = mergeIncidents(whole, before, me);
      expect(merged.ok).toBe(cell !== 'refused');
      if (merged.ok) expect(situationOf(merged.part, me.who)).toBe('R');
      return;
    }
    const acted = actOn(before, act, input === 'due' ? { ...context, actor: { ...me, who: 'process:core' } } : context);
    if (cell === 'refused') {
      expect(acted).toMatchObject({ ok: false });
      if (!acted.ok) expect(acted.why).toMatch(/\w{4}/);
    } else if (cell === 'nothing') expect(acted).toEqual({ ok: true, incident: before, isChanged: false });
    else {
      expect(acted).toMatchObject({ ok: true, isChanged: true });
      if (!acted.ok) return;
      // What is begun again is an incident like any other.
      const to = cell.to === 'Re' && input === 'reopen' ? 'N' : cell.to;
      expect(situationOf(acted.incident, me.who)).toBe(to);
      expect(acted.incident.rev).toBe(before.rev + 1);
      expect(acted.incident.course).toHaveLength(before.course.length + 1);
    }
  });

  test('the table of the documentation is this one', () => {
    const text = readFileSync(new URL('../../../edge/docs/incidents.md', import.meta.url), 'utf8');
    expect(text).toContain(incidentTableMarkdown());
  });
});

function done(before: Incident, act: IncidentAct, actor = me): Incident {
  const acted = actOn(before, act, { ...context, actor });
  if (!acted.ok) throw new Error(acted.why);
  return acted.incident;
}

describe('what people do', () => {
  test('a look is everybody’s, and whoever acts has looked', () => {
    const seen = done(incident(), { act: 'see' });
    expect(seen.seenBy).toEqual(me);
    expect(done(seen, { act: 'see' }, other)).toBe(seen);
    expect(done(incident(), { act: 'claim' }, other).seenBy).toEqual(other);
  });

  test('a claim stops the clock; letting go of it begins it anew', () => {
    const claimed = done(incident(), { act: 'claim' });
    expect(claimed).toMatchObject({ state: 'claimed', claimedBy: me, escalatesAt: null });
    const late = { ...me, time: start + 500_000 };
    const released = done(claimed, { act: 'release', text: 'shift is over' }, late);
    expect(released).toMatchObject({ state: 'new', claimedBy: null, escalatesAt: start + 560_000 });
    expect(released.course.at(-1)).toEqual({ ...late, what: 'released', text: 'shift is over' });
  });

  test('a claim is not taken out of another’s hands by accident', () => {
    const claimed = done(incident(), { act: 'claim' }, other);
    expect(actOn(claimed, { act: 'claim' }, context)).toEqual({ ok: false, why: 'Wang has claimed it already' });
    expect(done(claimed, { act: 'take' })).toMatchObject({ claimedBy: me });
    expect(actOn(claimed, { act: 'release', text: '' }, context)).toEqual({ ok: false, why: 'Wang has claimed it' });
  });

  test('its outcome ends it; reopened it waits for somebody again', () => {
    const resolved = done(incident(), { act: 'resolve', outcome: 'false-alarm', text: 'a cat' });
    expect(resolved).toMatchObject({ state: 'resolved', outcome: 'false-alarm', note: 'a cat', isClosed: true });
    expect(resolved.course.at(-1)).toMatchObject({ what: 'resolved', text: 'false-alarm: a cat' });
    const reopened = done(resolved, { act: 'reopen', text: 'it was a boy' });
    expect(reopened).toMatchObject({ state: 'new', outcome: null, escalatesAt: me.time + 60_000, isClosed: true });
  });

  test('the one-key alarm is ended by its reset only, and is an incident like any other when it is reopened', () => {
    const pressed = incidentIn('Ee');
    expect(actOn(pressed, { act: 'resolve', outcome: 'handled', text: '' }, context)).toMatchObject({
      ok: false,
      why: expect.stringContaining('one-key alarm'),
    });
    const ended = done(pressed, { act: 'reset', outcome: 'police', text: 'handed to the police' });
    expect(ended).toMatchObject({ state: 'resolved', outcome: 'police', emergency: 'gatehouse' });
    expect(done(ended, { act: 'reopen', text: 'x' }).emergency).toBeNull();
  });

  test('its course has bounds, and what people said stays longest', () => {
    let one = incident();
    const core = { who: 'process:core', name: '', time: start };
    for (let i = 0; i < 300; i++) one = done(one, { act: 'note', text: `note ${i}` });
    for (let i = 0; i < 400; i++) one = done(one, { act: 'bookmark', text: `${i}` }, core);
    expect(one.course).toHaveLength(mostEntries);
    expect(one.course.filter(({ what }) => what === 'noted')).toHaveLength(300);
    expect(one.course[0]?.what).toBe('opened');
  });
});

test('two that are one become one: what was seen and said in both goes on, and the other says where', () => {
  const whole = incident({ devices: ['camera-1' as DeviceId], picture: 'd/a.jpg' });
  const part = done(
    incident({
      id: '019f0000-0000-7000-8000-000000000002' as HappeningId,
      class: 'high',
      types: ['intrusion', 'person'],
      devices: ['camera-2' as DeviceId],
      from: start - 9_000,
      to: start + 90_000,
      events: ['018f0000-0000-7000-8000-000000000009' as HappeningId],
      count: 7,
      picture: 'd/b.jpg',
    }),
    { act: 'note', text: 'over the wall' },
    other,
  );
  const merged = mergeIncidents(whole, part, me);
  if (!merged.ok) throw new Error(merged.why);
  expect(merged.whole).toMatchObject({
    ...{
      class: 'high',
      types: ['intrusion', 'person'],
      devices: ['camera-1', 'camera-2'],
      count: 8,
      picture: 'd/b.jpg',
    },
    ...{ from: start - 9_000, to: start + 90_000, events: [part.events[0], whole.events[0]] },
  });
  expect(merged.whole.course.map(({ text }) => text)).toEqual(['person camera-1', 'over the wall', part.id]);
  expect(merged.part).toMatchObject({
    state: 'resolved',
    outcome: 'handed-over',
    mergedInto: whole.id,
    isClosed: true,
  });
  expect(mergeIncidents(whole, whole, me).ok).toBe(false);
  expect(mergeIncidents({ ...whole, state: 'resolved' }, part, me).ok).toBe(false);
});
