import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessState, ProcessStatus } from '#edge/domain/health.ts';
import { type ChannelGuard, guardChannel } from './channel-guard.ts';
import { type FromSupervisor, readChildMessage } from './child-messages.ts';
import type { Clock } from './clock.ts';
import { Backoff, Ticker } from './lifecycle.ts';
import type { Log, LogLevel } from './log.ts';
import { Reloads } from './reloads.ts';
import {
  killStale,
  placeChild,
  removePidFile,
  residentMemory,
  type Spawned,
  spawnChild,
  writePidFile,
} from './spawn.ts';

export interface ChildSpec extends Spawned {
  readonly name: string;
  /** Gets the supervisor's table of processes. */
  readonly watchesProcesses?: boolean;
  /** May ask that processes are started again. */
  readonly mayReload?: boolean;
  /** Made anew for each start; `recentCrashes` counts the last ten minutes. */
  init(recentCrashes: number): unknown;
}

/** All in ms; tests compress them. */
export interface SupervisorTimes {
  readonly beat: number;
  /** Silence after which a child is killed; its first beat may take `start`. */
  readonly silence: number;
  readonly start: number;
  readonly stop: number;
  readonly backoffFirst: number;
  readonly backoffCap: number;
  /** A child that lived this long starts again without back-off. */
  readonly healthy: number;
  /** This many crashes within `crashWindow` are a crash loop. */
  readonly crashLoop: number;
  readonly crashWindow: number;
  /** Least pause between two rounds of starting processes again because core asked for it. */
  readonly reloadPause: number;
}

/** The pause before the first start anew, ms. */
const atOnce = 50;

export const defaultTimes: SupervisorTimes = {
  beat: 2_000,
  silence: 8_000,
  start: 30_000,
  stop: 10_000,
  backoffFirst: 1_000,
  backoffCap: 60_000,
  healthy: 300_000,
  crashLoop: 4,
  crashWindow: 600_000,
  reloadPause: 3_000,
};

export interface SupervisorOptions {
  readonly specs: readonly ChildSpec[];
  /** Where pid files go, so that a child left spinning by a killed supervisor is ended by the next one. */
  readonly runFolder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly logLevel: LogLevel;
  /** Where children keep their log lines besides standard error. */
  readonly logFolder?: string;
  readonly times?: Partial<SupervisorTimes>;
  readonly onStatus?: (processes: readonly ProcessStatus[]) => void;
  readonly onReady?: (name: string, info: Readonly<Record<string, string | number>>) => void;
}

export interface Supervisor extends AsyncDisposable {
  status(): readonly ProcessStatus[];
  /** SIGKILL to every child, for whoever cannot wait for disposing. */
  kill(): void;
}

/** A child says a few words a second; this many in one second are a flood. */
const mostMessages = 500;

/** Starts every child and keeps it alive for ever. Disposing stops them all: SIGTERM, then SIGKILL after `times.stop`. */
export function startSupervisor(options: SupervisorOptions): Supervisor {
  const times = { ...defaultTimes, ...options.times };
  mkdirSync(options.runFolder, { recursive: true, mode: 0o700 });
  let told = '';
  const tell = (): void => {
    const processes = children.map((child) => child.status());
    // Memory and loop delay change with every beat; people are told of transitions at once, of figures by the ticker.
    const key = JSON.stringify(processes.map(({ name, state, pid, restarts }) => [name, state, pid, restarts]));
    if (key === told) return;
    told = key;
    broadcast();
  };
  const broadcast = (): void => {
    const processes = children.map((child) => child.status());
    for (const child of children) child.tellProcesses(processes);
    options.onStatus?.(processes);
  };
  const reloads = new Reloads(times.reloadPause, (name) => children.find(({ name: own }) => own === name)?.renew());
  const children = options.specs.map((spec) => {
    const onReload = (names: readonly string[]) => spec.mayReload === true && reloads.ask(names);
    return new Child(spec, options, times, tell, onReload);
  });
  for (const child of children) child.start();
  const ticker = new Ticker(5_000, broadcast);
  const watch = new Ticker(1_000, () => {
    for (const child of children) child.inspect();
  });
  return {
    status: () => children.map((child) => child.status()),
    kill: () => {
      for (const child of children) child.kill();
    },
    async [Symbol.asyncDispose]() {
      ticker[Symbol.dispose]();
      watch[Symbol.dispose]();
      reloads[Symbol.dispose]();
      await Promise.all(children.map((child) => child.stop()));
    },
  };
}

