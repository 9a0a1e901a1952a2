import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ProcessStatus } from '#edge/domain/health.ts';
import type { FromChild, FromSupervisor } from './child-messages.ts';
import { type Clock, systemClock } from './clock.ts';
import { messageOf } from './errors.ts';
import { createLog, type Log } from './log.ts';

/*
 * The child's side of the supervisor's handshake: init -> ready -> beats -> stopping. Messages are JSON over the IPC
 * channel that fork() makes; when that channel closes, the supervisor is gone and the child ends with it.
 */

export type { FromChild, FromSupervisor } from './child-messages.ts';

export interface ChildContext {
  readonly clock: Clock;
  readonly log: Log;
  /** Told each time the supervisor's table changes. */
  onProcesses(listener: (processes: readonly ProcessStatus[]) => void): void;
  /** Asks the supervisor to start processes again, one after another, with what is configured now. Core only is heard. */
  reload?(processes: readonly string[]): void;
}

/** What a composition root hands back: how to stop it, and what the supervisor should know (ports, URLs). */
export interface Running extends AsyncDisposable {
  readonly info: Readonly<Record<string, string | number>>;
}

/**
 * Runs one composition root as a child of the supervisor. Bugs crash the process with exit code 1 (the supervisor
 * restarts it); SIGTERM disposes and exits 0; a closed IPC channel exits at once.
 */
export function runChild<Init>(name: string, start: (init: Init, context: ChildContext) => Promise<Running>): void {
  const send = (message: FromChild): void => {
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  };
  const listeners: ((processes: readonly ProcessStatus[]) => void)[] = [];
  let running: Running | null = null;
  let stopping = false;

  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    send({ kind: 'stopping' });
    await running?.[Symbol.asyncDispose]();
    process.exit(0);
  };

  const begin = async (message: FromSupervisor & { kind: 'init' }): Promise<void> => {
    const log = createLog(name, message.logLevel, message.logFolder ?? null);
    const crash = (error: unknown): void => {
      log.error({ error: error instanceof Error ? error : messageOf(error) }, 'process ends by a fault');
      process.exit(1);
    };
    process.on('uncaughtException', crash);
    process.on('unhandledRejection', crash);
    beat(message.beatMs, send);
    try {
      running = await start(message.init as Init, {
        clock: systemClock,
        log,
        onProcesses: (listener) => listeners.push(listener),
        reload: (processes) => send({ kind: 'reload', processes: [...processes] }),
      });
    } catch (error) {
      return crash(error);
    }
    if (stopping) return;
    send({ kind: 'ready', info: running.info });
  };

  process.on('message', (message: FromSupervisor) => {
    if (message.kind === 'init') void begin(message);
    else for (const listener of listeners) listener(message.processes);
  });
  process.on('disconnect', () => process.exit(0));
  process.on('SIGTERM', () => void stop());
  // Ctrl-C reaches the whole group; the supervisor decides the order in which its children stop.
  process.on('SIGINT', () => {});
}

/** Beats come from the main loop on purpose: a blocked loop falls silent, and silence is how it is found. */
function beat(everyMs: number, send: (message: FromChild) => void): void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const tell = (): void => {
    send({ kind: 'beat', rss: process.memoryUsage.rss(), loopDelay: Math.max(0, Math.round(delay.max / 1e6) - 20) });
    delay.reset();
  };
  tell();
  setInterval(tell, everyMs);
}
