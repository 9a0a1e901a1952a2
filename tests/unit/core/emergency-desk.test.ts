import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmergencyOrigin } from '#edge/domain/emergency.ts';
import { pick, seeded } from '../rules/random.ts';
import { duty, EmergencyRoom, kinds, rule, terminal, warning, zones } from './emergency-room.ts';

const [teaching, gate, field] = zones;
const hour = 3_600_000;
const isTerminal = (origin: EmergencyOrigin) => origin.kind === 'terminal';

let room: EmergencyRoom;
beforeEach(() => {
  room = new EmergencyRoom();
});
afterEach(() => room[Symbol.dispose]());

describe('an emergency that several ask for', () => {
  it('goes on while one of them does: a terminal takes back its own word alone', () => {
    const { id } = room.begin({ kind: 'earthquake' });
    expect(room.begin({ kind: 'earthquake', origin: terminal('e1'), by: 'token:t' }).id).toBe(id);
    expect(room.desk.endOf(isTerminal, 'token:t', 'taken back', true)).toBe(0);
    expect(room.isOpen(id)).toBe(true);
    expect(room.heard(gate)).toEqual([`emergency:${id}`]);
    expect(room.acts(id).at(-1)).toBe('goes-on');
    expect(room.desk.clear(id, 'over', duty)).toEqual({ cleared: true, message: '' });
  });

  it('ends with the terminal that alone began it, and says so aloud', () => {
    const { id } = room.begin({ kind: 'earthquake', origin: terminal('e1'), by: 'token:t' });
    expect(room.desk.endOf(isTerminal, 'token:t', 'taken back', true)).toBe(1);
    expect(room.isOpen(id)).toBe(false);
    expect(room.said.at(-1)).toMatchObject({ class: 'warning', source: { clips: ['clear'], loop: false } });
    expect(room.alarms.size).toBe(0);
  });

  it('asks every rule among them before the all clear', () => {
    const { id } = room.begin({ origin: rule('fire-a'), by: 'rule:fire-a', sounds: false });
    room.begin({ origin: rule('fire-b'), by: 'rule:fire-b', sounds: false, zones: [gate] });
    room.standing.set('fire-b', 'the contact is still closed');
    expect(room.desk.clear(id, 'over', duty)).toEqual({ cleared: false, message: 'the contact is still closed' });
    expect(room.desk.standingOf(room.one(id))).toBe('the contact is still closed');
    room.standing.clear();
    expect(room.desk.clear(id, 'over', duty).cleared).toBe(true);
  });

  it('lasts as long as the last of them', () => {
    const { id } = room.begin({ kind: 'storm', until: room.clock.now() + hour, origin: terminal('a') });
    room.begin({ kind: 'storm', until: room.clock.now() + 2 * hour, origin: terminal('b') });
    room.clock.advance(hour + 1_000);
    room.desk.tick();
    expect(room.one(id).causes).toHaveLength(1);
    room.clock.advance(hour);
    room.desk.tick();
    expect(room.isOpen(id)).toBe(false);
    // Nobody said that there is no danger.
    expect(room.said.filter(({ source }) => source.kind === 'clips' && source.clips[0] === 'clear')).toEqual([]);
  });

  it('writes nothing down where nothing is new', () => {
    const { id } = room.begin({ kind: 'earthquake', origin: terminal('e', 10_000) });
    room.begin({ kind: 'fire', origin: rule('fire-a'), sounds: false });
    const before = room.commits;
    for (let i = 0; i < 50; i++) {
      room.begin({ kind: 'earthquake', origin: terminal('e', 10_000 + i * 10) });
      room.begin({ kind: 'fire', origin: rule('fire-a'), sounds: false });
    }
    expect(room.commits).toBe(before);
    room.begin({ kind: 'earthquake', origin: terminal('e', 14_000) });
    expect(room.one(id).causes[0]?.origin).toMatchObject({ arrival: 14_000 });
  });

  it('said twice by the same warning is one, and of another warning another', () => {
    const one = room.begin({ kind: 'storm', origin: warning('a 1') });
    expect(room.begin({ kind: 'storm', origin: warning('a 1') }).id).toBe(one.id);
    expect(room.begin({ kind: 'storm', origin: warning('a 2') }).id).not.toBe(one.id);
    expect(room.begin({ kind: 'storm' }).id).not.toBe(one.id);
    expect(room.desk.open).toHaveLength(3);
  });
});

