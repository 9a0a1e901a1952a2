import { type Proof, parseOrder, rankOf, type SoundOrder } from '#edge/domain/broadcast.ts';
import type { Device, Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command, CommandResult, Priority } from '#edge/domain/output.ts';
import type { Sample, Value } from '#edge/domain/reading.ts';
import type { Session, Sink } from '#edge/drivers/driver.ts';
import { soundKey } from '#edge/drivers/sound/frames.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { Backoff } from '#edge/runtime/lifecycle.ts';
import { type Fields, fill, meansYes, playingOf } from './answers.ts';
import type { PaConfig } from './config.ts';
import type { PaCall } from './presets.ts';
import type { PaServer } from './server.ts';

export interface PaSessionOptions {
  readonly device: Device;
  readonly config: PaConfig;
  readonly server: PaServer;
  readonly clock: Clock;
  readonly probeEvery: number;
  readonly sink: Sink;
}

interface Want {
  readonly value: string;
  readonly order: SoundOrder;
  readonly fields: Fields;
  readonly rank: number;
  until: number | null;
  proof: Proof;
  failure: string | null;
  /** When the server said yes; monotonic ms. */
  takenAt: number | null;
  /** Its server was seen to play it. */
  isSeen: boolean;
}

/** The rank of an order that does not say its class. */
const rankByPriority: Readonly<Record<Priority, number>> = { 1: 0, 5: 3, 8: 4, 12: 7, 15: 8 };
/** Behind every sound. */
const probeRank = 10;
/** Node holds timers below 2^31 ms. */
const longestTimer = 2_000_000_000;
/** A status that lags behind the answer to `play` is met; by then it must say so, ms. */
const startPatience = 2_000;
/** Servers lock out whoever tries a wrong password again and again, ms. */
const afterRefusedLogin = 60_000;

export class PaSession implements Session {
  readonly #options: PaSessionOptions;
  readonly #ending = new AbortController();
  readonly #backoff = new Backoff({ first: 500, cap: 30_000 });
  #turn = new AbortController();
  #want: Want | null = null;
  #state: 'unknown' | 'online' | 'offline' = 'unknown';
  /** What the server says; null: it says nothing of it. */
  #playing: boolean | null = null;
  #trouble = '';
  #lockedUntil = 0;
  #isOver = false;
  #probing: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;

  constructor(options: PaSessionOptions) {
    this.#options = options;
    this.#probing = setTimeout(() => void this.#probe(), 0);
  }

