import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PointRef } from '#edge/domain/ids.ts';
import { watchRules } from '#edge/processes/core/emergency-rules.ts';
import type { OutsideClaim } from '#edge/rules/sound.ts';
import { claimOf } from '#edge/rules/sound-habits.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { duty, EmergencyRoom, zones } from './emergency-room.ts';

/* The contact of an earthquake terminal or a fire panel: its rule sounds by itself and begins an emergency of its kind. */

const output = 'speaker-1/clip' as PointRef;
let room: EmergencyRoom;
let standing: boolean;
beforeEach(() => {
  room = new EmergencyRoom();
  standing = true;
});
afterEach(() => room[Symbol.dispose]());

function hold(rule: string): OutsideClaim {
  return claimOf({
    ...{ ref: output, owner: `interlock:${rule}`, priority: 1, rank: 15, value: 'earthquake', since: 0, until: null },
    reason: 'the contact is closed',
  } as never);
}

test.each([
  ['earthquake-contact', 'earthquake'],
  ['fire-panel-evacuate', 'fire'],
])('a hold of %s is an emergency: %s, silent by itself, until a person resets it', (rule, kind) => {
  const claims = [hold(rule)];
  const watched = watchRules({
    broadcast: {
      claims: () => claims,
      onClaims: () => ({ [Symbol.dispose]: () => {} }),
      speakers: new Map([[output, { zone: zones[0] } as never]]),
    },
    reset: () => {
      if (standing) return 'the contact is closed still';
      claims.pop();
      return null;
    },
    log: silentLog,
  });
  using _watch = watched.begin(room.desk);
  const [one] = room.desk.open;
  expect(one).toMatchObject({ kind, drill: false, zones: [zones[0]], origin: { kind: 'rule', rule }, items: [] });
  const refused = watched.desk.resetRule(rule, 'over');
  expect(refused).toBe('the contact is closed still');
  standing = false;
  expect(watched.desk.resetRule(rule, 'over')).toBeNull();
  expect(room.desk.clear(one?.id ?? '', 'over', duty).cleared).toBe(true);
});
