import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SoundClass } from '#edge/domain/broadcast.ts';
import type { Device } from '#edge/domain/device.ts';
import type { Emergency } from '#edge/domain/emergency.ts';
import type { ZoneId } from '#edge/domain/ids.ts';
import { BroadcastDesk } from '#edge/processes/core/broadcast-desk.ts';
import { EmergencyDesk, type EmergencyWish } from '#edge/processes/core/emergency-desk.ts';
import type { StoredSound } from '#edge/rules/sound.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { emergencySection } from '#edge/runtime/site-emergency.ts';
import type { Batch } from '#edge/store/batch.ts';
import { place, point } from '../commands/desk.ts';
import { duty } from './emergency-room.ts';

/* The desk of emergencies over the real desk of sound: what is truly to be heard in two zones. */

const hall = 'hall' as ZoneId;
const yard = 'yard' as ZoneId;
const lengths: Readonly<Record<string, number>> = {
  fire: 9_000,
  quake: 10_000,
  storm: 8_000,
  clear: 4_000,
  word: 2_000,
};

function speaker(zone: ZoneId): Device {
  const [made] = place(`speaker-${zone}`, 'broadcast', [point('clip', 'text', { failSafe: '' })]);
  if (made === undefined) throw new Error('a place has a point');
  return { ...made.device, zone };
}
const speakers = [speaker(hall), speaker(yard)];

class Campus implements Disposable {
  readonly clock = new ManualClock(Date.UTC(2026, 10, 23, 2));
  readonly #sounds = new Map<string, StoredSound>();
  readonly #emergencies = new Map<string, Emergency>();
  sound: BroadcastDesk;
  desk: EmergencyDesk;

  constructor() {
    this.sound = this.#startSound();
    this.desk = this.#startDesk();
  }

  restart(): void {
    this[Symbol.dispose]();
    this.sound = this.#startSound();
    this.desk = this.#startDesk();
  }

  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 1_000) {
      this.clock.advance(Math.min(left, 1_000));
      this.sound.tick();
      this.desk.tick();
    }
  }

  begin(wish: Partial<EmergencyWish>): Emergency {
    return this.desk.begin({
      ...{ kind: 'fire', drill: false, zones: null, why: '', origin: { kind: 'person' }, by: 'person:lin' },
      ...{ from: 'web', sounds: true },
      ...wish,
    }).emergency;
  }

  one(id: string): Emergency | undefined {
    return this.desk.open.find((each) => each.id === id);
  }

  /** Class and clips that are played in a zone now. */
  heard(zone: ZoneId): readonly [SoundClass, string][] {
    return this.sound.items().flatMap(({ item, parts }): [SoundClass, string][] => {
      const plays = parts.some(({ output, state }) => output === `speaker-${zone}/clip` && state === 'playing');
      return plays && item.source.kind === 'clips' ? [[item.class, item.source.clips.join('+')]] : [];
    });
  }

  [Symbol.dispose](): void {
    this.desk[Symbol.dispose]();
    this.sound[Symbol.dispose]();
  }

  #startSound(): BroadcastDesk {
    const desk = new BroadcastDesk({
      ...{ devices: speakers, stored: () => [...this.#sounds.values()], sirens: [], onChange: () => {} },
      append: async (batch) => this.#write(batch),
      commands: () => ({ setInterlockHolds: () => {}, holdsOn: () => [] }) as never,
      clip: (name) => (name in lengths ? { length: lengths[name] ?? null, isEndless: false } : undefined),
      ...{ drillWord: { clip: 'word', length: 2_000 }, clock: this.clock, log: silentLog, isDriven: true },
    });
    desk.begin();
    return desk;
  }

  #startDesk(): EmergencyDesk {
    const desk = new EmergencyDesk({
      site: emergencySection.parse({
        allClear: 'clear',
        plans: { fire: { clips: ['fire'] }, earthquake: { clips: ['quake'] }, storm: { clips: ['storm'] } },
      }),
      ...{ zones: [hall, yard], rooms: [], sound: this.sound, drillWord: { clip: 'word', length: 2_000 } },
      stored: [...this.#emergencies.values()],
      commit: (batch) => this.#write(batch),
      ...{ decide: () => {}, resetRule: () => null, standing: () => '', onChange: () => {}, onEnd: () => {} },
      ...{ clock: this.clock, log: silentLog },
    });
    desk.restored([]);
    return desk;
  }

  #write({ sounds = [], emergencies = [] }: Batch): void {
    for (const { id, body } of sounds) {
      if (body === null) this.#sounds.delete(id);
      else this.#sounds.set(id, JSON.parse(JSON.stringify(body)) as StoredSound);
    }
    for (const one of emergencies) this.#emergencies.set(one.id, JSON.parse(JSON.stringify(one)) as Emergency);
  }
}

