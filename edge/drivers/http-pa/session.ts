import { randomUUID } from 'node:crypto';
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
import { codeOfStatus, type Fields, fill, meansYes, type Status, statusOf } from './answers.ts';
import type { PaConfig } from './config.ts';
import { nameOf } from './names.ts';
import type { PaCall } from './presets.ts';
import { afterRefusedLogin, type PaServer } from './server.ts';
import type { PaShelf, ShelfClip } from './shelf.ts';
import { SpeakerTest } from './speaker-test.ts';
import { playsOurs, verdictOf } from './verdict.ts';

export interface PaSessionOptions {
  readonly device: Device;
  readonly config: PaConfig;
  readonly server: PaServer;
  readonly clock: Clock;
  readonly probeEvery: number;
  readonly sink: Sink;
  /** The store of its server; null: it is not given clips. */
  readonly shelf: PaShelf | null;
  /** By our name: what is put there. */
  readonly wanted: ReadonlyMap<string, ShelfClip>;
  readonly testPause: number;
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
  /** Why its volume is not what it should be; ''. */
  unset: string;
}

/** The rank of an order that does not say its class. */
const rankByPriority: Readonly<Record<Priority, number>> = { 1: 0, 5: 3, 8: 4, 12: 7, 15: 8 };
/** Behind every sound. */
const probeRank = 10;
/** Node holds timers below 2^31 ms. */
const longestTimer = 2_000_000_000;
/** A status that lags behind the answer to `play` is met; by then it must say so, ms. */
const startPatience = 2_000;
/** The first look after a yes, ms. */
const firstLook = 300;
/** A volume that is not set must not keep a siren back, ms. */
const volumePatience = 1_000;
/** The store is looked at anew so often: a device may lose its clips without going away, ms. */
const shelfEvery = 300_000;
const nothingKnown: Status = { playing: null, unable: '', job: '' };

export class PaSession implements Session {
  readonly #options: PaSessionOptions;
  readonly #ending = new AbortController();
  readonly #backoff = new Backoff({ first: 500, cap: 30_000 });
  #turn = new AbortController();
  #want: Want | null = null;
  #state: 'unknown' | 'online' | 'offline' = 'unknown';
  /** What the server says. */
  #status = nothingKnown;
  /** What went wrong, or what the proof rests on. */
  #evidence = '';
  readonly #test: SpeakerTest | null;
  #shelfAt = Number.NEGATIVE_INFINITY;
  #isProbing = false;
  #isOver = false;
  #probing: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;

