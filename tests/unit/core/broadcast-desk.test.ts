import { describe, expect, it } from 'vitest';
import { isEmergency, type SoundClass } from '#edge/domain/broadcast.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type { Priority } from '#edge/domain/output.ts';
import type { QuietRooms } from '#edge/rules/sound.ts';
import { below, pick, seeded } from '../rules/random.ts';
import { BroadcastRoom, speakers, zones } from './broadcast-room.ts';

const said = { by: 'person:lin', why: 'enough' };
const ends = ['ended', 'expired', 'dropped', 'stopped'];
const classes: readonly [SoundClass, ...SoundClass[]] = [
  ...(['fire', 'danger', 'microphone', 'warning', 'page', 'exam', 'bell', 'exercise', 'programme'] as const),
  'background',
];

/** Ends of each item on each loudspeaker. */
function endsOf(room: BroadcastRoom): Map<string, number> {
  const found = new Map<string, number>();
  for (const { kind, item, outputs } of room.heard) {
    if (!ends.includes(kind)) continue;
    for (const ref of outputs) found.set(`${item} ${ref}`, (found.get(`${item} ${ref}`) ?? 0) + 1);
  }
  return found;
}

function actOf(room: BroadcastRoom, random: () => number, emergencies: Set<HappeningId>): void {
  const draw = random();
  const ref = pick(random, speakers);
  const items = room.desk.items().map(({ item }) => item.id);
  if (draw < 0.34) {
    const soundClass = pick(random, classes);
    const loop = random() < 0.3;
    const { item, outcome } = room.play({
      class: soundClass,
      clips: [pick(random, ['bell', 'song', 'evacuation', 'storm', 'gong'])],
      loop,
      zones: random() < 0.4 ? 'all' : [pick(random, zones)],
      by: `person:p${below(random, 4)}`,
      drill: random() < 0.1,
      ...(random() < 0.2 && { level: below(random, 101) }),
      ...(random() < 0.15 && { until: room.clock.now() + 1_000 * below(random, 40) }),
      ...(random() < 0.15 && { lease: 4_000 }),
    });
    if (item !== null && outcome === 'taken' && isEmergency(soundClass)) emergencies.add(item);
  } else if (draw < 0.44 && items.length > 0) room.desk.stop(pick(random, [items[0] ?? '', ...items] as never), said);
  else if (draw < 0.48 && items[0] !== undefined) room.desk.stop(items[0], { ...said, outputs: [ref] });
  else if (draw < 0.5) room.desk.allClear(said);
  else if (draw < 0.54) for (const id of items) room.desk.renew(id);
  else if (draw < 0.62) {
    const priority = pick<Priority>(random, [1, 1, 5]);
    room.rule(ref, pick(random, ['', 'evacuation', 'lockdown']), `rule:r${below(random, 3)}`, priority);
  } else if (draw < 0.7) for (let n = 0; n < 3; n++) room.unrule(ref, `rule:r${n}`);
  else if (draw < 0.78) void room.ask(ref, random() < 0.3 ? null : 'bell', pick(random, ['web', 'flows']));
  else if (draw < 0.84) {
    const rooms: QuietRooms[] = Array.from({ length: below(random, 3) }, (_, n) => ({
      ...{ id: `quiet-${n}`, kind: 'exam', outputs: [pick(random, speakers)], reason: 'maths' },
      from: room.clock.now() + 1_000 * (below(random, 10) - 5),
      until: room.clock.now() + 1_000 * (6 + below(random, 20)),
    }));
    room.desk.quiet(rooms);
  } else if (draw < 0.9) {
    const places = new Map<PointRef, { scale: number }>([[ref, { scale: below(random, 101) }]]);
    room.desk.levels({ classes: { page: below(random, 101) }, emergency: 80 + below(random, 21), places, caps: [] });
  } else if (draw < 0.95) room.disk.isFull = !room.disk.isFull;
  else room.disk.isDeaf = !room.disk.isDeaf;
}

/** Emergencies that have their word somewhere, or wait for it. */
function alive(room: BroadcastRoom): string[] {
  return room.desk
    .items()
    .filter(({ item }) => isEmergency(item.class))
    .map(({ item }) => item.id)
    .sort();
}