  async read(points: readonly Point[], _signal: AbortSignal): Promise<readonly Sample[]> {
    return points.map(({ name }) => this.#sample(name));
  }

  async write(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const { clock } = this.#options;
    if (command.point !== 'clip')
      return this.#answer(command, 'refused', `"${command.point}" cannot be written; "clip" can`);
    if (typeof command.value !== 'string') return this.#answer(command, 'refused', 'an order is a text, or "" to stop');
    if (this.#isOver) return this.#answer(command, 'failed', 'this session is over');
    if (command.expires < clock.now()) return this.#answer(command, 'expired', 'the command came too late');
    if (command.value === '') return this.#stopFor(command, signal);
    if (command.until !== null && command.until <= clock.now())
      return this.#answer(command, 'expired', 'the hold behind the command is over');
    const order = parseOrder(command.value);
    if (order === null) return this.#answer(command, 'refused', `"${command.value.slice(0, 80)}" is no order`);
    const name = this.#nameOf(order);
    if (name.problem !== null) return this.#answer(command, 'refused', name.problem);
    return this.#take(command, command.value, order, name.clip, signal);
  }

  /** What its server calls the clip, or why it cannot play the order. */
  #nameOf({ source }: SoundOrder): { clip: string; problem: string | null } {
    const no = (problem: string) => ({ clip: '', problem });
    if (source.kind === 'live') return no('it plays clips of its own store only, no live voice');
    const [clip = '', ...more] = source.clips;
    if (more.length > 0) return no('it plays one clip at a time');
    const theirs = Object.hasOwn(this.#options.config.clips, clip) ? this.#options.config.clips[clip] : undefined;
    if (theirs === undefined) return no(`address.clips does not say what its server calls "${clip}"`);
    const { status, repeats } = this.#options.config.calls;
    const isSure = !source.loop || status !== undefined || repeats === true;
    return isSure
      ? { clip: theirs, problem: null }
      : no('its server does not say when a clip ends: it cannot be repeated');
  }

  async #take(command: Command, value: string, order: SoundOrder, clip: string, signal: AbortSignal) {
    const before = this.#want;
    if (before !== null && before.failure === null && soundKey(before.order) === soundKey(order)) {
      // Said again (a restart of core, a longer hold): nobody must hear that.
      this.#want = { ...before, value, until: command.until };
      this.#armExpiry();
      return this.#answer(
        command,
        'sent',
        before.takenAt === null ? 'its server is being asked' : 'its server said yes already',
      );
    }
    const rank = order.class === undefined ? rankByPriority[command.priority] : rankOf(order.class);
    const { zone } = this.#options.config;
    const fields = {
      clip,
      zone,
      level: String(order.level ?? 100),
      item: order.item ?? command.id,
      rank: String(rank),
      repeat: order.source.kind === 'clips' && order.source.loop ? '-1' : '0',
    };
    const want: Want = {
      ...{ value, order, fields, rank, until: command.until },
      ...{ proof: 'none', failure: null, takenAt: null, isSeen: false },
    };
    this.#renew();
    this.#want = want;
    this.#backoff.reset();
    this.#armExpiry();
    await this.#play(want, signal);
    if (this.#want?.fields !== want.fields) return this.#answer(command, 'failed', 'overtaken by a newer command');
    if (want.failure !== null) return this.#answer(command, 'failed', want.failure);
    return this.#answer(command, 'sent', 'its server says that it plays');
  }

  async #play(want: Want, signal?: AbortSignal): Promise<void> {
    const isCurrent = () => this.#want?.fields === want.fields;
    const { play } = this.#options.config.calls;
    // The newest copy carries the hold; whatever is learned is told to it.
    const learn = (change: Partial<Want>) => {
      Object.assign(want, change);
      if (isCurrent() && this.#want !== null) Object.assign(this.#want, change);
    };
    learn({ proof: 'sent', failure: null, takenAt: null });
    try {
      await this.#ask(play, want.fields, want.rank, [this.#turn.signal, ...(signal === undefined ? [] : [signal])]);
      learn({ proof: 'acknowledged', takenAt: this.#options.clock.monotonic() });
      this.#trouble = '';
    } catch (error) {
      const words = `${this.#options.config.server.url}: ${messageOf(error)}`.slice(0, 200);
      learn({ failure: words });
      if (isCurrent()) this.#again(want, error, words);
    }
    this.#tell();
  }

  /** Only what has surely not begun, or may be said twice, is said again. */
  #again(want: Want, error: unknown, words: string): void {
    const { sink, config } = this.#options;
    this.#trouble = words;
    const code = error instanceof CodedError ? error.code : 'PA_SILENT';
    sink.count(code.toLowerCase().replace('_', '-'));
    if (code === 'PA_NO' || (code === 'PA_SILENT' && !config.calls.play.repeatable)) return;
    const pause = code === 'PA_LOGIN' ? afterRefusedLogin : this.#backoff.next();
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (this.#want?.fields === want.fields) void this.#play(this.#want);
    }, pause);
  }

  async #stopFor(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const had = this.#want !== null || this.#playing === true;
    const problem = await this.#stop(signal);
    if (problem !== null && had) return this.#answer(command, 'failed', problem);
    return this.#answer(command, 'sent', had ? 'its server says that it stopped' : 'nothing was playing');
  }