let campus: Campus;
beforeEach(() => {
  campus = new Campus();
});
afterEach(() => campus[Symbol.dispose]());

describe('the all clear', () => {
  it('is heard when a person ends it, over a bell or a page, and is then over', () => {
    const { id } = campus.begin({});
    expect(campus.heard(hall)).toEqual([['fire', 'fire']]);
    campus.desk.clear(id, 'burnt toast', duty);
    expect(campus.heard(hall)).toEqual([['warning', 'clear']]);
    campus.pass(5_000);
    expect(campus.heard(hall)).toEqual([]);
  });

  it('that another danger cuts is heard no more, neither in a moment of listening nor after a restart', () => {
    const fire = campus.begin({});
    campus.desk.clear(fire.id, 'burnt toast', duty);
    campus.pass(1_000);
    const quake = campus.begin({ kind: 'earthquake', zones: [hall] });
    expect(campus.heard(hall)).toEqual([['danger', 'quake']]);
    // There is no danger in the yard: there it is said.
    expect(campus.heard(yard)).toEqual([['warning', 'clear']]);
    campus.desk.sounds(quake.id, false, 'listening', duty);
    expect(campus.heard(hall)).toEqual([]);
    campus.restart();
    expect(campus.heard(hall)).toEqual([]);
    campus.pass(10_000);
    expect([campus.heard(hall), campus.heard(yard)]).toEqual([[], []]);
  });

  it('does not keep a warning waiting', () => {
    const fire = campus.begin({});
    campus.desk.clear(fire.id, 'burnt toast', duty);
    campus.begin({ kind: 'storm', origin: { kind: 'warning', key: 'centre 1' }, by: 'warning:centre' });
    expect(campus.heard(hall)).toEqual([['warning', 'storm+storm+storm']]);
  });

  it('of an exercise is not heard on a campus in danger, even if a restart came between', () => {
    const drill = campus.begin({ drill: true, zones: [yard] });
    campus.desk.clear(drill.id, 'over', duty);
    expect(campus.heard(yard)).toHaveLength(1);
    campus.restart();
    expect(campus.heard(yard)).toHaveLength(1);
    campus.begin({ kind: 'earthquake', zones: [hall] });
    expect(campus.heard(yard)).toEqual([]);
  });
});

describe('a sound that is over', () => {
  it('is not told as going on: a warning was said three times', () => {
    const { id } = campus.begin({ kind: 'storm', origin: { kind: 'warning', key: 'centre 1' }, by: 'warning:centre' });
    campus.pass(20_000);
    expect(campus.one(id)?.items).toHaveLength(1);
    campus.pass(6_000);
    expect(campus.one(id)).toMatchObject({ items: [], silent: [hall, yard] });
    campus.desk.sounds(id, true, 'once more', duty);
    expect(campus.heard(hall)).toEqual([['warning', 'storm+storm+storm']]);
  });

  it('because somebody stopped it on its page is silence there, and no silence elsewhere', () => {
    const { id } = campus.begin({ zones: [hall] });
    campus.begin({ zones: [yard] });
    const [first] = campus.one(id)?.items ?? [];
    if (first === undefined) throw new Error('it does not sound');
    campus.sound.stop(first, { by: duty.who, why: 'listening' });
    campus.pass(1_000);
    expect(campus.one(id)).toMatchObject({ silent: [hall] });
    expect([campus.heard(hall), campus.heard(yard)]).toEqual([[], [['fire', 'fire']]]);
    campus.desk.sounds(id, true, 'go on', duty);
    expect([campus.heard(hall), campus.heard(yard)]).toEqual([[['fire', 'fire']], [['fire', 'fire']]]);
    campus.desk.clear(id, 'over', duty);
    expect(campus.heard(hall)).toEqual([['warning', 'clear']]);
  });

  it('goes on over a restart as it was, silence too', () => {
    const { id } = campus.begin({});
    campus.pass(3_000);
    campus.restart();
    expect(campus.one(id)?.items).toHaveLength(1);
    expect(campus.heard(hall)).toEqual([['fire', 'fire']]);
    campus.desk.sounds(id, false, 'listening', duty);
    campus.restart();
    expect(campus.heard(hall)).toEqual([]);
    expect(campus.one(id)).toMatchObject({ silent: [hall, yard], items: [] });
  });
});
