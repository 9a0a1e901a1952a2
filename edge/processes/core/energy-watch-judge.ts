import { Worker } from 'node:worker_threads';
import { CodedError } from '#edge/runtime/errors.ts';
import type { EnergyWatchDone, EnergyWatchWork } from './energy-watch-thread.ts';

/** A week of a hundred meters takes seconds; what takes so long never ends, ms. */
const patience = 10 * 60_000;
const heapMb = 192;

/** Judges days in a thread. Rejects with ENERGY_WATCH_SLOW, ENERGY_WATCH_ENDED, and what the store's reader throws; an abort ends the thread. */
export function judgeInThread(work: EnergyWatchWork, signal: AbortSignal): Promise<EnergyWatchDone> {
  const worker = new Worker(new URL('./energy-watch-thread.ts', import.meta.url), {
    name: 'energy-watch',
    workerData: work,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  return new Promise<EnergyWatchDone>((resolve, reject) => {
    const give = (why: CodedError) => {
      reject(why);
      void worker.terminate();
    };
    const slow = `looking at the meters took longer than ${patience / 60_000} min`;
    const timer = setTimeout(() => give(new CodedError('ENERGY_WATCH_SLOW', slow)), patience);
    const stop = () => give(new CodedError('ENERGY_WATCH_ENDED', 'core ends'));
    signal.addEventListener('abort', stop, { once: true });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      reject(new CodedError('ENERGY_WATCH_ENDED', `its thread ended with code ${code}`));
    });
  });
}