  /** null: its server says that it is silent. */
  async #stop(signal?: AbortSignal): Promise<string | null> {
    const { stop } = this.#options.config.calls;
    const rank = this.#want?.rank ?? 0;
    const fields = this.#want?.fields ?? {
      clip: '',
      zone: this.#options.config.zone,
      level: '0',
      item: '',
      rank: '9',
      repeat: '0',
    };
    this.#renew();
    this.#want = null;
    let problem: string | null = null;
    if (stop === undefined) problem = 'its server cannot be told to stop: the clip plays to its end';
    else {
      try {
        await this.#ask(stop, fields, rank, [this.#turn.signal, ...(signal === undefined ? [] : [signal])]);
        this.#playing = this.#playing === null ? null : false;
      } catch (error) {
        problem = messageOf(error);
      }
    }
    this.#tell();
    return problem;
  }

  /** Whatever was asked before is given up. */
  #renew(): void {
    clearTimeout(this.#expiry);
    clearTimeout(this.#retry);
    this.#turn.abort();
    this.#turn = new AbortController();
    this.#trouble = '';
  }

  /** The text of an answer that means yes. Throws PA_NO and what PaServer throws. */
  async #ask(call: PaCall, fields: Fields, rank: number, signals: readonly AbortSignal[]): Promise<string> {
    const { server, config, clock } = this.#options;
    if (clock.monotonic() < this.#lockedUntil)
      throw new CodedError('PA_LOGIN', 'its server refused our login a moment ago');
    try {
      const answer = await server.ask({
        method: call.method,
        path: fill(call.path, fields, encodeURIComponent),
        body:
          call.body === undefined ? undefined : fill(call.body, fields, (text) => JSON.stringify(text).slice(1, -1)),
        rank,
        signal: AbortSignal.any([this.#ending.signal, ...signals]),
      });
      const no = meansYes(answer, call, config.calls.success);
      if (no !== null) throw new CodedError(answer.status === 503 || answer.status === 429 ? 'PA_BUSY' : 'PA_NO', no);
      return answer.text;
    } catch (error) {
      if (error instanceof CodedError && error.code === 'PA_LOGIN')
        this.#lockedUntil = clock.monotonic() + afterRefusedLogin;
      throw error;
    }
  }

  async #probe(): Promise<void> {
    const { config, sink, probeEvery } = this.#options;
    const fields = { clip: '', zone: config.zone, level: '', item: '', rank: '', repeat: '' };
    try {
      const text = await this.#ask(config.calls.probe, fields, probeRank, []);
      if (config.calls.status !== undefined) this.#playing = playingOf(text, config.calls.status);
      this.#become('online', `${config.server.url} answers`);
      this.#judge();
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      sink.count('probe-failed');
      this.#become('offline', `${config.server.url}: ${messageOf(error)}`.slice(0, 200));
    }
    if (!this.#isOver) this.#probing = setTimeout(() => void this.#probe(), probeEvery);
  }

  /** It said yes; does it play? */
  #judge(): void {
    const want = this.#want;
    const { clock, sink } = this.#options;
    const isSettled = want?.takenAt != null && clock.monotonic() - want.takenAt > startPatience;
    if (want === null || !isSettled || this.#playing !== false) {
      if (this.#playing === true && want !== null) want.isSeen = true;
      this.#tell();
      return;
    }
    if (!want.isSeen) this.#trouble = 'its server said yes, and was not seen to play';
    const { source } = want.order;
    if (source.kind === 'clips' && source.loop && this.#options.config.calls.repeats !== true) {
      sink.count('begun-again');
      void this.#play(want);
      return;
    }
    this.#tell();
  }

  #become(state: 'online' | 'offline', message: string): void {
    if (this.#state === state) return;
    this.#state = state;
    if (state === 'offline') this.#playing = null;
    this.#options.sink.health(state, message);
    this.#tell();
  }

  /** The hold's own end: a core that is gone must not leave a room with a siren. */
  #armExpiry(): void {
    clearTimeout(this.#expiry);
    const until = this.#want?.until ?? null;
    if (until === null) return;
    const left = until - this.#options.clock.now();
    const ring = () => (left > longestTimer ? this.#armExpiry() : void this.#stop());
    this.#expiry = setTimeout(ring, Math.min(Math.max(0, left), longestTimer));
  }

  #value(name: PointName): Value | undefined {
    const want = this.#want;
    const isTaken = want?.takenAt != null && want.failure === null;
    const isPlaying = this.#playing ?? isTaken;
    const values: Readonly<Record<string, Value>> = {
      clip: isTaken && isPlaying ? (want?.value ?? '') : '',
      playing: isPlaying,
      proof: want?.proof ?? 'none',
      evidence: this.#trouble,
    };
    return values[name];
  }

  #sample(name: PointName): Sample {
    const value = this.#value(name);
    if (value === undefined) return { point: name, value: null, quality: 'bad', reason: 'configuration-error' };
    if (this.#state === 'online') return { point: name, value, quality: 'good' };
    const reason = this.#state === 'unknown' ? 'never-read' : 'no-communication';
    return { point: name, value: null, quality: 'bad', reason };
  }

  #tell(): void {
    if (this.#ending.signal.aborted) return;
    for (const { name } of this.#options.device.points) this.#options.sink.sample(this.#sample(name));
  }

  #answer({ id, device, point }: Command, outcome: CommandResult['outcome'], message: string): CommandResult {
    return { id, device, point, outcome, message, time: this.#options.clock.now() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#probing);
    // What sounds must not go on with nobody to end it; a server that hangs ends by its own time limit.
    if (this.#want !== null) await this.#stop();
    this.#renew();
    this.#ending.abort();
  }
}
