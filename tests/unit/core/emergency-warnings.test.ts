import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BoundedAudit } from '#edge/processes/core/emergency-audit.ts';
import { Earthquakes, type EarthquakeWord } from '#edge/processes/core/emergency-earthquake.ts';
import { Warnings, type WarningsOptions } from '#edge/processes/core/emergency-warnings.ts';
import { Together } from '#edge/processes/core/together.ts';
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

function start(emergencies: WarningsOptions['emergencies'] = room.desk, together = new Together(commit)): Warnings {
  const site = emergencySection.parse({ warnings: { senders: [{ sender: centre, mustSign: false }] } }).warnings;
  return new Warnings({
    ...{ site, emergencies, stored: state['warnings'], together, onChange: () => {} },
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

  it('is in one write with what began with it, and cut anywhere between two writes it sounds once and ends', () => {
    const disk: Batch[] = [];
    const together = new Together((batch) => void disk.push(JSON.parse(JSON.stringify(batch)) as Batch));
    room.onCommit = (batch) => together.commit(batch);
    warnings[Symbol.dispose]();
    warnings = start(room.desk, together);
    room.onEnd = (one) => warnings.ended(one);
    const said: readonly Storm[] = [
      { identifier: 'a' },
      { identifier: 'b', type: 'Update', references: `${centre},a,${time(0)}` },
      { identifier: 'c', type: 'Cancel', references: `${centre},b,${time(0)}` },
    ].map((one) => ({ ...one, sent: time(0), expires: time(3_600_000) }));
    for (const one of said) take(one);
    expect(disk).toHaveLength(said.length);
    for (let cut = 0; cut <= disk.length; cut++) {
      using other = new EmergencyRoom();
      for (const { emergencies = [] } of disk.slice(0, cut)) for (const one of emergencies) other.disk.set(one.id, one);
      other.restart(true);
      state = Object.assign({}, ...disk.slice(0, cut).map((batch) => batch.state ?? {})) as Record<string, unknown>;
      using next = start(other.desk);
      other.onEnd = (one) => next.ended(one);
      // Whatever had not been answered is said again, and some of what had been.
      for (const one of said.slice(Math.max(0, cut - 1))) take(one, next);
      expect(other.desk.open).toEqual([]);
      expect(next.shown()).toEqual([]);
      expect(said.map((one) => take(one, next).reason)).toEqual(['duplicate', 'duplicate', 'duplicate']);
      // Heard again after the loss of all sound is what still went on, and what was new.
      expect(other.said.length).toBe([2, 2, 1, 0][cut]);
    }
  });

  it('of a sender that says something loud without end is shown from some time on, but what is graver is heard', () => {
    const loud = () => room.said.length;
    for (let i = 0; i < 60; i++) {
      const references = i === 0 ? '' : `${centre},u${i - 1},${time(0)}`;
      take({ identifier: `u${i}`, type: i === 0 ? 'Alert' : 'Update', ...(i === 0 ? {} : { references }) });
    }
    expect(loud()).toBe(12);
    expect(room.desk.open).toHaveLength(1);
    expect(take({ identifier: 'u60' })).toMatchObject({ act: 'show', reason: 'too-often' });
    expect(take({ identifier: 'u61', severity: 'Extreme' })).toMatchObject({ act: 'sound', reason: 'new' });
    expect(loud()).toBe(13);
    room.clock.advance(3_600_000);
    expect(take({ identifier: 'u62' })).toMatchObject({ act: 'sound' });
  });

  it('that a person had ended is no longer shown when it is cancelled', () => {
    room.onEnd = (one) => warnings.ended(one);
    const { emergency } = take({ identifier: 'a' });
    room.desk.clear(emergency ?? '', 'we are all inside', duty);
    expect(warnings.shown()).toHaveLength(1);
    take({ identifier: 'b', type: 'Cancel', references: `${centre},a,${time(0)}` });
    expect(warnings.shown()).toEqual([]);
  });

  it('is one line of whole letters wherever people read it', () => {
    const event = `暴\n雨${'\u{1f327}'.repeat(80)}`;
    const one = parseCap(capText(new TextEncoder().encode(storm({ sent: time(0), expires: time(3_600_000) }))));
    const infos = one.infos.map((info) => ({ ...info, event, headline: '' }));
    warnings.take({ ...one, infos }, { signature: 'unchecked' }, machine);
    const [shown] = warnings.shown();
    for (const text of [shown?.event ?? '', room.desk.open[0]?.why ?? '', room.desk.open[0]?.name.zh ?? '']) {
      expect(text.isWellFormed()).toBe(true);
      expect(text).toMatch(/^暴 雨/);
      expect(text).not.toMatch(/\n/);
    }
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
      ...{ from: 4, emergencies: room.desk, stored: state['earthquakes'], clock: room.clock },
      together: new Together(commit),
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

  it('that a person has ended is not begun again by the next word of it, unless it is graver', () => {
    room.onEnd = (one) => quakes.ended(one);
    expect(say({ update: 1 })).toBe('sound');
    const [one] = room.desk.open;
    room.desk.clear(one?.id ?? '', 'the terminal is being tried', duty);
    expect([say({ update: 2 }), say({ update: 3, intensity: 6.9 })]).toEqual(['ended', 'ended']);
    quakes = begin();
    room.onEnd = (each) => quakes.ended(each);
    expect(say({ update: 4 })).toBe('ended');
    expect(say({ update: 5, intensity: 7 })).toBe('sound');
    expect(say({ event: 'another' })).toBe('sound');
  });

  it('after earthquake without end is heard, and does not fill the memory of it', () => {
    const acts = Array.from({ length: 300 }, (_, i) => say({ event: `e${i}` }));
    expect(acts.filter((act) => act === 'sound')).toHaveLength(20);
    expect(acts.at(-1)).toBe('too-many');
    expect(room.desk.open).toHaveLength(1);
    expect(room.desk.open[0]?.causes).toHaveLength(20);
    expect(say({ event: 'e3', update: 2 })).toBe('sound');
    expect(say({ event: 'e3', cancel: true })).toBe('none');
    expect(say({ event: 'e299', update: 2 })).toBe('sound');
  });

  it('taken back leaves what a person had begun', () => {
    const { id } = room.begin({ kind: 'earthquake' });
    expect(say()).toBe('sound');
    expect(say({ cancel: true })).toBe('none');
    expect(room.isOpen(id)).toBe(true);
  });
});
