import { describe, expect, it } from 'vitest';
import type { Emergency, EmergencyOrigin } from '#edge/domain/emergency.ts';
import type { ZoneId } from '#edge/domain/ids.ts';
import { below, pick, seeded } from '../rules/random.ts';
import { duty, EmergencyRoom, kinds, rule, terminal, warning, zones } from './emergency-room.ts';

/* Random lives of the desk of emergencies: begun by everybody, joined, silenced, cut by restarts, full disks and clocks that jump. */

describe('any life of emergencies', () => {
  it('ends none that somebody asks for, lets no exercise be heard beside a real one, and loses none over a restart', () => {
    let counted = 0;
    for (let seed = 1; seed <= 300; seed++) counted += life(seed);
    expect(counted).toBeGreaterThan(3_000);
  });
});

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