describe('silence', () => {
  it('that a person wanted stays where it was, whatever is said again; a new place sounds', () => {
    const { id } = room.begin({ origin: terminal('a', 0), zones: [teaching] });
    room.desk.sounds(id, false, 'listening', duty);
    room.begin({ origin: terminal('a', 60_000), zones: [teaching] });
    expect(room.heard(teaching)).toEqual([]);
    room.begin({ origin: terminal('a', 90_000), zones: [teaching, gate] });
    expect([room.heard(teaching), room.heard(gate)]).toEqual([[], [`emergency:${id}`]]);
    expect(room.one(id).silent).toEqual([teaching]);
    room.desk.sounds(id, true, 'go on', duty);
    expect(room.heard(teaching)).toEqual([`emergency:${id}`]);
    expect(room.one(id).silent).toEqual([]);
  });

  it('is broken by somebody who had not been heard before', () => {
    const { id } = room.begin({ kind: 'earthquake' });
    room.desk.sounds(id, false, 'listening', duty);
    room.begin({ kind: 'earthquake', origin: terminal('new') });
    expect(room.heard(field)).toEqual([`emergency:${id}`]);
  });

  it('is refused while a rule holds the loudspeakers: it would change nothing', () => {
    const { id } = room.begin({ origin: rule('fire-a'), sounds: false });
    room.standing.set('fire-a', 'its rule holds the loudspeakers');
    expect(() => room.desk.sounds(id, false, 'listening', duty)).toThrow(/its rule holds the loudspeakers/);
  });

  it('that somebody made elsewhere is taken for silence; what a restart lost is not', () => {
    const { id } = room.begin();
    room.sounds.clear();
    room.desk.tick();
    expect(room.one(id)).toMatchObject({ items: [], silent: zones });
    room.desk.sounds(id, true, 'go on', duty);
    room.restart(true);
    expect(room.heard(teaching)).toEqual([`emergency:${id}`]);
  });
});

describe('the all clear', () => {
  const clears = () => room.said.filter(({ source }) => source.kind === 'clips' && source.clips[0] === 'clear');

  it('is not said where another emergency goes on', () => {
    const fire = room.begin({ zones: [teaching, gate] });
    const quake = room.begin({ kind: 'earthquake', zones: [gate] });
    room.desk.clear(fire.id, 'burnt toast', duty);
    expect(clears().map((wish) => wish.zones)).toEqual([[teaching]]);
    room.desk.clear(quake.id, 'over', duty);
    expect(clears().map((wish) => wish.zones)).toEqual([[teaching], [gate]]);
  });

  it('is said after a silence, too, and never where nothing had been heard', () => {
    const { id } = room.begin();
    room.desk.sounds(id, false, 'listening', duty);
    room.desk.clear(id, 'over', duty);
    expect(clears()).toHaveLength(1);
    room.isMute = true;
    const mute = room.begin();
    room.isMute = false;
    room.desk.clear(mute.id, 'over', duty);
    expect(clears()).toHaveLength(1);
  });
});

describe('what sounds', () => {
  it('is the fire cycle, with the word of the exercise in it where it is one', () => {
    room.begin();
    expect(room.said[0]).toMatchObject({ class: 'fire', source: { clips: ['siren', 'voice'], loop: true } });
    room.desk.clear(room.desk.open[0]?.id ?? '', 'over', duty);
    room.begin({ drill: true });
    expect(room.said.at(-1)).toMatchObject({ drill: true, source: { clips: ['siren', 'word', 'voice'], loop: true } });
  });

  it('of a public warning is said three times, then shown', () => {
    const { id } = room.begin({ kind: 'storm', origin: warning('w'), name: { zh: '暴雨', en: 'rain' } });
    expect(room.said[0]).toMatchObject({
      ...{ class: 'warning', source: { clips: ['quake', 'quake', 'quake'], loop: false } },
    });
    room.desk.tick();
    expect(room.isOpen(id)).toBe(true);
  });

  it('is heard where the plan says when nobody says where', () => {
    using other = new EmergencyRoom({ intrusion: { clips: ['siren'], zones: [teaching] } });
    expect(other.begin({ kind: 'intrusion' }).zones).toEqual([teaching]);
    expect(other.begin({ kind: 'intrusion', zones: [gate] }).zones).toEqual([teaching, gate]);
    expect(other.begin({ kind: 'intrusion', zones: 'all' }).zones).toHaveLength(3);
  });
});

