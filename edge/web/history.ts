import { splitPointRef } from '#edge/domain/ids.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { History, Step } from '#edge/store/reader.ts';
import type { LocalTime } from './local-time.ts';
import type { Scope } from './scope.ts';
import type { CampusView } from './server.ts';

export const stepSizes = { '1min': 60_000, '15min': 900_000, '1h': 3_600_000, '1d': 86_400_000 } as const;

export interface HistoryQuestion {
  readonly from: number;
  readonly to: number;
  readonly step: Step;
}

/** The finest step that divides a range into at most so many buckets; days when none does. */
export function finestStep(from: number, to: number, buckets: number): Exclude<Step, 'raw'> {
  const steps = ['1min', '15min', '1h'] as const;
  return steps.find((step) => (to - from) / stepSizes[step] <= buckets) ?? '1d';
}

/** The step to answer with, for a range that makes sense. Throws BAD_RANGE. */
export function settleStep({
  from,
  to,
  step,
  buckets,
}: {
  readonly from: number;
  readonly to: number;
  readonly step: Step | 'auto';
  readonly buckets: number;
}): HistoryQuestion {
  if (to <= from) throw new CodedError('BAD_RANGE', `"to" (${to}) must be later than "from" (${from})`);
  return { from, to, step: step === 'auto' ? finestStep(from, to, buckets) : step };
}

/** Throws POINT_NOT_FOUND for a point that is not there, and for one that lies elsewhere. */
export function visibleRef(device: string, point: string, scope: Scope): string {
  const ref = `${device}/${point}`;
  if (splitPointRef(ref) === null || !scope.seesRef(ref)) throw noPoint(ref);
  return ref;
}

/**
 * One page of a point's history. Days begin at the campus's midnight; its offset at the end of the range stands for the
 * whole (China has no summer time). Throws POINT_NOT_FOUND and what the reader throws.
 */
export function readHistory(
  { reader }: Pick<CampusView, 'reader'>,
  localTime: LocalTime,
  ref: string,
  { from, to, step }: HistoryQuestion,
  limit: number,
): History {
  const found = reader.history(ref, from, to, step, limit, { utcOffset: localTime.offsetAt(to) });
  if (found === null) throw noPoint(ref);
  return found;
}

function noPoint(ref: string): CodedError {
  return new CodedError('POINT_NOT_FOUND', `there is no point "${ref}"`);
}
