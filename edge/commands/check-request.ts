import type { Point, WriteRule } from '#edge/domain/device.ts';
import { createGlob } from '#edge/domain/glob.ts';
import type { Priority, Request } from '#edge/domain/output.ts';
import { priorities } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';

/** Longest hold a request may ask for, s. */
export const maxSeconds = 86_400;
/** Longest reason of a hold, characters. */
export const maxReason = 256;

export interface Refusal {
  readonly outcome: string;
  readonly message: string;
}

/** The web process speaks for people and schedules; every other client is automation. Nobody asks at 1 and 5. */
export function allowedPriorities(client: string): readonly Priority[] {
  return client === 'web' ? [priorities.operator, priorities.schedule] : [priorities.automation];
}

/** Why a request is refused; null when it may become a hold. `point` is undefined when there is none of that name. */
export function checkRequest(request: Request, point: Point | undefined, grants: readonly string[]): Refusal | null {
  const { client, ref, priority } = request;
  if (point === undefined) return { outcome: 'unknown-point', message: `there is no point "${ref}"` };
  if (point.write === undefined) return { outcome: 'not-writable', message: `"${ref}" cannot be written` };
  if (!grants.some((glob) => createGlob(glob).test(ref))) {
    return { outcome: 'forbidden-point', message: `client "${client}" may not request "${ref}"` };
  }
  if (!allowedPriorities(client).includes(priority)) {
    const allowed = allowedPriorities(client).join(' or ');
    return {
      outcome: 'forbidden-priority',
      message: `client "${client}" may request at priority ${allowed}, not ${priority}`,
    };
  }
  return checkWords(request) ?? (request.value === null ? null : checkValue(ref, request.value, point, point.write));
}

function checkWords({ seconds, reason, value }: Request): Refusal | null {
  const wrong = (message: string): Refusal => ({ outcome: 'bad-request', message });
  if (reason.trim() === '' || reason.length > maxReason) {
    return wrong(`"reason" must say why, in 1 to ${maxReason} characters`);
  }
  if (value !== null && !(Number.isFinite(seconds) && seconds >= 1 && seconds <= maxSeconds)) {
    return wrong(`"seconds" must be 1 to ${maxSeconds}, not ${seconds}`);
  }
  return null;
}

function checkValue(ref: string, value: Value, point: Point, rule: WriteRule): Refusal | null {
  const type = typeof value === 'string' ? 'text' : typeof value;
  if (type !== point.type) {
    return { outcome: 'bad-request', message: `"${ref}" takes a ${point.type}, not ${JSON.stringify(value)}` };
  }
  const wrong = (message: string): Refusal => ({ outcome: 'out-of-range', message });
  if (typeof value === 'string' && value.length > 256) return wrong(`"${ref}" takes at most 256 characters`);
  if (typeof value !== 'number') return null;
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, step } = rule;
  if (!Number.isFinite(value) || value < min || value > max) {
    return wrong(`"${ref}" takes ${min} to ${max} ${point.unit}, not ${value}`);
  }
  if (step === undefined) return null;
  const steps = (value - (Number.isFinite(min) ? min : 0)) / step;
  // Tolerates what decimal fractions lose in binary.
  if (Math.abs(steps - Math.round(steps)) < 1e-6) return null;
  return wrong(`"${ref}" moves in steps of ${step} ${point.unit}, not to ${value}`);
}
