import { z } from 'zod';
import type { Commands } from '#edge/commands/commands.ts';
import type { Device } from '#edge/domain/device.ts';
import { type DeviceId, slugPattern } from '#edge/domain/ids.ts';
import { priorities } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import type { Batch } from '#edge/store/batch.ts';
import { asked, checked } from './rpc-params.ts';

/** Pan, tilt and zoom, each -1 to 1; it moves for half a second and goes on as long as it is asked again. */
const axis = z.number().min(-1).max(1);
const turnParams = z.strictObject({
  camera: z
    .string()
    .regex(slugPattern)
    .transform((id) => id as DeviceId),
  to: z.union([
    z.strictObject({ preset: z.string().min(1).max(64) }),
    z.strictObject({ home: z.literal(true) }),
    z.strictObject({ move: z.tuple([axis, axis, axis]) }),
  ]),
  ...asked,
});
type Turn = z.infer<typeof turnParams>['to'];

/** Whoever holds a key makes one line of the audit a minute, not five a second, ms. */
const moveLine = 60_000;
const mostMovers = 500;
/** What the camera answers is written down by the hour: who wanted it has a line of his own. */
const owner = 'process:camera-turn';

/**
 * `camera.turn` {camera, to: {preset} or {home: true} or {move: [pan, tilt, zoom]}, who, from} -> the result of the command. Throws
 * CAMERA_NOT_FOUND, CAMERA_FIXED.
 */
export function createTurnMethods(options: {
  readonly devices: readonly Device[];
  readonly commands: () => Pick<Commands, 'pulse'>;
  readonly commit: (batch: Batch) => Promise<void>;
  readonly clock: Clock;
}): Readonly<Record<string, RpcMethod>> {
  const { devices, commands, commit, clock } = options;
  /** When each person's movement of a camera was last written down, monotonic ms. */
  const written = new Map<string, number>();
  const isNews = (key: string): boolean => {
    const now = clock.monotonic();
    const last = written.get(key);
    if (last !== undefined && now - last < moveLine) return false;
    if (written.size >= mostMovers) written.clear();
    written.set(key, now);
    return true;
  };
  return {
    'camera.turn': checked(turnParams, async ({ camera, to, who, from }) => {
      const device = devices.find(({ id, protocol }) => id === camera && protocol === 'onvif');
      if (device === undefined) throw new CodedError('CAMERA_NOT_FOUND', `there is no camera "${camera}"`);
      const { point, value, words } = pressOf(to);
      if (!device.points.some(({ name }) => name === point))
        throw new CodedError('CAMERA_FIXED', `${camera} cannot do that: its profile has no ${point}`);
      if (!('move' in to) || isNews(`${who} ${camera}`)) {
        const line = { time: clock.now(), who, from, what: `camera.turn ${camera} ${words}`, why: '', result: 'asked' };
        await commit({ audit: [line] });
      }
      const priority = priorities.operator;
      return commands().pulse(camera, point, owner, `${who}: ${words}`, { value, priority });
    }),
  };
}

function pressOf(to: Turn): { readonly point: string; readonly value: Value; readonly words: string } {
  if ('preset' in to) return { point: 'ptz_preset', value: to.preset, words: `to preset ${to.preset}` };
  if ('home' in to) return { point: 'ptz_home', value: true, words: 'home' };
  return { point: 'ptz_move', value: to.move.join(' '), words: 'by hand' };
}