describe('its time', () => {
  it('is over by the clock that never steps', () => {
    const { id } = room.begin({ kind: 'storm', origin: warning('w'), until: room.clock.now() + hour });
    room.desk.tick();
    room.clock.step(5 * hour);
    room.desk.tick();
    expect(room.isOpen(id)).toBe(true);
    room.clock.step(-9 * hour);
    room.clock.advance(hour);
    room.desk.tick();
    expect(room.isOpen(id)).toBe(false);
  });
});

describe('the roll', () => {
  it('is told zone by zone, and is in the audit', () => {
    const { id } = room.begin();
    const word = { state: 'all', present: 40, missing: null, note: '' } as const;
    room.desk.roll(
      id,
      [
        { room: 'space:gate', ...word },
        { room: 'space:field', ...word },
      ],
      duty,
    );
    const lines = room.one(id).timeline.filter(({ act }) => act === 'roll');
    expect(lines.map(({ zone, text }) => [zone, text])).toEqual([
      [gate, 'gate 到齐 / gate complete'],
      [field, 'field 到齐 / field complete'],
    ]);
    room.desk.note(id, 'the fire brigade is here', duty);
    room.desk.step(id, 0, true, duty);
    expect(room.audit.slice(1)).toEqual([`crisis.roll ${id}`, `crisis.note ${id}`, `crisis.step ${id} 0 done`]);
  });
});

describe('what a script does with the hands of a person', () => {
  it('begins one of each kind at most, and talks nothing away', () => {
    const { id } = room.begin({ zones: [teaching] });
    room.desk.sounds(id, false, 'listening', duty);
    for (let i = 0; i < 1_200; i++) {
      if (i % 4 === 0) room.begin({ kind: pick(seeded(i), kinds), why: `word ${i}`, zones: [gate] });
      else room.desk.note(id, `note ${i}`, duty);
    }
    expect(room.desk.open.length).toBeLessThanOrEqual(kinds.length);
    // A rule is heard all the same.
    expect(room.begin({ kind: 'other', origin: rule('contact'), sounds: false }).kind).toBe('other');
    for (let i = 0; i < 1_200; i++) room.desk.note(id, `more ${i}`, duty);
    const { timeline } = room.one(id);
    expect(timeline).toHaveLength(1_000);
    expect(timeline.slice(0, 3).map(({ act }) => act)).toEqual(['began', 'sound', 'sounds-stopped']);
    expect(timeline.at(-1)).toMatchObject({ act: 'note', text: 'more 1199' });
    expect(timeline.map(({ time }) => time)).toEqual(timeline.map(({ time }) => time).toSorted((a, b) => a - b));
  });
});

describe('after a restart', () => {
  it('its alarm stands, and none that is over', () => {
    const { id } = room.begin();
    room.alarms.clear();
    room.alarms.add('emergency:gone');
    room.restart();
    expect([...room.alarms]).toEqual([`emergency:${id}`]);
  });

  it('one that an older version wrote is understood', () => {
    const { id } = room.begin({ kind: 'earthquake', origin: terminal('old') });
    const { causes: _c, silent: _s, ...old } = room.disk.get(id) as object as Record<string, unknown>;
    room.disk.set(id, old as never);
    room.restart();
    expect(room.one(id).causes).toHaveLength(1);
    expect(room.desk.endOf(isTerminal, 't', 'taken back')).toBe(1);
  });
});