/** One child over all its lives. */
class Child {
  readonly #spec: ChildSpec;
  readonly #options: SupervisorOptions;
  readonly #times: SupervisorTimes;
  readonly #changed: () => void;
  readonly #backoff: Backoff;
  readonly #log: Log;
  readonly #pidFile: string;
  #process: ChildProcess | null = null;
  #state: ProcessState = 'stopped';
  #since: number;
  #restarts = 0;
  #lastExit: string | null = null;
  #rss: number | null = null;
  #loopDelay: number | null = null;
  #crashes: number[] = [];
  /** It has not ended by itself lately. */
  #isCalm = true;
  #silence: NodeJS.Timeout | undefined;
  #restart: NodeJS.Timeout | undefined;
  #killedFor: string | null = null;
  #startedAt = 0;
  #wanted = false;
  #exited: (() => void) | null = null;
  #heard = 0;
  #guard: ChannelGuard | null = null;
  /** Waiting until it is ready again after it was ended on purpose. */
  #renewed: (() => void) | null = null;
  #isRenewing = false;
  readonly #onReload: (names: readonly string[]) => void;

  constructor(
    spec: ChildSpec,
    options: SupervisorOptions,
    times: SupervisorTimes,
    changed: () => void,
    onReload: (names: readonly string[]) => void,
  ) {
    this.#onReload = onReload;
    this.#spec = spec;
    this.#options = options;
    this.#times = times;
    this.#changed = changed;
    this.#backoff = new Backoff({ first: times.backoffFirst, cap: times.backoffCap });
    this.#log = options.log.child({ child: spec.name });
    this.#pidFile = join(options.runFolder, `${spec.name}.pid`);
    this.#since = options.clock.now();
  }

  get name(): string {
    return this.#spec.name;
  }

  status(): ProcessStatus {
    return {
      name: this.#spec.name,
      state: this.#state,
      pid: this.#process?.pid ?? null,
      restarts: this.#restarts,
      since: this.#since,
      lastExit: this.#lastExit,
      rss: this.#rss,
      loopDelay: this.#loopDelay,
    };
  }