  constructor(options: PaSessionOptions) {
    this.#options = options;
    const { calls } = options.config;
    const ask = (call: PaCall) => this.#ask(call, this.#bareFields(), probeRank, []);
    const { clock, testPause: pause } = options;
    this.#test = calls.test === undefined ? null : new SpeakerTest({ calls: calls.test, ask, clock, pause });
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
    const name = nameOf(order, this.#options.config, this.#options.wanted);
    if (name.problem !== null) return this.#answer(command, 'refused', name.problem);
    return this.#take(command, command.value, order, name.clip, signal);
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
    const { zone, volume } = this.#options.config;
    const share = (order.class === undefined ? undefined : volume[order.class]) ?? 100;
    const fields = {
      clip,
      zone,
      job: randomUUID(),
      level: String(Math.round(((order.level ?? 100) * share) / 100)),
      item: order.item ?? command.id,
      rank: String(rank),
      repeat: order.source.kind === 'clips' && order.source.loop ? '-1' : '0',
    };
    const want: Want = {
      ...{ value, order, fields, rank, until: command.until },
      ...{ proof: 'none', failure: null, takenAt: null, isSeen: false, unset: '' },
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
    const { play, volume } = this.#options.config.calls;
    const signals = [this.#turn.signal, ...(signal === undefined ? [] : [signal])];
    // The newest copy carries the hold; whatever is learned is told to it.
    const learn = (change: Partial<Want>) => {
      Object.assign(want, change);
      if (isCurrent() && this.#want !== null) Object.assign(this.#want, change);
    };
    learn({ proof: 'sent', failure: null, takenAt: null });
    let unset = '';
    try {
      if (volume !== undefined)
        await this.#ask(volume, want.fields, want.rank, signals, volumePatience).catch((error: unknown) => {
          unset = `its volume could not be set: ${messageOf(error)}`.slice(0, 200);
        });
      await this.#ask(play, want.fields, want.rank, signals);
      learn({ proof: 'acknowledged', takenAt: this.#options.clock.monotonic(), unset });
      this.#evidence = unset;
      this.#lookIn(firstLook);
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
    this.#evidence = words;
    const code = error instanceof CodedError ? error.code : 'PA_SILENT';
    sink.count(code.toLowerCase().replace('_', '-'));
    if (code === 'PA_NO') void this.#refill(want);
    if (code === 'PA_NO' || (code === 'PA_SILENT' && !config.calls.play.repeatable)) return;
    const pause = code === 'PA_LOGIN' ? afterRefusedLogin : this.#backoff.next();
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (this.#want?.fields === want.fields) void this.#play(this.#want);
    }, pause);
  }

  /** It may have lost its clips: what was put there now is played. */
  async #refill(want: Want): Promise<void> {
    const put = await this.#options.shelf?.fill(true);
    if (put?.has(want.fields.clip) === true && this.#want?.fields === want.fields) await this.#play(this.#want);
  }

  async #stopFor(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const had = this.#want !== null || this.#status.playing === true;
    const problem = await this.#stop(signal);
    if (problem !== null && had) return this.#answer(command, 'failed', problem);
    return this.#answer(command, 'sent', had ? 'its server says that it stopped' : 'nothing was playing');
  }

  /** null: its server says that it is silent. */
  async #stop(signal?: AbortSignal): Promise<string | null> {
    const { stop } = this.#options.config.calls;
    const rank = this.#want?.rank ?? 0;
    const fields = this.#want?.fields ?? this.#bareFields();
    this.#renew();
    this.#want = null;
    let problem: string | null = null;
    if (stop === undefined) problem = 'its server cannot be told to stop: the clip plays to its end';
    else {
      try {
        await this.#ask(stop, fields, rank, [this.#turn.signal, ...(signal === undefined ? [] : [signal])]);
        this.#status = { ...this.#status, playing: this.#status.playing === null ? null : false };
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
    this.#evidence = '';
  }

  #bareFields(): Fields {
    const { zone } = this.#options.config;
    return { clip: '', zone, level: '0', item: '', rank: '9', repeat: '0', job: '' };
  }

  /** The text of an answer that means yes. Throws PA_NO and what PaServer throws. */
  async #ask(
    call: PaCall,
    fields: Fields,
    rank: number,
    signals: readonly AbortSignal[],
    timeout?: number,
  ): Promise<string> {
    const { server, config } = this.#options;
    const inText = (text: string) => JSON.stringify(text).slice(1, -1);
    const isLine = config.server.url.startsWith('tcp:');
    const answer = await server.ask({
      method: call.method,
      path: fill(call.path, fields, isLine ? inText : encodeURIComponent),
      body: call.body === undefined ? undefined : fill(call.body, fields, inText),
      rank,
      ...(timeout !== undefined && { timeout: Math.min(timeout, config.server.timeout) }),
      signal: AbortSignal.any([this.#ending.signal, ...signals]),
    });
    const no = meansYes(answer, call, config.calls.success);
    if (no !== null) throw new CodedError(codeOfStatus(answer.status), no);
    return answer.text;
  }

  /** Sooner than in its turn. */
  #lookIn(pause: number): void {
    if (this.#isOver || this.#isProbing) return;
    clearTimeout(this.#probing);
    this.#probing = setTimeout(() => void this.#probe(), pause);
  }

  async #probe(): Promise<void> {
    const { config, sink, probeEvery } = this.#options;
    this.#isProbing = true;
    try {
      const text = await this.#ask(config.calls.probe, this.#bareFields(), probeRank, []);
      if (config.calls.status !== undefined) this.#status = statusOf(text, config.calls.status);
      this.#become('online', `${config.server.url} answers`);
      this.#judge();
      this.#restock();
      void this.#test?.look(this.#want === null && this.#status.playing !== true);
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      sink.count('probe-failed');
      this.#become('offline', `${config.server.url}: ${messageOf(error)}`.slice(0, 200));
    } finally {
      this.#isProbing = false;
    }
    // Whether it plays is looked at when it must be seen, and not a turn later.
    const taken = this.#want?.takenAt ?? null;
    const isNew = taken !== null && this.#options.clock.monotonic() - taken < startPatience;
    this.#lookIn(isNew ? Math.min(probeEvery, 500) : probeEvery);
  }

  /** Its clips are there before they are needed; at every return of the device, and now and then. */
  #restock(): void {
    const { shelf, clock, sink } = this.#options;
    if (shelf === null || clock.monotonic() - this.#shelfAt < shelfEvery) return;
    this.#shelfAt = clock.monotonic();
    void shelf.fill().then((put) => {
      for (const _ of put) sink.count('uploaded');
      const [problem] = shelf.problems();
      if (this.#want === null) this.#evidence = (problem ?? '').slice(0, 200);
      this.#tell();
    });
  }

  /** It said yes; does it play? */
  #judge(): void {
    const want = this.#want;
    if (want !== null && want.takenAt !== null && want.failure === null) this.#look(want, want.takenAt);
    this.#tell();
  }

  #look(want: Want, takenAt: number): void {
    const { clock, sink, config } = this.#options;
    const { job } = want.fields;
    if (playsOurs(this.#status, job)) want.isSeen = true;
    const { isSeen } = want;
    const isSettled = clock.monotonic() - takenAt > startPatience;
    const { source } = want.order;
    const isEndless = source.kind === 'clips' && source.loop;
    const mayBegin = this.#status.unable === '' && (isSeen || config.calls.repeats !== true);
    if (this.#status.playing === false && isSettled && isEndless && mayBegin) {
      sink.count('begun-again');
      // Another beginning: its server must not take it for the one that it knows.
      this.#want = { ...want, fields: { ...want.fields, job: randomUUID() }, isSeen: false };
      void this.#play(this.#want);
      return;
    }
    const test = this.#test?.verdict() ?? null;
    const said = { status: this.#status, job, isSeen, isEndless, isSettled, test, evidence: want.unset };
    const { proof, evidence } = verdictOf(said);
    want.proof = proof;
    this.#evidence = evidence;
  }

  #become(state: 'online' | 'offline', message: string): void {
    if (this.#state === state) return;
    this.#state = state;
    if (state === 'offline') {
      this.#status = nothingKnown;
      this.#shelfAt = Number.NEGATIVE_INFINITY;
      this.#options.shelf?.doubt();
    }
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
    const isPlaying = this.#status.playing ?? isTaken;
    const values: Readonly<Record<string, Value>> = {
      clip: isTaken && isPlaying ? (want?.value ?? '') : '',
      playing: isPlaying,
      proof: want?.proof ?? 'none',
      evidence: this.#evidence,
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
