import type { CounterStep, CounterStepState } from '#edge/domain/counter.ts';
import type { Db } from './database.ts';

export interface CounterStepFilter {
  readonly id?: string;
  readonly ref?: string;
  readonly state?: CounterStepState;
  /** Steps that began at `from` <= t < `to`, ms. */
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
}

/** Newest first. Bodies were written by this room from checked values: reading them back is the parse. */
export function counterStepReader(db: Db): (filter: CounterStepFilter, limit: number) => CounterStep[] {
  const find = db
    .prepare<
      [Required<Record<'id' | 'ref' | 'state', string | null>> & { from: number; to: number; limit: number }],
      string
    >(
      `SELECT body FROM counter_step WHERE time >= @from AND time < @to AND (@id IS NULL OR id = @id)
         AND (@ref IS NULL OR ref = @ref) AND (@state IS NULL OR state = @state) ORDER BY time DESC, id DESC LIMIT @limit`,
    )
    .pluck();
  return ({ id = null, ref = null, state = null, from = 0, to = Number.MAX_SAFE_INTEGER }, limit) =>
    find.all({ id, ref, state, from, to, limit }).map((body) => JSON.parse(body) as CounterStep);
}
