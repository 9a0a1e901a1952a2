import type { Commands } from '#edge/commands/commands.ts';
import { type BroadcastItem, rankOf } from '#edge/domain/broadcast.ts';
import type { Device } from '#edge/domain/device.ts';
import { type HappeningId, type PointRef, pointRef } from '#edge/domain/ids.ts';
import type { HoldChange } from '#edge/rules/decision.ts';
import type {
  ItemAnswer,
  Moment,
  OutputAnswer,
  OutsideClaim,
  PutAnswer,
  QuietRooms,
  Said,
  SoundArbiter,
  SoundArbiterOptions,
  SoundHappening,
  SoundLevels,
  SoundStep,
  StopAnswer,
  StoredSound,
  WantedSound,
} from '#edge/rules/sound.ts';
import { createSoundArbiter } from '#edge/rules/sound-arbiter.ts';
import { claimOf, soundHabits } from '#edge/rules/sound-habits.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { Log } from '#edge/runtime/log.ts';
import { isLoudspeaker } from '#edge/school/site-facts.ts';
import type { Batch } from '#edge/store/batch.ts';
import { isOurs, isStored, ownerWord, type Places, soundsHere, soundsOfHolds } from './broadcast-memory.ts';
import { outputsOf } from './broadcast-places.ts';
import type { BroadcastDeskPort, SoundGate, SoundWish } from './broadcast-port.ts';

/*
 * Who has the word on each loudspeaker, carried out: what the arbiter wants is held through `commands`, what others hold is told to the
 * arbiter in the same turn, and what it must know after a restart goes to the store.
 */

export interface BroadcastDeskOptions extends Pick<SoundArbiterOptions, 'drillWord' | 'sirens'> {
  readonly devices: readonly Device[];
  readonly commands: () => Pick<Commands, 'setInterlockHolds' | 'holdsOn'>;
  /** What was left by the process before this one (`StoredSound`). Throws what the store throws. */
  readonly stored: () => readonly unknown[];
  readonly append: (batch: Batch) => Promise<void>;
  /** What is known of a clip; undefined: there is none. length: ms; null: unknown or endless. */
  readonly clip: (name: string) => { readonly length: number | null; readonly isEndless: boolean } | undefined;
  /** Somebody who looks should ask again. */
  readonly onChange: () => void;
  /** Nobody vouches for the wall clock. */
  readonly isUnsure?: () => boolean;
  readonly gate?: SoundGate;
  readonly clock: Clock;
  readonly log: Log;
  /** Tests tick by themselves. */
  readonly isDriven?: boolean;
}

/** A clip whose length nobody knows is given so long, ms: else what waits behind it would wait for ever. */
const unknownLength = 60_000;
/** A live voice of before a restart has so long to say that it is still there, ms. */
const leaseAfterRestart = 15_000;
const longestTimer = 60_000;
const retryEvery = 5_000;

interface Lease {
  readonly lasts: number;
  /** Monotonic. */
  ends: number;
}

export class BroadcastDesk implements BroadcastDeskPort, Disposable {
  readonly #options: BroadcastDeskOptions;
  readonly #arbiter: SoundArbiter;
  readonly #speakers: ReadonlyMap<PointRef, Device>;
  readonly #claims = new Map<PointRef, readonly OutsideClaim[]>();
  readonly #dirty = new Set<PointRef>();
  /** What is held on each loudspeaker in the arbiter's name. */
  readonly #held = new Map<PointRef, string>();
  readonly #leases = new Map<HappeningId, Lease>();
  readonly #listeners = new Set<(happenings: readonly SoundHappening[]) => void>();
  readonly #claimListeners = new Set<(claims: readonly OutsideClaim[]) => void>();
  /** Documents that the disk has not taken. */
  readonly #owed = new Set<HappeningId>();
  readonly #untold: (readonly SoundHappening[])[] = [];
  #isTelling = false;
  #timer: NodeJS.Timeout | undefined;
  #isAwaited = false;
  #isBegun = false;
  #owedAt = Number.NEGATIVE_INFINITY;
  #isEnded = false;