describe('the broadcast desk over commands', () => {
  it('never has a weaker sound speak over a stronger one, and holds what is wanted and nothing else: 200 random lives', async () => {
    let looks = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const random = seeded(seed);
      using room = new BroadcastRoom();
      const emergencies = new Set<HappeningId>();
      for (let i = 0; i < 30; i++) {
        const before = room.sent.length;
        actOf(room, random, emergencies);
        await room.obey();
        expect(room.mistake(), `seed ${seed}, act ${i}`).toBeNull();
        const twice = room.sent.slice(before).map(({ device, value }) => `${device} ${String(value)}`);
        expect(new Set(twice).size, `seed ${seed}, act ${i}: told twice`).toBe(twice.length);
        await room.pass(250 * (1 + below(random, 24)));
        expect(room.mistake(), `seed ${seed}, after act ${i}`).toBeNull();
        looks += 2;
      }
      // When everything is over, nothing is held and each had one end in each room.
      room.desk.quiet([]);
      for (const { item } of room.desk.items()) {
        for (let n = 0; n < 40; n++) if (room.desk.stop(item.id, said).outcome !== 'goes-on') break;
      }
      await room.obey();
      expect(room.desk.items(), `seed ${seed}`).toEqual([]);
      for (const ref of speakers) expect(room.held(ref), `seed ${seed}`).toEqual([]);
      const counts = endsOf(room);
      expect(
        [...counts.values()].every((n) => n === 1),
        `seed ${seed}`,
      ).toBe(true);
      for (const { item, outputs } of room.heard)
        for (const ref of outputs) expect(counts.get(`${item} ${ref}`), `seed ${seed}: ${item} ${ref}`).toBe(1);
    }
    expect(looks).toBe(200 * 60);
  });

  it('loses no emergency over restarts: 150 random lives on a disk that takes everything', async () => {
    let compared = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const random = seeded(1_000 + seed);
      using room = new BroadcastRoom();
      const emergencies = new Set<HappeningId>();
      for (let i = 0; i < 24; i++) {
        actOf(room, random, emergencies);
        room.disk.isFull = false;
        room.disk.isDeaf = false;
        await room.pass(250 * (1 + below(random, 16)));
        if (random() > 0.25) continue;
        await room.pass(6_000);
        const before = alive(room);
        const orders = new Map(room.desk.orders());
        await room.restart(1);
        await room.obey();
        expect(room.mistake(), `seed ${seed}, act ${i}`).toBeNull();
        // Those whose length was over at this very moment aside, there are none: 1 ms passed.
        expect(alive(room), `seed ${seed}, act ${i}`).toEqual(before);
        for (const [ref, { item, class: soundClass }] of orders)
          if (isEmergency(soundClass)) expect(room.desk.orders().get(ref)?.item, `seed ${seed}, ${ref}`).toBe(item);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(500);
  });

  it('keeps every emergency that had the word somewhere, though the disk refused what sounds: 150 random lives', async () => {
    let kept = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const random = seeded(2_000 + seed);
      using room = new BroadcastRoom();
      for (let i = 0; i < 12; i++) {
        actOf(room, random, new Set());
        room.disk.isFull = false;
        await room.pass(250 * (1 + below(random, 8)));
        if (random() > 0.3) continue;
        const orders = [...room.desk.orders()].filter(([, { class: of }]) => isEmergency(of));
        if (random() < 0.2) room.isUnreadable = true;
        await room.restart(1);
        room.isUnreadable = false;
        await room.obey();
        expect(room.mistake(), `seed ${seed}, act ${i}`).toBeNull();
        for (const [ref, { item }] of orders) {
          // Another emergency of its class may have come first; it is there in any case.
          expect(alive(room), `seed ${seed}, act ${i}, ${ref}`).toContain(item);
          kept++;
        }
      }
    }
    expect(kept).toBeGreaterThan(200);
  });
});

