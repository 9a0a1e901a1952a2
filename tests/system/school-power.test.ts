import { expect, test, vi } from 'vitest';
import type { OutputState } from '#edge/domain/output.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openStore } from '#edge/store/store.ts';
import { retention, temporaryFolder } from '../fixtures/store/site.ts';
import { startCampus } from './campus.ts';

/* A circuit that the school day holds, on the real campus: signed, told with why, kept over a kill of core, let go when the signature is taken back. */

const soon = { timeout: 60_000, interval: 200 };
const relay = 'relay-1/relay_4';
const allDay = {
  ...{
    part: 'power',
    name: { zh: '走廊照明', en: 'Corridor light' },
    layer: 'campus',
    kind: 'light',
    outputs: [relay],
  },
  ...{ on: true, off: false, slots: null, months: [], occupancy: null, prepare: null, setback: null },
  weekly: [{ days: [1, 2, 3, 4, 5, 6, 7], from: 0, to: 86_399 }],
  days: { kinds: ['school', 'make-up', 'exam', 'event', 'weekend', 'holiday', 'vacation'], weekdays: [] },
  ...{ minimumOn: 0, minimumOff: 0 },
};

test('a signed circuit is on, says why, outlives core, and is let go with its signature', {
  timeout: 180_000,
}, async () => {
  await using folder = await temporaryFolder();
  const data = folder.path;
  {
    // A clock that somebody has vouched for, and that was believed a moment ago.
    await using store = await openStore({ folder: data, clock: systemClock, log: silentLog, retention });
    const vouched = { by: 'person:lin', time: systemClock.now(), why: 'a test' };
    await store.append({ state: { 'school-clock': vouched, 'school-ticker': { horizon: systemClock.now() } } });
  }
  await using campus = await startCampus({ data, only: ['fieldbus', 'web'], city: false, onlyRules: {} });
  await vi.waitFor(() => {
    for (const name of ['core', 'fieldbus', 'web', 'simulators']) expect(campus.status(name).state).toBe('ready');
  }, soon);
  const output = () => campus.get<OutputState>(`outputs/${relay}`);
  const { revs } = await campus.post<{ revs: Record<string, number> }>('school/entries', {
    changes: [{ id: 'corridor', rev: 0, body: allDay }],
  });
  const { id } = await campus.post<{ id: string }>('school/releases', { revs, why: 'a test' });
  await vi.waitFor(async () => {
    expect(await output()).toMatchObject({
      ...{ value: true, holder: 'schedule:corridor', priority: 15 },
      confirmed: { value: true, outcome: 'done' },
    });
  }, soon);
  expect((await output()).reason).toContain('走廊照明：每周定时');
  expect(await campus.get('school/power')).toMatchObject({
    circuits: [{ entry: 'corridor', decision: { on: true, why: [{ code: 'time' }] } }],
  });
  const before = campus.pid('core');
  process.kill(before, 'SIGKILL');
  await vi.waitFor(async () => {
    expect(campus.pid('core')).not.toBe(before);
    expect(await campus.get('school/power')).toMatchObject({ circuits: [{ decision: { on: true } }] });
    expect(await output()).toMatchObject({ value: true, holder: 'schedule:corridor' });
  }, soon);
  await campus.post(`school/releases/${id}/undo`, { why: 'it was a test' });
  await vi.waitFor(async () => expect((await output()).holder).not.toBe('schedule:corridor'), soon);
});
