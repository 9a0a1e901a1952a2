import { z } from 'zod';
import { emergencyKinds, rollStates } from '#edge/domain/emergency.ts';
import { slugPattern, uuidPattern, type ZoneId } from '#edge/domain/ids.ts';
import type { PublicWarning } from '#edge/domain/warning.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import type { EmergencyDesk } from './emergency-desk.ts';
import type { Earthquakes } from './emergency-earthquake.ts';
import type { Warnings } from './emergency-warnings.ts';
import { asked, checked } from './rpc-params.ts';

/* What web may ask of emergencies: names begin with `crisis`, because `emergency` are the one-key alarms. */

const id = z.string().regex(uuidPattern, 'must be the id of an emergency');
const zones = z.union([
  z.literal('all'),
  z
    .array(
      z
        .string()
        .regex(slugPattern)
        .transform((zone) => zone as ZoneId),
    )
    .min(1)
    .max(500),
]);
const why = z.string().max(300);
const beginParams = z.strictObject({
  kind: z.enum(emergencyKinds),
  drill: z.boolean(),
  zones: zones.nullable(),
  why,
  ...asked,
});
const clearParams = z.strictObject({ id, why: why.min(1), ...asked });
const soundsParams = z.strictObject({ id, on: z.boolean(), why: why.min(1), ...asked });
const rollParams = z.strictObject({
  id,
  rooms: z
    .array(
      z.strictObject({
        room: z.string().max(80),
        state: z.enum(rollStates),
        present: z.int().min(0).nullable(),
        missing: z.int().min(0).nullable(),
        note: z.string().max(300),
      }),
    )
    .min(1)
    .max(2_000),
  ...asked,
});
const stepParams = z.strictObject({ id, index: z.int().min(0).max(100), done: z.boolean(), ...asked });
const noteParams = z.strictObject({ id, text: z.string().min(1).max(500), ...asked });
/** Read and checked by web, which has the certificates: it is one of our own. */
const warningParams = z.strictObject({
  warning: z.custom<PublicWarning>((value) => isWarning(value), 'must be a public warning'),
  signature: z.enum(['good', 'bad', 'unchecked']),
  ...asked,
});
const malformedParams = z.strictObject({
  of: z.enum(['warning', 'earthquake']),
  problem: z.string().max(1_000),
  ...asked,
});
const earthquakeParams = z.strictObject({
  event: z.string().min(1).max(100),
  update: z.int().min(0),
  test: z.boolean(),
  cancel: z.boolean(),
  /** ms since epoch. */
  arrival: z.int().min(0),
  intensity: z.number().min(0).max(12),
  magnitude: z.number().min(0).max(10).nullable(),
  place: z.string().max(100),
  ...asked,
});

export interface EmergencyMethodsOptions {
  readonly desk: EmergencyDesk;
  readonly warnings: Warnings;
  readonly earthquakes: Earthquakes;
  /** Resolves when all that was to be written before is on disk or owed to it. */
  readonly settled?: () => Promise<void>;
  readonly clock: Clock;
}

/** Whoever is answered may rely on it over a kill; a disk that hangs keeps nobody waiting longer, ms. */
const diskPatience = 1_000;

export function createEmergencyMethods(options: EmergencyMethodsOptions): Readonly<Record<string, RpcMethod>> {
  const { desk, warnings, earthquakes, clock, settled } = options;
  /** It has been acted upon already: only the answer waits. */
  const onDisk = async <T>(answer: T): Promise<T> => {
    await within(diskPatience, 'the disk', settled?.() ?? Promise.resolve()).catch(() => {}); // owed to it, and an alarm
    return answer;
  };
  return {
    'crisis.list': checked(z.strictObject({}), async () => ({
      time: clock.now(),
      open: desk.open.map((one) => ({ ...one, standing: desk.standingOf(one) })),
      plans: desk.plans(),
      warnings: warnings.shown(),
    })),
    'crisis.begin': checked(beginParams, async ({ who, from, ...wish }) => {
      const { emergency, joined } = desk.begin({ ...wish, by: who, from, origin: { kind: 'person' }, sounds: true });
      return onDisk({ id: emergency.id, joined });
    }),
    'crisis.clear': checked(clearParams, async ({ id: one, why: reason, who, from }) =>
      onDisk(desk.clear(one, reason, { who, from })),
    ),
    'crisis.sounds': checked(soundsParams, async ({ id: one, on, why: reason, who, from }) => {
      desk.sounds(one, on, reason, { who, from });
      return {};
    }),
    'crisis.roll': checked(rollParams, async ({ id: one, rooms, who, from }) => {
      desk.roll(one, rooms, { who, from });
      return {};
    }),
    'crisis.step': checked(stepParams, async ({ id: one, index, done, who, from }) => {
      desk.step(one, index, done, { who, from });
      return {};
    }),
    'crisis.note': checked(noteParams, async ({ id: one, text, who, from }) => {
      desk.note(one, text, { who, from });
      return {};
    }),
    'crisis.warning': checked(warningParams, async ({ warning, signature, who, from }) => {
      const answer = warnings.take(warning, { signature }, { who, from });
      return answer.act === 'none' ? answer : onDisk(answer);
    }),
    'crisis.malformed': checked(malformedParams, async ({ of, problem, who, from }) => {
      warnings.malformed(of, problem, { who, from });
      return {};
    }),
    'crisis.earthquake': checked(earthquakeParams, async ({ who, from, ...said }) =>
      onDisk(earthquakes.take(said, { who, from })),
    ),
  };
}

function isWarning(value: unknown): boolean {
  const { sender, identifier, sent, infos, references } = (value ?? {}) as Partial<PublicWarning>;
  return (
    typeof sender === 'string' &&
    typeof identifier === 'string' &&
    typeof sent === 'number' &&
    Array.isArray(infos) &&
    Array.isArray(references)
  );
}
