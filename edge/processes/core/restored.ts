import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { readRestoredMark, removeRestoredMark } from '#edge/runtime/restored-mark.ts';
import type { Batch } from '#edge/store/batch.ts';
import { beginNewEpoch } from '#edge/store/new-epoch.ts';

/**
 * The first start on a folder that came from a back-up: counts anew towards the city before the store opens. Returns what
 * says so in the audit and takes the mark away; null when the folder is no such one. Without a disk that takes it the mark
 * stays, and the city holds the lanes.
 */
export function startRestored(
  data: string,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): ((commit: (batch: Batch) => Promise<void>) => void) | null {
  const mark = readRestoredMark(data);
  if (mark === null) return null;
  let epoch: number | null;
  try {
    epoch = beginNewEpoch(data, clock.now());
  } catch (error) {
    log.error({ error }, 'a restored database could not begin a new epoch');
    return null;
  }
  return (commit) => {
    const line = {
      time: clock.now(),
      who: 'process:core',
      from: 'restore',
      what: 'backup.restored',
      why: `from the back-up of ${said(mark.time)}, restored ${said(mark.restored)}`,
      result: `epoch ${epoch ?? 0}; audit head of the back-up ${mark.auditHead ?? 'unknown'}`,
    };
    commit({ audit: [line] }).then(
      () => removeRestoredMark(data),
      (error: unknown) =>
        log.error({ problem: messageOf(error) }, 'the restoring could not be noted; tried again at the next start'),
    );
  };
}

/** UTC, to the second. */
function said(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}
