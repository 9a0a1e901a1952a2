import type { DeviceHealth } from '#edge/domain/health.ts';
import type { Notice } from '#edge/domain/notice.ts';
import type { Name } from '#edge/domain/place.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { NotifySite } from '#edge/runtime/site-notify.ts';
import { createChannel } from './channels.ts';
import { Lane, type LaneTuning, type Settlement } from './lane.ts';
import { Settlements } from './settlements.ts';

/** Where queued notices are read: the store's reader in a process, and newest first as there. */
export interface NoticeSource {
  /** Throws a coded error while there is no database. */
  notices(filter: {
    readonly state?: Notice['state'];
    readonly before?: string;
    readonly limit: number;
  }): readonly Notice[];
}

export interface SenderOptions {
  readonly notify: NotifySite;
  readonly campus: { readonly name: Name; readonly timeZone: string };
  /** Of the site file. */
  readonly folder: string;
  readonly source: NoticeSource;
  /** Resolves when it is on disk; rejects with RPC_AWAY and the like. */
  readonly settle: (settlement: Settlement) => Promise<unknown>;
  /** A channel has not worked for some time (`problem` says why), or works again (null). Said again until it is taken. */
  readonly tellChannel: (channel: string, problem: string | null) => Promise<unknown>;
  /** Each time something of it changes, and every half minute. */
  readonly onHealth: (channels: readonly DeviceHealth[]) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly tuning?: SenderTuning;
}

export interface SenderTuning extends LaneTuning {
  /** How often lanes are looked at, ms. */
  readonly tick?: number;
  /** How often the disk is asked without a hint, ms. */
  readonly poll?: number;
  /** A channel that has not worked for so long is told to core, ms. */
  readonly deadAfter?: number;
  /** Of one call to a far end, ms. */
  readonly timeout?: number;
  readonly settleRetry?: { readonly first: number; readonly cap: number };
}

const pageSize = 500;
/** Known at a time, over all channels; what is more stays on disk until there is room. */
const mostKnown = 5_000;
/** Of a channel's share; the rest is kept for what is critical. */
const sharedByAll = 0.75;
/** Looked through on disk, so that the oldest are among them. */
const mostRead = 20_000;
const usualTick = 250;
const usualPoll = 5_000;
const usualDead = 120_000;
/** Between two words on one channel to core, and between two of the same health, ms. */
const tellPause = 15_000;
const healthPause = 30_000;

/** Reads what is queued, sends it over its channels, and says what became of it. Runs until disposed. */
export class NoticeSender implements AsyncDisposable {
  readonly #options: SenderOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #settlements: Settlements;
  readonly #stack = new DisposableStack();
  /** What core was last told of each channel, and when it is tried again. */
  readonly #told = new Map<string, { isDead: boolean; next: number; busy: boolean }>();
  #lastPoll = Number.NEGATIVE_INFINITY;
  #lastHealth = { said: '', at: Number.NEGATIVE_INFINITY };
  #isSourceAway = false;
  /** How many wait for their time, by channel, and when the first of them may go (ms since epoch). */
  readonly #later = new Map<string, number>();
  /** When those may go that lie in the future though they were written in the past, monotonic ms. */
  readonly #dueAfter = new Map<string, number>();
  #nextDue = Number.POSITIVE_INFINITY;

  constructor(options: SenderOptions) {
    this.#options = options;
    const { notify, campus, folder, settle, clock, log, tuning = {} } = options;
    const retry = tuning.settleRetry === undefined ? {} : { retry: tuning.settleRetry };
    this.#settlements = new Settlements({ settle, clock, log, ...retry });
    const recipients = new Map(notify.recipients.map((person) => [person.id, person]));
    const sender = { campus: campus.name, timeZone: campus.timeZone, console: notify.console ?? null };
    const timeout = tuning.timeout === undefined ? {} : { timeout: tuning.timeout };
    for (const config of notify.channels) {
      const lane = new Lane({
        channel: createChannel(config, { folder, clock, ...timeout }),
        recipients,
        sender,
        settle: (settlement) => this.#settlements.add(settlement),
        clock,
        log,
        tuning,
      });
      this.#lanes.set(config.id, lane);
    }
  }

