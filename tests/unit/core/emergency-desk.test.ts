import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Emergency, EmergencyOrigin } from '#edge/domain/emergency.ts';
import type { ZoneId } from '#edge/domain/ids.ts';
import { below, pick, seeded } from '../rules/random.ts';
import { duty, EmergencyRoom, zones } from './emergency-room.ts';

const [teaching, gate, field] = zones;
const hour = 3_600_000;
const rule = (name: string): EmergencyOrigin => ({ kind: 'rule', rule: name });
const warning = (key: string): EmergencyOrigin => ({ kind: 'warning', key });
const terminal = (event: string, arrival = 0): EmergencyOrigin => ({
  ...{ kind: 'terminal', device: 'token:t', event, arrival, intensity: 5, magnitude: null, place: '' },
});
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

describe('any life of emergencies', () => {
  it('ends none that somebody asks for, lets no exercise be heard beside a real one, and loses none over a restart', () => {
    let counted = 0;
    for (let seed = 1; seed <= 300; seed++) counted += life(seed);
    expect(counted).toBeGreaterThan(3_000);
  });
});

const kinds = ['fire', 'earthquake', 'intrusion', 'storm'] as const;

/** Answers how many times something was asserted. */
function life(seed: number): number {
  using one = new EmergencyRoom();
  const random = seeded(seed);
  /** Who asks for what, told by the simplest account: `<id>` -> keys. */
  const asked = new Map<string, Set<string>>();
  let checks = 0;
  const words: string[] = [];
  const anyZones = () => (random() < 0.4 ? null : [pick(random, zones as readonly [ZoneId, ...ZoneId[]])]);
  for (let step = 0; step < 60; step++) {
    const draw = random();
    const open = one.desk.open;
    const [endedBefore, clearsBefore] = [one.ended.length, clearsIn(one)];
    if (random() < 0.05) one.isDiskFull = true;
    else if (random() < 0.2) one.pay();
    if (random() < 0.1) one.standing.set(`${below(random, 3)}`, 'its rule holds the loudspeakers');
    else if (random() < 0.2) one.standing.clear();
    if (draw < 0.4) {
      const name = `${below(random, 3)}`;
      const [origin, key] = pick(random, [
        [{ kind: 'person' }, 'person'],
        [rule(name), `rule ${name}`],
        [terminal(name, below(random, 100_000)), `terminal ${name}`],
        [warning(name), `warning ${name}`],
      ] as readonly [[EmergencyOrigin, string], ...[EmergencyOrigin, string][]]);
      const drill = origin.kind === 'person' && random() < 0.3;
      const isTimed = origin.kind === 'warning';
      words.push(`begin ${key} ${drill}`);
      try {
        const { id } = one.begin({
          ...{ kind: origin.kind === 'warning' ? 'storm' : pick(random, kinds), drill, origin, zones: anyZones() },
          ...{ sounds: origin.kind !== 'rule', until: isTimed ? one.clock.now() + 60_000 : null },
        });
        asked.set(id, new Set([...(asked.get(id) ?? []), key]));
      } catch (error) {
        if (!/EMERGENCY_REAL|EMERGENCY_FULL/.test(String((error as { code?: string }).code))) throw error;
      }
    } else if (draw < 0.5) {
      const name = `${below(random, 3)}`;
      words.push(`take back terminal ${name}`);
      one.desk.endOf((origin) => origin.kind === 'terminal' && origin.event === name, 't', 'taken back', true);
      for (const keys of asked.values()) keys.delete(`terminal ${name}`);
    } else if (draw < 0.6 && open.length > 0) {
      const { id } = pick(random, open as never as readonly [(typeof open)[number]]);
      words.push(`clear ${id}`);
      const rules = one.one(id).causes.flatMap(({ origin }) => (origin.kind === 'rule' ? [origin.rule] : []));
      const standing = rules.filter((each) => one.standing.has(each));
      const { cleared } = one.desk.clear(id, 'over', duty);
      expect(cleared, `seed ${seed} step ${step}`).toBe(standing.length === 0);
      if (cleared) asked.get(id)?.clear();
      else for (const each of rules) if (!standing.includes(each)) asked.get(id)?.delete(`rule ${each}`);
    } else if (draw < 0.75 && open.length > 0) {
      const { id } = pick(random, open as never as readonly [(typeof open)[number]]);
      words.push(`sounds ${id}`);
      try {
        one.desk.sounds(id, random() < 0.5, 'why', duty);
      } catch (error) {
        if (!/EMERGENCY_REAL|EMERGENCY_HELD/.test(String((error as { code?: string }).code))) throw error;
      }
    } else if (draw < 0.85) {
      words.push('restart');
      one.pay();
      one.restart(random() < 0.3);
    } else {
      one.clock.advance(below(random, 30_000));
      if (random() < 0.3) one.clock.step(below(random, 40_000) - 20_000);
      one.desk.tick();
    }
    // A warning may be over by itself: by its own clock, and after a restart by that on the wall.
    if (draw >= 0.75) {
      for (const emergency of one.newest.values())
        if (emergency.cleared !== null && emergency.causes.every(({ until }) => until !== null))
          asked.get(emergency.id)?.clear();
    }
    const now = one.desk.open;
    const at = `seed ${seed} step ${step}: ${words.slice(-8).join('; ')}`;
    for (const [id, keys] of asked) {
      checks++;
      expect(
        now.some((each) => each.id === id),
        at,
      ).toBe(keys.size > 0);
    }
    const isReal = now.some(({ drill }) => !drill);
    if (isReal) {
      checks++;
      const drills = one.loud().filter(({ wish }) => wish.drill);
      expect(drills, at).toEqual([]);
    }
    for (const zone of zones) {
      for (const by of one.heard(zone)) {
        checks++;
        expect(
          now.some((each) => `emergency:${each.id}` === by && each.zones.includes(zone)),
          at,
        ).toBe(true);
      }
    }
    for (const { wish, zones: heardIn } of one.loud()) {
      if (wish.source.kind !== 'clips' || wish.source.clips[0] !== 'clear') continue;
      checks++;
      const danger = now.filter((each) => !each.drill && each.zones.some((zone) => heardIn.includes(zone)));
      expect(danger, `all clear in danger, ${at}`).toEqual([]);
    }
    const alarming = now
      .filter(({ drill, origin }) => !drill && origin.kind !== 'rule')
      .map(({ id }) => `emergency:${id}`);
    expect([...one.alarms].toSorted(), at).toEqual(alarming.toSorted());
    // Time alone is no all clear, and nobody says it twice. (Where danger begins, one of before may be said again elsewhere.)
    const saidNow = clearsIn(one) - clearsBefore;
    const endedNow = one.ended.slice(endedBefore);
    if (draw >= 0.6) expect(saidNow, at).toBe(0);
    else if (draw >= 0.4) expect(saidNow, at).toBeLessThanOrEqual(endedNow.length);
    if (draw >= 0.5 && draw < 0.6 && endedNow.length === 1) {
      const [was] = open.filter(({ id }) => id === endedNow[0]);
      expect(saidNow, at).toBe(was !== undefined && wasHeard(was) && hasSafeZone(was, now) ? 1 : 0);
    }
    if (one.isDiskFull) continue;
    const stored = [...one.disk.values()].filter(({ cleared }) => cleared === null);
    const byId = (a: Emergency, b: Emergency) => a.id.localeCompare(b.id);
    expect(JSON.stringify(stored.toSorted(byId)), at).toBe(JSON.stringify(now.toSorted(byId)));
  }
  one.pay();
  expect(new Set(one.ended).size, `seed ${seed}: one end each`).toBe(one.ended.length);
  const over = [...one.disk.values()].filter(({ cleared }) => cleared !== null);
  expect(over.map(({ id }) => id).toSorted(), `seed ${seed}`).toEqual([...one.ended].toSorted());
  for (const { id, timeline } of over) {
    checks++;
    expect(timeline.filter(({ act }) => act === 'cleared')).toHaveLength(1);
    const wordsOf = one.alarmWords.filter((word) => word.endsWith(id));
    expect(wordsOf.length === 0 || wordsOf.join() === `raise emergency:${id},return emergency:${id}`, id).toBe(true);
  }
  return checks;
}

function clearsIn(one: EmergencyRoom): number {
  return one.said.filter(({ source }) => source.kind === 'clips' && source.clips[0] === 'clear').length;
}

function wasHeard({ items, silent, causes }: Emergency): boolean {
  return items.length > 0 || silent.length > 0 || causes.some(({ origin }) => origin.kind === 'rule');
}

function hasSafeZone({ zones: own, drill }: Emergency, now: readonly Emergency[]): boolean {
  const real = now.filter((each) => !each.drill);
  if (drill) return real.length === 0;
  return own.some((zone) => !real.some((each) => each.zones.includes(zone)));
}
