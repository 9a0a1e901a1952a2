import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BoundedAudit } from '#edge/processes/core/emergency-audit.ts';
import { Earthquakes, type EarthquakeWord } from '#edge/processes/core/emergency-earthquake.ts';
import { Warnings, type WarningsOptions } from '#edge/processes/core/emergency-warnings.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { emergencySection } from '#edge/runtime/site-emergency.ts';
import type { Batch } from '#edge/store/batch.ts';
import { capText, parseCap } from '#edge/warnings/cap-xml.ts';
import { type Storm, storm } from '../warnings/messages.ts';
import { duty, EmergencyRoom } from './emergency-room.ts';

const centre = '51041141600000';
const machine = { who: 'token:early-warning', from: '10.0.0.8' };

let room: EmergencyRoom;
let state: Record<string, unknown>;
let lines: string[];
let writes: number;
let warnings: Warnings;
beforeEach(() => {
  room = new EmergencyRoom();
  [state, lines, writes] = [{}, [], 0];
  warnings = start();
});
afterEach(() => {
  warnings[Symbol.dispose]();
  room[Symbol.dispose]();
});

function commit(batch: Batch): void {
  Object.assign(state, JSON.parse(JSON.stringify(batch.state ?? {})));
  if (batch.state !== undefined) writes++;
  for (const { what, result } of batch.audit ?? []) lines.push(`${what} ${result}`);
}

function start(emergencies: WarningsOptions['emergencies'] = room.desk): Warnings {
  const site = emergencySection.parse({ warnings: { senders: [{ sender: centre, mustSign: false }] } }).warnings;
  return new Warnings({
    ...{ site, emergencies, stored: state['warnings'], commit, onChange: () => {} },
    ...{ audit: new BoundedAudit(), clock: room.clock, log: silentLog },
  });
}

const time = (ms: number) => new Date(room.clock.now() + ms).toISOString().replace(/\.\d+Z$/, '+00:00');
const take = (change: Storm = {}, by = warnings) =>
  by.take(
    parseCap(capText(new TextEncoder().encode(storm({ sent: time(0), expires: time(3_600_000), ...change })))),
    { signature: 'unchecked' },
    machine,
  );

describe('a public warning', () => {
  it('that could not begin is shown, and said again it sounds', () => {
    const broken = start({
      begin: () => {
        throw new Error('no');
      },
      endOf: () => 0,
    });
    expect(take({}, broken)).toMatchObject({ act: 'show', emergency: null });
    expect(broken.shown()).toMatchObject([{ sounds: false, event: '暴雨' }]);
    expect(lines.at(-1)).toContain('failed: no');
    broken[Symbol.dispose]();
    warnings = start();
    expect(take()).toMatchObject({ act: 'sound', reason: 'new' });
    expect(warnings.shown()).toMatchObject([{ sounds: true }]);
  });

  it('said a thousand times is written once', () => {
    take();
    expect(writes).toBe(1);
    for (let i = 0; i < 1_000; i++) take();
    expect(writes).toBe(1);
    expect(lines.length).toBeLessThan(200);
    room.clock.advance(3_600_000);
    take();
    expect(lines.filter((line) => line.startsWith('crisis.beyond'))).toEqual([expect.stringMatching(/ \d+ more$/)]);
  });

  it('changed a thousand times is written a few times, and not forgotten', () => {
    take({ identifier: 'u0' });
    for (let i = 1; i < 1_000; i++)
      take({ identifier: `u${i}`, type: 'Update', references: `${centre},u${i - 1},${time(0)}` });
    expect(room.desk.open).toHaveLength(1);
    expect(writes).toBe(20);
    warnings[Symbol.dispose]();
    expect(writes).toBe(21);
    warnings = start();
    expect(take({ identifier: 'u999', type: 'Update' })).toMatchObject({ reason: 'duplicate' });
  });

  it('whose emergency a person ended is shown, and its update is none of what is gone', () => {
    const { emergency } = take({ identifier: 'a' });
    room.desk.clear(emergency ?? '', 'we are all inside', duty);
    const ended = [...room.disk.values()].find(({ id }) => id === emergency);
    if (ended !== undefined) warnings.ended(ended);
    expect(warnings.shown()).toMatchObject([{ sounds: false }]);
    expect(take({ identifier: 'a' })).toMatchObject({ act: 'none', reason: 'duplicate' });
    const cancel = { identifier: 'b', type: 'Cancel', references: `${centre},a,${time(0)}` };
    expect(take(cancel)).toMatchObject({ act: 'none', reason: 'cancel' });
  });

  it('that came again because the process ended before it had written everything is one emergency', () => {
    const { emergency } = take({ identifier: 'a' });
    state = {};
    warnings[Symbol.dispose]();
    room.restart();
    warnings = start();
    state = {};
    expect(take({ identifier: 'a' }).emergency).toBe(emergency);
    expect(room.desk.open).toHaveLength(1);
  });
});

describe('an earthquake', () => {
  let quakes: Earthquakes;
  const begin = () =>
    new Earthquakes({
      ...{ from: 4, emergencies: room.desk, stored: state['earthquakes'], commit, clock: room.clock },
      audit: new BoundedAudit(),
    });
  beforeEach(() => {
    quakes = begin();
  });
  const say = (word: Partial<EarthquakeWord> = {}) =>
    quakes.take(
      {
        ...{ event: 'q', update: 1, test: false, cancel: false, arrival: room.clock.now() + 20_000 },
        ...{ intensity: 6, magnitude: null, place: '' },
        ...word,
      },
      machine,
    ).act;

  it('that was taken back does not sound again, not by an older nor a newer word, nor after a restart', () => {
    expect([say(), say({ update: 5 }), say({ update: 6, cancel: true })]).toEqual(['sound', 'sound', 'end']);
    expect([say({ update: 3 }), say({ update: 9 }), say({ update: 9, cancel: true })]).toEqual([
      'over',
      'over',
      'none',
    ]);
    quakes = begin();
    expect(say({ update: 10 })).toBe('over');
    expect(room.desk.open).toEqual([]);
    expect(say({ event: 'other' })).toBe('sound');
  });

  it('keeps its newest update, also where it was weak', () => {
    expect([say({ update: 4 }), say({ update: 2 })]).toEqual(['sound', 'older']);
    quakes = begin();
    expect(say({ update: 4 })).toBe('older');
    expect(say({ event: 'weak', update: 3, intensity: 1 })).toBe('below-threshold');
    expect(say({ event: 'weak', update: 3 })).toBe('older');
    expect(say({ event: 'weak', update: 4 })).toBe('sound');
  });

  it('that is long over, far away in time, or a test is none', () => {
    expect(say({ arrival: room.clock.now() - 61_000 })).toBe('too-late');
    expect(say({ arrival: room.clock.now() + 601_000 })).toBe('too-far');
    expect(say({ arrival: 253_402_300_799_999 })).toBe('too-far');
    expect(say({ test: true })).toBe('test');
    expect(room.desk.open).toEqual([]);
  });

  it('taken back leaves what a person had begun', () => {
    const { id } = room.begin({ kind: 'earthquake' });
    expect(say()).toBe('sound');
    expect(say({ cancel: true })).toBe('none');
    expect(room.isOpen(id)).toBe(true);
  });
});