  /** Looks at the files of every channel, recalls what was sent lately, and begins. */
  async start(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.check()));
    const { tick = usualTick } = this.#options.tuning ?? {};
    this.#recall();
    this.#look();
    this.#stack.use(new Ticker(tick, () => this.#look()));
  }

  /** Something was queued: the disk is asked at the next look. */
  hint(): void {
    this.#lastPoll = Number.NEGATIVE_INFINITY;
  }

  #look(): void {
    const { clock, tuning = {} } = this.#options;
    const now = clock.monotonic();
    if (now - this.#lastPoll >= (tuning.poll ?? usualPoll) || clock.now() >= this.#nextDue) {
      this.#lastPoll = now;
      this.#poll();
    }
    // While core is away, what is known goes on being sent; more than can be remembered as sent does not.
    if (this.#settlements.size < mostKnown) for (const lane of this.#lanes.values()) lane.pump();
    this.#settlements.pump();
    this.#tellChannels(now);
    this.#tellHealth(now);
  }

  #poll(): void {
    const queued = this.#read(() => this.#readQueued());
    if (queued === null) return;
    if (queued.length < mostRead) {
      const ids = new Set(queued.map(({ id }) => String(id)));
      for (const lane of this.#lanes.values()) lane.keepOnly(ids);
    }
    this.#later.clear();
    this.#nextDue = Number.POSITIVE_INFINITY;
    const dueAfter = new Map(this.#dueAfter);
    this.#dueAfter.clear();
    // Oldest first: when there is no room for all, those have waited longest. What is critical waits behind nothing else.
    const oldest = queued.toReversed();
    for (const notice of [...oldest.filter(isGravest), ...oldest.filter((one) => !isGravest(one))]) {
      if (this.#settlements.isFinal(notice.id)) continue;
      // Others may still be gathered into it: it is read again when its time has come.
      if (this.#isLater(notice, dueAfter)) this.#postpone(notice);
      else this.#admit(notice);
    }
  }

  /** What was written before the clock was set back would lie in the future: it waits as long as it was meant to, from now on. */
  #isLater({ id, created, notBefore }: Notice, known: ReadonlyMap<string, number>): boolean {
    const { clock } = this.#options;
    const now = clock.now();
    if (notBefore <= now || created <= now) return notBefore > now;
    const due = known.get(id) ?? clock.monotonic() + notBefore - created;
    this.#dueAfter.set(id, due);
    return clock.monotonic() < due;
  }

  #postpone({ channel, notBefore }: Notice): void {
    this.#later.set(channel, (this.#later.get(channel) ?? 0) + 1);
    this.#nextDue = Math.min(this.#nextDue, notBefore);
  }

  #admit(notice: Notice): void {
    const lane = this.#lanes.get(notice.channel);
    const { clock } = this.#options;
    if (lane === undefined) {
      const detail = `the site file has no channel "${notice.channel}" any more`;
      this.#settlements.add({
        id: notice.id,
        about: notice.about,
        state: 'failed',
        attempts: notice.attempts,
        at: clock.now(),
        detail,
      });
      return;
    }
    // Each channel has its own share of the room: what waits for a dead one keeps nobody else's out.
    const share = Math.floor(mostKnown / this.#lanes.size);
    if (lane.has(notice.id) || lane.size >= (isGravest(notice) ? share : Math.floor(share * sharedByAll))) return;
    lane.add({ ...notice, notBefore: Math.min(notice.notBefore, clock.now()) });
  }

  /** Newest first. */
  #readQueued(): Notice[] {
    const found: Notice[] = [];
    let before: string | undefined;
    for (;;) {
      const page = this.#options.source.notices({
        state: 'queued',
        limit: pageSize,
        ...(before === undefined ? {} : { before }),
      });
      found.push(...page);
      before = page.at(-1)?.id;
      if (page.length < pageSize || before === undefined || found.length >= mostRead) return found;
    }
  }

  /** What robots count, they count across our restarts. */
  #recall(): void {
    const delivered = this.#read(() => this.#options.source.notices({ state: 'delivered', limit: pageSize })) ?? [];
    for (const { channel, at } of [...delivered].sort((a, b) => a.at - b.at)) this.#lanes.get(channel)?.remember(at);
  }

  /** null while there is no database, or it cannot be read: it is asked again. */
  #read<T>(question: () => T): T | null {
    try {
      const answer = question();
      this.#isSourceAway = false;
      return answer;
    } catch (error) {
      if (codeOf(error) === '') throw error;
      if (!this.#isSourceAway) this.#options.log.warn({ why: messageOf(error) }, 'queued notices cannot be read yet');
      this.#isSourceAway = true;
      return null;
    }
  }

  // --- how channels fare --------------------------------------------------------------------------------------------

  #tellChannels(now: number): void {
    const { clock, tuning = {}, tellChannel } = this.#options;
    for (const [id, lane] of this.#lanes) {
      const { brokenSince, problem, isOpen } = lane.health;
      const isDead = isOpen && brokenSince !== null && clock.now() - brokenSince >= (tuning.deadAfter ?? usualDead);
      const told = this.#told.get(id) ?? { isDead: false, next: 0, busy: false };
      this.#told.set(id, told);
      // What is slowly broken and not yet dead says nothing new.
      const isNews = isDead ? !told.isDead : told.isDead && brokenSince === null;
      if (!isNews || told.busy || now < told.next) continue;
      told.busy = true;
      void tellChannel(id, isDead ? problem : null)
        .then(
          () => {
            told.isDead = isDead;
          },
          (error: unknown) => {
            told.next = clock.monotonic() + tellPause;
            if (codeOf(error) !== 'RPC_AWAY')
              this.#options.log.warn({ channel: id, why: messageOf(error) }, 'core was not told of a dead channel');
          },
        )
        .finally(() => {
          told.busy = false;
        });
    }
  }

  #tellHealth(now: number): void {
    const channels = [...this.#lanes].map(([id, lane]) => healthOf(id, lane, this.#later.get(id) ?? 0));
    const said = JSON.stringify(
      channels.map(({ device, state, message, counters }) => [device, state, message, counters]),
    );
    if (said === this.#lastHealth.said && now - this.#lastHealth.at < healthPause) return;
    this.#lastHealth = { said, at: now };
    this.#options.onHealth(channels);
  }

  /** What is under way is let go and stays queued; what is known to be over is still said. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stack.dispose();
    await Promise.all([...this.#lanes.values()].map((lane) => lane[Symbol.asyncDispose]()));
    await this.#settlements.drain();
  }
}

function isGravest(notice: Notice): boolean {
  return notice.class === 'critical';
}

/** One line a channel in the health of the process: `notify-<channel>`, so that no device is taken for it. */
function healthOf(id: string, lane: Lane, later: number): DeviceHealth {
  const { queued, delivered, failed, lastDelivered, isOpen, brokenSince, problem, isMisconfigured } = lane.health;
  const state = isMisconfigured ? 'misconfigured' : isOpen ? 'offline' : brokenSince !== null ? 'degraded' : 'online';
  return {
    device: `notify-${id}`,
    state,
    message: problem,
    since: brokenSince ?? lastDelivered ?? 0,
    counters: { queued: queued + later, delivered, failed, lastDelivered: lastDelivered ?? 0 },
  };
}
