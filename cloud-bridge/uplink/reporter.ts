import type { Lane } from '#bridge/contract/lanes.ts';
import { Backoff, delay, within } from '#edge/runtime/lifecycle.ts';

/** Tells core what the city has. Resolves when core has committed it. */
export type Acknowledged = (epoch: number, lane: Lane, watermark: number) => Promise<void>;

export interface Reporter {
  /** Notes the city's word; only the latest of each lane is told. Also when it went back: core keeps by it. */
  note(epoch: number, lane: Lane, watermark: number): void;
  /** Resolves when nothing is being told any more. */
  idle(): Promise<void>;
}

/**
 * One call at a time, the latest watermark of each lane, again with back-off while core is away. What is lost when this
 * process dies is told again: the city repeats its watermarks at each hello.
 */
export function createReporter(
  acknowledged: Acknowledged,
  signal: AbortSignal,
  onFault: (error: unknown) => void,
): Reporter {
  const pending = new Map<Lane, { readonly epoch: number; readonly watermark: number }>();
  const backoff = new Backoff({ first: 200, cap: 10_000 });
  let running: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    for (let [entry] = pending; entry !== undefined && !signal.aborted; [entry] = pending) {
      const [lane, told] = entry;
      try {
        await within(10_000, 'telling core the watermark', acknowledged(told.epoch, lane, told.watermark));
        if (pending.get(lane) === told) pending.delete(lane);
        backoff.reset();
      } catch (error) {
        onFault(error);
        // To the end: what core refuses of one lane must not keep the others waiting.
        if (pending.get(lane) === told) {
          pending.delete(lane);
          pending.set(lane, told);
        }
        await delay(backoff.next(), signal);
      }
    }
  };
  return {
    note: (epoch, lane, watermark) => {
      pending.set(lane, { epoch, watermark });
      running ??= run().finally(() => {
        running = null;
      });
    },
    idle: async () => {
      await running;
    },
  };
}
