import { expect, it } from 'vitest';
import { isEmergency, type SoundClass } from '#edge/domain/broadcast.ts';
import { below, pick, seeded } from '../rules/random.ts';
import { AmplifierRoom, amplifier, ref, zone } from './amplifier-room.ts';

const said = { by: 'person:lin', why: 'enough' };
const classes: readonly [SoundClass, ...SoundClass[]] = ['fire', 'danger', 'warning', 'page', 'bell', 'background'];
const lines = [ref('line-teaching/clip'), ref('line-yard/clip')] as const;
const relays = ['relay/power', 'relay/teaching', 'relay/yard'];
const zones = [zone('teaching'), zone('yard'), zone('gate')];

function act(room: AmplifierRoom, random: () => number): void {
  const draw = random();
  const items = room.desk.items().map(({ item }) => item.id);
  if (draw < 0.45) {
    const where = zones.filter(() => random() < 0.5);
    room.offer({
      ...{ class: pick(random, classes), clip: pick(random, ['bell', 'song', 'evacuation']), loop: random() < 0.2 },
      ...{ zones: where.length === 0 ? [zone('teaching')] : where, by: `person:p${below(random, 3)}` },
    });
  } else if (draw < 0.65 && items[0] !== undefined) room.desk.stop(pick(random, [items[0], ...items]), said);
  else if (draw < 0.7) {
    const hold = {
      kind: 'hold',
      owner: 'interlock:smoke',
      ref: pick(random, lines),
      priority: 1,
    } as const;
    room.commands.setInterlockHolds([{ ...hold, value: 'evacuation loop', reason: 'smoke', lasts: null }]);
  } else if (draw < 0.78) {
    for (const line of lines)
      room.commands.setInterlockHolds([{ kind: 'relinquish', owner: 'interlock:smoke', ref: line, reason: 'gone' }]);
  } else if (draw < 0.84) room.dead.add(pick(random, ['relay/power', 'relay/teaching', 'relay/yard']));
  else if (draw < 0.92) room.dead.clear();
  else room.planned = random() < 0.5 ? null : room.clock.now() + below(random, 20_000);
}

/** Items that the arbiter has on the line now. */
function onLine(room: AmplifierRoom): Set<string> {
  const orders = room.desk.orders();
  return new Set(lines.flatMap((line) => orders.get(line)?.item ?? []));
}

/** Since when each emergency waits on the line for its amplifier alone. */
function waiting(room: AmplifierRoom): string[] {
  return lines.flatMap((line) =>
    room.desk
      .why(line)
      .waiting.filter(({ class: soundClass }) => isEmergency(soundClass))
      .filter(({ blocker }) => blocker?.kind === 'outside' && blocker.owner === 'amplifier:main')
      .map(({ item }) => `${line} ${item}`),
  );
}

it('carries one sound at a time, lets no emergency wait longer than the warm-up, and is off in the end: 120 random lives', async () => {
  let played = 0;
  for (let seed = 1; seed <= 120; seed++) {
    const random = seeded(seed);
    using room = new AmplifierRoom();
    const since = new Map<string, number>();
    for (let i = 0; i < 25; i++) {
      if (random() < 0.06) {
        await room.restart(250 * (1 + below(random, 40)));
        since.clear();
      } else act(room, random);
      for (let steps = 1 + below(random, 16); steps > 0; steps--) {
        await room.pass(250);
        const items = onLine(room);
        played += items.size;
        expect(items.size, `seed ${seed}, act ${i}: two sounds on one line`).toBeLessThanOrEqual(1);
        const now = room.clock.now();
        // Only what nothing else on the line stands before waits for the amplifier.
        const kept = items.size > 0 || room.desk.claims().length > 0 ? [] : waiting(room);
        for (const key of since.keys()) if (!kept.includes(key)) since.delete(key);
        for (const key of kept) {
          if (!since.has(key)) since.set(key, now);
          const waited = now - (since.get(key) ?? now);
          expect(waited, `seed ${seed}, act ${i}: ${key}`).toBeLessThanOrEqual(amplifier.warmUp);
        }
      }
    }
    room.dead.clear();
    room.planned = null;
    for (const line of lines)
      room.commands.setInterlockHolds([{ kind: 'relinquish', owner: 'interlock:smoke', ref: line, reason: 'gone' }]);
    for (const { item } of room.desk.items())
      for (let n = 0; n < 40; n++) if (room.desk.stop(item.id, said).outcome !== 'goes-on') break;
    await room.pass(amplifier.afterRun + 5_000);
    expect(room.desk.items(), `seed ${seed}`).toEqual([]);
    for (const relay of relays) expect(room.told(relay) ?? false, `seed ${seed}: ${relay}`).toBe(false);
  }
  expect(played).toBeGreaterThan(2_000);
});
