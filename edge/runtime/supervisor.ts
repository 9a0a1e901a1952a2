import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import type { ProcessState, ProcessStatus } from '#edge/domain/health.ts';
import type { FromChild, FromSupervisor } from './child.ts';
import type { Clock } from './clock.ts';
import { Backoff, Ticker } from './lifecycle.ts';
import type { Log, LogLevel } from './log.ts';

export interface ChildSpec {
  readonly name: string;
  /** Absolute path of the composition root. */
  readonly module: string;
  /** V8 heap cap; a leak ends the child, not the box. */
  readonly heapMb: number;
  /** 0 (default) to 19. */
  readonly nice?: number;
  /** More flags for Node, e.g. its permission model. */
  readonly nodeFlags?: readonly string[];
  /** Gets the supervisor's table of processes. */
  readonly watchesProcesses?: boolean;
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
}

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
};

export interface SupervisorOptions {
  readonly specs: readonly ChildSpec[];
  /** Where pid files go, so that a child left spinning by a killed supervisor is ended by the next one. */
  readonly runFolder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly logLevel: LogLevel;
  readonly times?: Partial<SupervisorTimes>;
  readonly onStatus?: (processes: readonly ProcessStatus[]) => void;
  readonly onReady?: (name: string, info: Readonly<Record<string, string | number>>) => void;
}

export interface Supervisor extends AsyncDisposable {
  status(): readonly ProcessStatus[];
}

/** Starts every child and keeps it alive for ever. Disposing stops them all: SIGTERM, then SIGKILL after `times.stop`. */
export function startSupervisor(options: SupervisorOptions): Supervisor {
  const times = { ...defaultTimes, ...options.times };
  mkdirSync(options.runFolder, { recursive: true });
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
  const children = options.specs.map((spec) => new Child(spec, options, times, tell));
  for (const child of children) child.start();
  const ticker = new Ticker(5_000, broadcast);
  return {
    status: () => children.map((child) => child.status()),
    async [Symbol.asyncDispose]() {
      ticker[Symbol.dispose]();
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
  #silence: NodeJS.Timeout | undefined;
  #restart: NodeJS.Timeout | undefined;
  #killedFor: string | null = null;
  #startedAt = 0;
  #wanted = false;
  #exited: (() => void) | null = null;

  constructor(spec: ChildSpec, options: SupervisorOptions, times: SupervisorTimes, changed: () => void) {
    this.#spec = spec;
    this.#options = options;
    this.#times = times;
    this.#changed = changed;
    this.#backoff = new Backoff({ first: times.backoffFirst, cap: times.backoffCap });
    this.#log = options.log.child({ child: spec.name });
    this.#pidFile = join(options.runFolder, `${spec.name}.pid`);
    this.#since = options.clock.now();
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

  #spawn(): void {
    const { module, heapMb, nodeFlags = [], nice = 0 } = this.#spec;
    const child = fork(module, [], {
      execArgv: [`--max-old-space-size=${heapMb}`, '--disable-warning=ExperimentalWarning', ...nodeFlags],
      env: childEnvironment(),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#process = child;
    this.#killedFor = null;
    this.#startedAt = this.#options.clock.monotonic();
    child.on('message', (message: FromChild) => this.#hear(message));
    child.on('error', (error) => this.#log.error({ error }, 'cannot start or reach the process'));
    child.on('exit', (code, signal) => this.#ended(signal ?? `exit ${code}`));
    if (child.pid !== undefined) {
      writeFileSync(this.#pidFile, String(child.pid));
      if (nice > 0) setPriority(child.pid, Math.min(nice, constants.priority.PRIORITY_LOW));
    }
    this.#send({
      kind: 'init',
      init: this.#spec.init(this.#recentCrashes()),
      logLevel: this.#options.logLevel,
      beatMs: this.#times.beat,
    });
    this.#expectBeat(this.#times.start);
    this.#enter('starting');
  }

  #send(message: FromSupervisor): void {
    if (this.#process?.connected) this.#process.send(message, undefined, undefined, () => {});
  }

  #hear(message: FromChild): void {
    if (message.kind === 'beat') {
      this.#rss = message.rss;
      this.#loopDelay = message.loopDelay;
      if (this.#state !== 'stopping')
        this.#expectBeat(this.#state === 'starting' ? this.#times.start : this.#times.silence);
    } else if (message.kind === 'ready') {
      this.#expectBeat(this.#times.silence);
      this.#enter('ready');
      this.#options.onReady?.(this.#spec.name, message.info);
    } else if (message.kind === 'stopping') {
      this.#enter('stopping');
    }
  }

  #expectBeat(ms: number): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#killedFor = `silent for ${Math.round(ms / 1000)} s`;
      this.#log.error({ ms }, 'process is silent and is killed');
      this.#process?.kill('SIGKILL');
    }, ms);
  }

  #ended(how: string): void {
    clearTimeout(this.#silence);
    rmSync(this.#pidFile, { force: true });
    this.#process = null;
    this.#rss = null;
    this.#loopDelay = null;
    this.#lastExit = this.#killedFor ?? how;
    if (!this.#wanted) {
      this.#enter('stopped');
      this.#exited?.();
      return;
    }
    const lived = this.#options.clock.monotonic() - this.#startedAt;
    if (lived >= this.#times.healthy) this.#backoff.reset();
    this.#crashes.push(this.#options.clock.monotonic());
    const pause = this.#backoff.next();
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
    this.#changed();
  }
}

/** Children get no more of our environment than programs need to run: no secret travels that way. */
function childEnvironment(): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = {};
  for (const name of ['PATH', 'HOME', 'TZ', 'LANG', 'TMPDIR']) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

/** A child whose loop spins cannot notice that its supervisor was killed; the next supervisor ends it. Linux only. */
function killStale(pidFile: string, module: string, log: Log): void {
  let pid: number;
  try {
    pid = Number(readFileSync(pidFile, 'utf8'));
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(module)) return;
  } catch {
    return; // no pid file, or no such process: nothing is left over
  }
  log.warn({ pid }, 'a process of an earlier run is still there and is killed');
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended between the two looks
  }
}