  constructor(options: BroadcastDeskOptions) {
    this.#options = options;
    const { drillWord, sirens } = options;
    this.#arbiter = createSoundArbiter({ drillWord, sirens });
    this.#speakers = new Map(
      options.devices.flatMap((device) =>
        device.points.filter(isLoudspeaker).map(({ name }) => [pointRef(device.id, name), device] as const),
      ),
    );
  }

  get speakers(): ReadonlyMap<PointRef, Device> {
    return this.#speakers;
  }

  get counters() {
    return this.#arbiter.counters;
  }

  /** Once, when outputs and their restored holds stand. What is still to be heard goes on where it is by now. */
  begin(prepare: () => void = () => {}): void {
    const { log } = this.#options;
    const at = this.#moment();
    let stored: readonly StoredSound[] | null = null;
    try {
      stored = this.#options.stored().filter(isStored);
    } catch (error) {
      log.error({ error }, 'what sounded before cannot be read');
    }
    const mine = [...this.#speakers.keys()].flatMap((ref) => this.#options.commands().holdsOn(ref).find(isOurs) ?? []);
    const known = soundsHere(stored ?? [], this.#speakers);
    const places: Places = {
      ...{ speakers: this.#speakers, now: at.now, isWhole: stored !== null },
      lengthOf: (source) => this.#usualLength({ source }),
    };
    const found = soundsOfHolds(mine, known, places);
    if (found.length > 0)
      log.warn({ items: found.map(({ item }) => item.id) }, 'sounds are known by their holds alone');
    const lost = this.#arbiter.restore([...known, ...found], at);
    const gone = [...new Set([...lost, ...(stored ?? []).map(({ item }) => item.id)])].filter(
      (id) => this.#arbiter.stored(id) === null,
    );
    if (gone.length > 0) log.error({ items: gone }, 'sounds of before the start cannot be taken up again');
    for (const { item } of this.#arbiter.snapshot()) {
      if (item.source.kind === 'live') this.#lend(item.id, leaseAfterRestart);
    }
    // Asked again at the next start.
    if (gone.length > 0) void this.#options.append({ sounds: gone.map((id) => ({ id, body: null })) }).catch(() => {});
    for (const ref of this.#speakers.keys()) this.#dirty.add(ref);
    for (const { ref, owner } of mine) this.#held.set(ref, owner);
    // Quiet rooms and loudness hold from the first sound on.
    prepare();
    this.#isBegun = true;
    this.#turn();
    this.#letGo();
  }

  #letGo(): void {
    const wanted = this.#arbiter.orders();
    const orphans = [...this.#held].filter(([ref]) => !wanted.has(ref));
    for (const [ref] of orphans) this.#held.delete(ref);
    if (orphans.length === 0) return;
    this.#options
      .commands()
      .setInterlockHolds(
        orphans.map(([ref, owner]) => ({ kind: 'relinquish', owner, ref, reason: 'it was over before the restart' })),
      );
  }

  play(wish: SoundWish): PutAnswer {
    const item = this.#itemOf(wish);
    const answer = this.#arbiter.put(item, this.#moment());
    // What somebody else asked for first does not hang on this one's being there.
    if (wish.lease !== undefined && answer.item === item.id) this.#lend(item.id, wish.lease);
    this.#turn();
    return answer;
  }

  /** Each who joined an emergency knows it by the same id: each stop takes back one of them, the first one first. */
  stop(item: HappeningId, said: Said & { readonly outputs?: readonly PointRef[] }): StopAnswer {
    const askers = this.#arbiter.stored(item)?.askers ?? [];
    const asker = askers.includes(item) ? item : (askers[0] ?? item);
    const answer = this.#arbiter.stop(said.outputs === undefined ? asker : item, said, this.#moment());
    this.#turn();
    return answer;
  }

  /** Everything that somebody asked for, in these rooms. */
  stopOf(by: string, said: Said & { readonly outputs: readonly PointRef[] }): void {
    for (const { item } of this.#arbiter.snapshot()) {
      if (item.by === by) this.#arbiter.stop(item.id, said, this.#moment());
    }
    this.#turn();
  }

  /** Is there anything of this person, entry or rule that is not over? */
  isAsked(by: string): boolean {
    return this.#arbiter.snapshot().some(({ item }) => item.by === by);
  }

  renew(item: HappeningId): boolean {
    const lease = this.#leases.get(item);
    if (lease !== undefined) lease.ends = this.#options.clock.monotonic() + lease.lasts;
    return this.#arbiter.stored(item) !== null;
  }

  allClear(said: Said): readonly HappeningId[] {
    const ended = this.#arbiter.allClear(said, this.#moment());
    this.#turn();
    return ended;
  }

  why(output: PointRef): OutputAnswer {
    return this.#arbiter.why(output, this.#moment());
  }

  whyItem(item: HappeningId): ItemAnswer | null {
    return this.#arbiter.whyItem(item, this.#moment());
  }

  /** What plays, waits or is cut, strongest first. */
  items(): readonly ItemAnswer[] {
    const at = this.#moment();
    return this.#arbiter
      .snapshot()
      .flatMap(({ item }) => this.#arbiter.whyItem(item.id, at) ?? [])
      .toSorted((a, b) => rankOf(a.item.class) - rankOf(b.item.class));
  }

  /** What is asked of each loudspeaker now. */
  orders(): ReadonlyMap<PointRef, WantedSound> {
    return this.#arbiter.orders();
  }

  onHappening(listener: (happenings: readonly SoundHappening[]) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** What others hold on loudspeakers, whenever that changes. */
  onClaims(listener: (claims: readonly OutsideClaim[]) => void): Disposable {
    this.#claimListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#claimListeners.delete(listener) };
  }

  /** What others hold on loudspeakers. */
  claims(): readonly OutsideClaim[] {
    return [...this.#claims.values()].flat();
  }

  lengthOf(clip: string): number | null {
    return this.#options.clip(clip)?.length ?? null;
  }

  hasClip(clip: string): boolean {
    return this.#options.clip(clip) !== undefined;
  }

  /** All rooms that are or will be quiet. */
  quiet(rooms: readonly QuietRooms[]): void {
    const beyond = this.#arbiter.quiet(rooms, this.#moment());
    if (beyond.length > 0) this.#options.log.error({ beyond }, 'there are more quiet rooms than can be kept');
    this.#turn();
  }

  levels(levels: SoundLevels): void {
    const beyond = this.#arbiter.levels(levels, this.#moment());
    if (beyond.length > 0) this.#options.log.error({ beyond }, 'there are more caps of loudness than can be kept');
    this.#turn();
  }

  /** Somebody holds an output, or no longer: looked at when the turn is over, before anything else is heard. */
  onOutput(ref: PointRef): void {
    if (!this.#speakers.has(ref)) return;
    this.#dirty.add(ref);
    if (this.#isAwaited || !this.#isBegun) return;
    this.#isAwaited = true;
    queueMicrotask(() => {
      this.#isAwaited = false;
      this.#turn();
    });
  }

  /** Other loudspeakers are kept back than before. */
  onGate(): void {
    this.#arbiter.outside([...this.claims(), ...(this.#options.gate?.claims() ?? [])], this.#moment());
    this.#turn();
  }

  /** What became due by itself. */
  tick(): void {
    const now = this.#options.clock.monotonic();
    for (const [item, { ends }] of this.#leases) {
      if (ends > now) continue;
      this.#leases.delete(item);
      this.#arbiter.stop(item, { by: 'core', why: 'nobody is there any more who speaks' }, this.#moment());
    }
    this.#turn();
  }

  [Symbol.dispose](): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
  }

  #moment(): Moment {
    const { clock, isUnsure } = this.#options;
    const moment = { now: clock.now(), monotonic: clock.monotonic() };
    return isUnsure?.() === true ? { ...moment, isUnsure: true } : moment;
  }

  #lend(item: HappeningId, lasts: number): void {
    this.#leases.set(item, { lasts, ends: this.#options.clock.monotonic() + lasts });
  }

  #itemOf(wish: SoundWish): BroadcastItem {
    const { class: soundClass, name, source, by, why } = wish;
    const habit = soundHabits[soundClass];
    const now = this.#options.clock.now();
    const asked = new Set(wish.zones === 'all' ? [] : wish.zones);
    const zones = [...new Set([...this.#speakers.values()].map(({ zone }) => zone))].filter(
      (zone) => wish.zones === 'all' || asked.has(zone),
    );
    return {
      id: newHappeningId(this.#options.clock),
      ...{ class: soundClass, name, source, zones, since: now },
      outputs: outputsOf(wish, zones, this.#speakers, (clip) => this.hasClip(clip)),
      length: wish.length === undefined ? this.#usualLength(wish) : wish.length,
      patience: wish.patience !== undefined ? wish.patience : habit.patience === null ? null : now + habit.patience,
      until: wish.until ?? null,
      interruption: wish.interruption ?? habit.interruption,
      ...(wish.level === undefined ? {} : { level: Math.round(wish.level) }),
      drill: wish.drill === true,
      ...{ by, why },
    };
  }

  /** As long as its clips are. */
  #usualLength({ source }: Pick<SoundWish, 'source'>): number | null {
    if (source.kind === 'live' || source.loop) return null;
    const clips = source.clips.map((clip) => this.#options.clip(clip));
    if (clips.length === 1 && clips[0]?.isEndless === true) return null;
    return clips.reduce((sum, clip) => sum + (clip?.length ?? unknownLength), 0);
  }

  #turn(): void {
    if (!this.#isBegun || this.#isEnded) return;
    const at = this.#moment();
    if (this.#dirty.size > 0) {
      for (const ref of this.#dirty) this.#hear(ref, at.now);
      this.#dirty.clear();
      const claims = [...this.#claims.values()].flat();
      this.#arbiter.outside([...claims, ...(this.#options.gate?.claims() ?? [])], at);
      this.#tellClaims(claims);
    }
    const step = this.#arbiter.step(at);
    this.#carryOut(step.orders);
    this.#keep(step);
    this.#tell(step.happenings);
    if (step.happenings.length > 0 || step.orders.size > 0) this.#options.onChange();
    this.#wake(at.monotonic);
    this.#options.gate?.afterTurn();
  }

  /** Who hears of it may play and stop: what comes of that is told to all after this. */
  #tell(happenings: readonly SoundHappening[]): void {
    if (happenings.length === 0) return;
    this.#untold.push(happenings);
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) {
        for (const listener of this.#listeners) listener(next);
      }
    } finally {
      this.#isTelling = false;
    }
  }

  /** Whoever listens keeps no order from a loudspeaker. */
  #tellClaims(claims: readonly OutsideClaim[]): void {
    for (const listener of this.#claimListeners) {
      try {
        listener(claims);
      } catch (error) {
        this.#options.log.error({ error }, 'somebody who hears of loudspeakers failed');
      }
    }
  }

  /** What others hold on a loudspeaker. */
  #hear(ref: PointRef, now: number): void {
    const others = this.#options
      .commands()
      .holdsOn(ref)
      .filter((hold) => !isOurs(hold) && (hold.until === null || hold.until > now));
    if (others.length === 0) this.#claims.delete(ref);
    else
      this.#claims.set(
        ref,
        others.map((hold) => claimOf(hold)),
      );
  }

  #carryOut(orders: SoundStep['orders']): void {
    const changes: HoldChange[] = [];
    for (const [ref, wanted] of orders) {
      const before = this.#held.get(ref);
      const owner = wanted === null ? undefined : this.#ownerOf(wanted);
      const reason = wanted?.reason ?? 'it is over here';
      if (before !== undefined && before !== owner) changes.push({ kind: 'relinquish', owner: before, ref, reason });
      if (wanted === null || owner === undefined) {
        this.#held.delete(ref);
        continue;
      }
      const { text: value, priority, rank, since } = wanted;
      changes.push({ kind: 'hold', owner, ref, value, priority, reason, lasts: null, rank, since });
      this.#held.set(ref, owner);
    }
    if (changes.length > 0) this.#options.commands().setInterlockHolds(changes);
  }

  /** The school day looks for its own entries among the holders; of others the class says enough. */
  #ownerOf({ item, class: soundClass }: WantedSound): string {
    const by = this.#arbiter.stored(item)?.item.by ?? '';
    return by.startsWith('schedule:') ? by : `${ownerWord}${soundClass}`;
  }

  #keep({ changed, gone }: Pick<SoundStep, 'changed' | 'gone'>): void {
    const { append, clock, log } = this.#options;
    for (const id of gone) this.#leases.delete(id);
    const isRetry = this.#owed.size > 0 && clock.monotonic() - this.#owedAt >= retryEvery;
    const ids = new Set([...changed, ...gone, ...(isRetry ? this.#owed : [])]);
    if (ids.size === 0) return;
    if (isRetry) this.#owedAt = clock.monotonic();
    for (const id of ids) this.#owed.delete(id);
    const sounds = [...ids].map((id) => ({ id, body: this.#arbiter.stored(id) }));
    append({ sounds }).catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, 'what sounds could not be written down');
      if (this.#owed.size === 0) this.#owedAt = clock.monotonic();
      for (const id of ids) this.#owed.add(id);
      this.#wake(clock.monotonic());
    });
  }

  #wake(now: number): void {
    if (this.#options.isDriven === true || this.#isEnded) return;
    clearTimeout(this.#timer);
    const leases = [...this.#leases.values()].map(({ ends }) => ends);
    const times = [this.#arbiter.next() ?? Number.POSITIVE_INFINITY, ...leases, now + longestTimer];
    if (this.#owed.size > 0) times.push(now + retryEvery);
    this.#timer = setTimeout(() => this.tick(), Math.max(1, Math.ceil(Math.min(...times) - now)));
  }
}