describe('who speaks', () => {
  const live = { source: { kind: 'live', session: 's-1' }, class: 'page', lease: 10_000, zones: [zones[0]] } as const;

  it('is silent when he has not said for his lease that he is there, and goes on while he does', async () => {
    using room = new BroadcastRoom();
    const voice = room.taken(live);
    for (let i = 0; i < 10; i++) {
      await room.pass(3_000);
      expect(room.desk.renew(voice)).toBe(true);
    }
    await room.pass(9_000);
    expect(room.told(speakers[0])).toContain('live:s-1');
    await room.pass(1_250);
    expect(room.told(speakers[0])).toBe('');
    expect(room.desk.renew(voice)).toBe(false);
    expect(room.heard.at(-1)).toMatchObject({ kind: 'stopped', item: voice, said: { by: 'core' } });
  });

  it('has 15 s after a restart to say that he is still there', async () => {
    using room = new BroadcastRoom();
    const voice = room.taken(live);
    await room.obey();
    await room.restart();
    expect(room.desk.orders().get(speakers[0])?.item).toBe(voice);
    await room.pass(14_000);
    expect(room.desk.renew(voice)).toBe(true);
    await room.pass(14_000);
    expect(room.desk.renew(voice)).toBe(true);
    await room.pass(15_250);
    expect(room.desk.items()).toEqual([]);
    expect(room.held(speakers[0])).toEqual([]);
  });

  it('joins an emergency of another and does not end it by going away', async () => {
    using room = new BroadcastRoom();
    const siren = { class: 'danger', clips: ['siren'], loop: true } as const;
    const item = room.taken({ ...siren, by: 'person:wang' });
    expect(room.play({ ...siren, lease: 4_000, by: 'person:zhao' })).toMatchObject({ outcome: 'joined', item });
    await room.pass(6_000);
    expect(room.desk.orders().get(speakers[0])?.item).toBe(item);
  });
});

describe('an emergency that two asked for', () => {
  it('goes on until both have stopped it, and no longer', async () => {
    using room = new BroadcastRoom();
    const storm = { class: 'warning', clips: ['storm'], loop: true } as const;
    const item = room.taken({ ...storm, by: 'emergency:a' });
    expect(room.play({ ...storm, by: 'emergency:b' })).toMatchObject({ outcome: 'joined', item });
    expect(room.desk.stop(item, said).outcome).toBe('goes-on');
    await room.restart();
    expect(room.desk.orders().size).toBe(speakers.length);
    expect(room.desk.stop(item, said).outcome).toBe('stopped');
    await room.obey();
    expect(room.desk.items()).toEqual([]);
    expect(room.mistake()).toBeNull();
  });

  it('keeps the word over a bell after a start that could not read what sounded, and ends by the all clear', async () => {
    using room = new BroadcastRoom();
    room.taken({ class: 'fire', clips: ['evacuation'], loop: true });
    await room.obey();
    room.isUnreadable = true;
    const before = room.sent.length;
    await room.restart();
    room.play({ class: 'bell' });
    await room.obey();
    expect(new Set(room.sent.slice(before).map(({ value }) => value)).size).toBe(1);
    expect(room.told(speakers[0])).toContain('evacuation loop');
    expect(room.desk.allClear(said).length).toBe(1);
    await room.pass(20_000);
    expect(speakers.map((ref) => room.told(ref))).toEqual(speakers.map(() => ''));
    expect(room.mistake()).toBeNull();
  });
});

describe('a queue', () => {
  it('goes on after a clip of which nobody knows how long it is', async () => {
    using room = new BroadcastRoom();
    room.taken({ clips: ['gong'] });
    const next = room.taken({ clips: ['song'] });
    await room.pass(59_000);
    expect(room.desk.orders().get(speakers[0])?.item).not.toBe(next);
    await room.pass(1_250);
    expect(room.desk.orders().get(speakers[0])?.item).toBe(next);
  });
});

describe('what the disk did not take', () => {
  it('is told again within seconds, though other sounds keep changing', async () => {
    using room = new BroadcastRoom();
    room.disk.isDeaf = true;
    const item = room.taken({ class: 'danger', clips: ['siren'], loop: true, zones: [zones[0]] });
    await room.obey();
    room.disk.isDeaf = false;
    for (let i = 0; i < 6; i++) {
      room.taken({ clips: ['bell'], zones: [zones[1]], length: 5_000 + i });
      await room.pass(2_000);
    }
    expect([...room.disk.sounds.keys()]).toContain(item);
  });
});

describe('who listens', () => {
  it('may play and stop in answer; all hear of it afterwards, in order', async () => {
    using room = new BroadcastRoom();
    let answered = 0;
    const order: string[] = [];
    room.desk.onHappening((happenings) => {
      for (const { kind, class: of } of happenings)
        if (kind === 'stopped' && of === 'danger' && answered++ === 0) room.play({ class: 'page', clips: ['word'] });
    });
    room.desk.onHappening((happenings) => void order.push(...happenings.map(({ kind, class: of }) => `${of} ${kind}`)));
    const item = room.taken({ class: 'danger', clips: ['siren'], loop: true });
    room.desk.stop(item, said);
    expect(order).toEqual(['danger begun', 'danger stopped', 'page begun']);
    await room.obey();
    expect(room.mistake()).toBeNull();
  });
});