  tellProcesses(processes: readonly ProcessStatus[]): void {
    if (this.#spec.watchesProcesses === true && this.#state === 'ready') this.#send({ kind: 'processes', processes });
  }

  start(): void {
    this.#wanted = true;
    killStale(this.#pidFile, this.#spec.module, this.#log);
    this.#spawn();
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#restart);
    const child = this.#process;
    if (child === null) return;
    const gone = new Promise<void>((resolve) => {
      this.#exited = resolve;
    });
    this.#enter('stopping');
    clearTimeout(this.#silence);
    child.kill('SIGTERM');
    const hard = setTimeout(() => child.kill('SIGKILL'), this.#times.stop);
    await gone;
    clearTimeout(hard);
  }

  kill(): void {
    this.#process?.kill('SIGKILL');
  }

  /**
   * Ends it gracefully and starts it at once with a new init: no crash is counted and nothing waits. Resolves when it
   * is ready, or has failed by itself meanwhile. One that waits for its next start anyway gets its new init then.
   */
  async renew(): Promise<void> {
    const child = this.#process;
    if (child === null || !this.#wanted || this.#renewed !== null) return;
    const settled = new Promise<void>((resolve) => {
      this.#renewed = resolve;
    });
    this.#isRenewing = true;
    this.#enter('stopping');
    clearTimeout(this.#silence);
    child.kill('SIGTERM');
    const hard = setTimeout(() => child.kill('SIGKILL'), this.#times.stop);
    child.once('exit', () => clearTimeout(hard));
    await settled;
  }

  /** Once a second: what a child takes for itself without its loop ever telling. */
  inspect(): void {
    this.#heard = 0;
    this.#guard?.reset();
    const { memoryMb } = this.#spec;
    const pid = this.#process?.pid;
    if (memoryMb === undefined || pid === undefined) return;
    const rss = residentMemory(pid);
    if (rss !== null && rss > memoryMb * 1024 * 1024) this.#killFor(`more than ${memoryMb} MB of memory`);
  }

  #spawn(): void {
    this.#killedFor = null;
    this.#startedAt = this.#options.clock.monotonic();
    const child = spawnChild(this.#spec);
    if (child instanceof Error) {
      this.#notStarted(child);
      return;
    }
    this.#process = child;
    this.#guard = guardChannel(child, (why) => {
      if (this.#process === child) this.#killFor(why);
    });
    this.#heard = 0;
    child.on('message', (message: unknown) => {
      if (this.#process === child) this.#hear(message); // not what is left of its last life
    });
    child.on('error', (error) => {
      // Without a pid there will be no exit: a fork that failed says so only here.
      if (child.pid === undefined) this.#notStarted(error);
      else this.#log.error({ error }, 'cannot reach the process');
    });
    child.on('exit', (code, signal) => this.#ended(signal ?? `exit ${code}`));
    if (child.pid === undefined) return;
    writePidFile(this.#pidFile, child.pid, this.#log);
    placeChild(child.pid, this.#spec, this.#log);
    this.#send({
      kind: 'init',
      init: this.#spec.init(this.#recentCrashes()),
      logLevel: this.#options.logLevel,
      ...(this.#options.logFolder === undefined ? {} : { logFolder: this.#options.logFolder }),
      beatMs: this.#times.beat,
    });
    this.#expectBeat(this.#times.start);
    this.#enter('starting');
  }

  #notStarted(error: Error): void {
    this.#ended(`cannot be started: ${error.message}`);
  }

  #send(message: FromSupervisor): void {
    if (this.#process?.connected) this.#process.send(message, undefined, undefined, () => {});
  }

  #hear(input: unknown): void {
    this.#heard++;
    if (this.#heard > mostMessages) this.#killFor('a flood of messages');
    const message = this.#killedFor === null ? readChildMessage(input) : null;
    if (message === null) return;
    if (message.kind === 'beat') {
      this.#rss = message.rss;
      this.#loopDelay = message.loopDelay;
      if (this.#state !== 'stopping')
        this.#expectBeat(this.#state === 'starting' ? this.#times.start : this.#times.silence);
    } else if (message.kind === 'ready') {
      if (this.#state !== 'starting') return;
      this.#expectBeat(this.#times.silence);
      this.#enter('ready');
      this.#options.onReady?.(this.#spec.name, message.info);
    } else if (message.kind === 'reload') {
      this.#onReload(message.processes);
    } else {
      this.#enter('stopping');
    }
  }

  #killFor(reason: string): void {
    if (this.#killedFor !== null) return;
    this.#killedFor = reason;
    this.#log.error({ reason }, 'process is killed');
    this.#process?.kill('SIGKILL');
  }

  #expectBeat(ms: number): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#killFor(`silent for ${Math.round(ms / 1000)} s`), ms);
  }

  #ended(how: string): void {
    clearTimeout(this.#silence);
    removePidFile(this.#pidFile);
    this.#process = null;
    this.#rss = null;
    this.#loopDelay = null;
    this.#lastExit = this.#killedFor ?? how;
    if (!this.#wanted) {
      this.#enter('stopped');
      this.#exited?.();
      return;
    }
    if (this.#isRenewing && this.#killedFor === null) {
      this.#isRenewing = false;
      this.#log.info({}, 'process starts anew, as asked');
      this.#spawn();
      return;
    }
    this.#isRenewing = false;
    const lived = this.#options.clock.monotonic() - this.#startedAt;
    if (lived >= this.#times.healthy) {
      this.#backoff.reset();
      this.#isCalm = true;
    }
    this.#crashes.push(this.#options.clock.monotonic());
    // An alarm may be sounding: the first end is followed by a start at once, and only what ends again and again waits.
    const pause = this.#isCalm ? Math.min(atOnce, this.#times.backoffFirst) : this.#backoff.next();
    this.#isCalm = false;
    this.#log.error({ how: this.#lastExit, pause }, 'process ended and will be started again');
    this.#restarts++;
    this.#enter(this.#recentCrashes() >= this.#times.crashLoop ? 'crash-loop' : 'backing-off');
    this.#restart = setTimeout(() => this.#spawn(), pause);
  }

  #recentCrashes(): number {
    const since = this.#options.clock.monotonic() - this.#times.crashWindow;
    this.#crashes = this.#crashes.filter((time) => time >= since);
    return this.#crashes.length;
  }

  #enter(state: ProcessState): void {
    this.#state = state;
    this.#since = this.#options.clock.now();
    if (state !== 'starting' && state !== 'stopping') {
      this.#renewed?.();
      this.#renewed = null;
    }
    this.#changed();
  }
}
