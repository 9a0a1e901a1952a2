import type { Commands } from '#edge/commands/commands.ts';
import { type BroadcastItem, type Proof, parseOrder, proofs } from '#edge/domain/broadcast.ts';
import type { BroadcastRecord, Delivery, DeliveryState } from '#edge/domain/delivery.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { AlarmDecision, RaiseDecision } from '#edge/rules/decision.ts';
import type { SoundHappening } from '#edge/rules/sound.ts';
import { isNotHeard } from '#edge/rules/sound-listening.ts';
import {
  adopted,
  afterHappening,
  deliveryOf,
  look,
  newDelivery,
  type SpeakerFacts,
  settled,
  type TrackedDelivery,
} from '#edge/rules/sound-proof.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { SiteListener } from '#edge/runtime/site-listening.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { Reader } from '#edge/store/reader.ts';
import type { BroadcastDesk } from './broadcast-desk.ts';
import { gravities, manyMissed, manySource, missedAlarm, missedSource } from './delivery-words.ts';
import { RoomListeners, type Sounding } from './room-listeners.ts';

/*
 * Proof of delivery: looks at each loudspeaker that should play, keeps what came of it, and raises an alarm by name within seconds where it
 * does not.
 */

export interface DeliveryDeskOptions {
  readonly desk: Pick<BroadcastDesk, 'speakers' | 'items' | 'whyItem' | 'onHappening' | 'orders'>;
  readonly commands: () => Pick<Commands, 'toldOn'>;
  readonly latest: () => ReadonlyMap<PointRef, Reading>;
  /** Why what a loudspeaker is sent may not be heard behind it (its amplifier); '': nothing is known. */
  readonly troubleOf?: (ref: PointRef) => string;
  /** Sound-level sensors in the rooms. */
  readonly listening?: readonly SiteListener[];
  readonly reader: Pick<Reader, 'broadcasts' | 'deliveries'>;
  /** Owed to the disk when it refuses. */
  readonly commit: (batch: Batch) => void;
  readonly decide: (decisions: readonly AlarmDecision[]) => void;
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Log;
  /** Tests tick by themselves. */
  readonly every?: number | null;
}

interface Tracked {
  readonly item: BroadcastItem;
  readonly parts: Map<PointRef, TrackedDelivery>;
}

/** null: it plays, or played. */
type Verdict = { readonly item: BroadcastItem; readonly reason: string } | null;

const tickEvery = 500;
/** After a restart everything is told again, and answered. */
const restartPatience = 20_000;
/** So many loudspeakers of one item at once are one alarm. */
const many = 5;
/** Of before a restart. */
const mostOpen = 500;
const mostParts = 4_000;

export class DeliveryDesk implements Disposable {
  readonly #options: DeliveryDeskOptions;
  readonly #items = new Map<HappeningId, Tracked>();
  readonly #changed = new Set<string>();
  readonly #records = new Set<HappeningId>();
  /** What the latest item on a loudspeaker came to there. */
  readonly #verdicts = new Map<PointRef, Verdict>();
  /** Alarms that stand, with how grave they are (0 the gravest). */
  readonly #raised = new Map<string, number>();
  readonly #listening: Disposable;
  readonly #rooms: RoomListeners | null;
  readonly #timer: Ticker | null;

  constructor(options: DeliveryDeskOptions) {
    this.#options = options;
    this.#listening = options.desk.onHappening((happenings) => this.#hear(happenings));
    const { listening = [], desk, latest } = options;
    this.#rooms = listening.length === 0 ? null : new RoomListeners({ listening, speakers: desk.speakers, latest });
    const { every = tickEvery } = options;
    this.#timer = every === null ? null : new Ticker(every, () => this.tick());
  }

  /** Once, when the desk has taken up what sounded before: what it did not take up is settled as far as is known. */
  begin(alarmed: readonly string[] = []): void {
    const { desk, reader, commit, clock, log } = this.#options;
    // How grave they were does not matter: nothing is graver than what is assumed.
    for (const source of alarmed) this.#raised.set(source, 0);
    try {
      const open = reader.broadcasts({ isOpen: true, limit: mostOpen });
      const live = new Set(desk.items().map(({ item }) => item.id));
      const [broadcasts, deliveries]: [BroadcastRecord[], Delivery[]] = [[], []];
      for (const { item } of open) {
        const before = reader.deliveries({ item: item.id, limit: mostParts });
        if (live.has(item.id)) {
          this.#adopt(item, before, true);
          continue;
        }
        const done = before.map((one) => settled(one, clock.now()));
        deliveries.push(...done);
        broadcasts.push({ item, over: clock.now(), counts: countsOf(done) });
      }
      if (broadcasts.length > 0) commit({ broadcasts, deliveries });
      for (const { item } of desk.items()) if (!this.#items.has(item.id)) this.#adopt(item, [], true);
    } catch (error) {
      log.error({ error }, 'what sounded before cannot be read');
    }
  }

  /** Of one item, as it is now; []: it is over, and in the store. */
  deliveries(item: HappeningId): readonly Delivery[] {
    return [...(this.#items.get(item)?.parts.values() ?? [])].map(deliveryOf);
  }

  isSource(source: string): boolean {
    return this.#raised.has(source);
  }

  tick(): void {
    const now = this.#options.clock.now();
    const latest = this.#options.latest();
    this.#rooms?.tick(this.#sounding(), now);
    for (const tracked of this.#items.values()) {
      for (const [ref, part] of tracked.parts) {
        if (part.on === null && part.due === null) continue;
        const next = look(part, this.#factsOf(ref, part, latest), now);
        tracked.parts.set(ref, next);
        this.#judge(tracked.item, next);
        if (next.state !== part.state || next.proof !== part.proof || next.reason !== part.reason) this.#note(next);
      }
    }
    this.#alarm();
    this.#keep();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#keep();
    this.#listening[Symbol.dispose]();
  }

  #hear(happenings: readonly SoundHappening[]): void {
    for (const happening of happenings) {
      const tracked = this.#track(happening.item);
      if (tracked === null) continue;
      for (const ref of happening.outputs) {
        const part = tracked.parts.get(ref) ?? newDelivery(happening.item, ref, happening.at);
        const next = afterHappening(this.#lastLook(part, ref), happening);
        tracked.parts.set(ref, next);
        this.#judge(tracked.item, next);
        this.#note(next);
      }
      if (isOver(tracked)) this.#records.add(happening.item);
    }
  }

  /** What a loudspeaker had said by the time it is over counts. */
  #lastLook(part: TrackedDelivery, ref: PointRef): TrackedDelivery {
    if (part.on === null) return part;
    return look(part, this.#factsOf(ref, part, this.#options.latest()), this.#options.clock.now());
  }

  #track(id: HappeningId): Tracked | null {
    const known = this.#items.get(id);
    if (known !== undefined) return known;
    const answer = this.#options.desk.whyItem(id);
    return answer === null ? null : this.#adopt(answer.item, [], false);
  }

  #adopt(item: BroadcastItem, before: readonly Delivery[], isRestart: boolean): Tracked {
    const now = this.#options.clock.now();
    const known = new Map(before.map((one) => [one.output, one]));
    const states = new Map((this.#options.desk.whyItem(item.id)?.parts ?? []).map((part) => [part.output, part.state]));
    const parts = item.outputs.map((ref) => {
      const kept = known.get(ref);
      const fresh = newDelivery(item.id, ref, now);
      const part = kept === undefined ? fresh : { ...fresh, ...kept };
      const isOn = isRestart && states.get(ref) === 'playing' && part.ended === null;
      return [ref, isOn ? adopted(part, now, restartPatience) : part] as const;
    });
    const tracked = { item, parts: new Map(parts) };
    this.#items.set(item.id, tracked);
    this.#records.add(item.id);
    return tracked;
  }

  #factsOf(ref: PointRef, { item, on, begun }: TrackedDelivery, latest: ReadonlyMap<PointRef, Reading>): SpeakerFacts {
    const device = this.#options.desk.speakers.get(ref);
    const of = (point: string) => latest.get(`${device?.id}/${point}` as PointRef);
    /** What was said before it was told is of another sound. */
    const since = on ?? begun ?? 0;
    const fresh = (reading: Reading | undefined) =>
      reading !== undefined && reading.receivedTime >= since ? reading : undefined;
    const { confirmed, failures } = this.#options.commands().toldOn(ref);
    const [clip, proof, volume, mute] = [of('clip'), fresh(of('proof')), of('volume'), of('mute')];
    const words = wordsOf(fresh(of('evidence'))) || failedCall(fresh(of('call')));
    const isBad = clip?.quality === 'bad' && clip.reason !== 'never-read';
    const isDone = confirmed !== null && (confirmed.outcome === 'done' || confirmed.outcome === 'sent');
    const behind = this.#options.troubleOf?.(ref) ?? '';
    return {
      answer:
        confirmed === null
          ? null
          : {
              ...{ at: confirmed.time, isMine: isOrderOf(item, confirmed.value), isDone },
              ...{ proof: confirmed.outcome === 'done' ? 'acknowledged' : 'sent' },
              why: words === '' ? `it refused (${confirmed.outcome})` : words,
            },
      said: proof?.quality === 'good' && isProof(proof.value) ? { proof: proof.value, evidence: words } : null,
      away:
        behind !== ''
          ? behind
          : isBad
            ? words === ''
              ? 'it does not answer'
              : words
            : failures > 1 && !isDone
              ? 'it does not answer'
              : '',
      isMuted:
        this.#options.desk.orders().get(ref)?.order.level === 0 ||
        (volume?.quality === 'good' && volume.value === 0) ||
        (mute?.quality === 'good' && mute.value === true),
      counter: countedOf(of('seconds_counted')),
      room: on === null ? null : (this.#rooms?.hears(ref, this.#options.clock.now()) ?? null),
    };
  }

  /** What is on the air where, by our own will. */
  #sounding(): ReadonlyMap<PointRef, Sounding> {
    const orders = this.#options.desk.orders();
    const sounding = new Map<PointRef, Sounding>();
    for (const { item, parts } of this.#items.values()) {
      for (const [ref, { on }] of parts) {
        const level = orders.get(ref)?.order.level ?? 100;
        if (on !== null) sounding.set(ref, { item: item.id, since: on, level, isLive: item.source.kind === 'live' });
      }
    }
    return sounding;
  }

  #note({ item, output }: TrackedDelivery): void {
    this.#changed.add(`${item} ${output}`);
  }

  /** Only what is on the air there, or just was, says how a loudspeaker is. */
  #judge(item: BroadcastItem, { output, state, proof, reason, on, ended, isRoomHeard }: TrackedDelivery): void {
    if (on === null && ended === null) return;
    if (state === 'missed') this.#verdicts.set(output, { item, reason });
    else if ((state === 'playing' || state === 'played') && proof !== 'none') {
      // One that says yes and is not heard in its room says yes to the next sound too: only the room may take that back.
      const before = this.#verdicts.get(output);
      if (isRoomHeard || before === undefined || before === null || !isNotHeard(before.reason))
        this.#verdicts.set(output, null);
    }
  }

  /** A loudspeaker that is silent is named; many of one item at once are one cause. */
  #alarm(): void {
    const wanted = this.#wanted();
    const decisions: AlarmDecision[] = [];
    for (const [source, raise] of wanted) {
      const before = this.#raised.get(source);
      const grave = gravities.indexOf(raise.class);
      if (before !== undefined && before <= grave) continue;
      // An alarm keeps its class: a graver cause is another one.
      if (before !== undefined) decisions.push({ kind: 'return', source, reason: 'something graver was missed' });
      decisions.push(raise);
      this.#raised.set(source, grave);
    }
    for (const source of this.#raised.keys()) {
      if (wanted.has(source) || !this.#isMended(source)) continue;
      this.#raised.delete(source);
      decisions.push({ kind: 'return', source, reason: 'it plays again' });
    }
    if (decisions.length > 0) this.#options.decide(decisions);
  }

  #wanted(): ReadonlyMap<string, RaiseDecision> {
    const missed = [...this.#verdicts].flatMap(([ref, verdict]) => {
      const device = this.#options.desk.speakers.get(ref);
      return verdict === null || device === undefined ? [] : [{ ...verdict, device }];
    });
    const wanted = new Map<string, RaiseDecision>();
    for (const of of Map.groupBy(missed, ({ item }) => item.id).values()) {
      const [first] = of;
      if (first === undefined) continue;
      if (of.length >= many && of.length * 2 >= first.item.outputs.length) {
        const before = wanted.get(manySource);
        const raise = manyMissed(first.item, of);
        if (before === undefined || gravities.indexOf(raise.class) < gravities.indexOf(before.class))
          wanted.set(manySource, raise);
      } else
        for (const { item, device, reason } of of) wanted.set(missedSource(device), missedAlarm(item, device, reason));
    }
    return wanted;
  }

  /** Nothing is missed there any more; of before a restart: it has played since. */
  #isMended(source: string): boolean {
    if (source === manySource) return [...this.#verdicts.values()].some((verdict) => verdict === null);
    return [...this.#verdicts].some(([ref, verdict]) => {
      const device = this.#options.desk.speakers.get(ref);
      return device !== undefined && missedSource(device) === source && (verdict === null || source !== manySource);
    });
  }

  #keep(): void {
    if (this.#changed.size === 0 && this.#records.size === 0) return;
    const deliveries: Delivery[] = [];
    const touched = new Set(this.#records);
    for (const key of this.#changed) {
      const [id = '', ref = ''] = key.split(' ');
      const part = this.#items.get(id as HappeningId)?.parts.get(ref as PointRef);
      if (part !== undefined) deliveries.push(deliveryOf(part));
      touched.add(id as HappeningId);
    }
    const broadcasts = [...touched].flatMap((id) => {
      const tracked = this.#items.get(id);
      return tracked === undefined ? [] : [recordOf(tracked)];
    });
    this.#changed.clear();
    this.#records.clear();
    for (const { item, over } of broadcasts) if (over !== null) this.#items.delete(item.id);
    this.#options.commit({ broadcasts, deliveries });
    this.#options.onChange();
  }
}

function wordsOf(reading: Reading | undefined): string {
  return typeof reading?.value === 'string' ? reading.value : '';
}

function countedOf(reading: Reading | undefined): number | null {
  return reading?.quality === 'good' && typeof reading.value === 'number' ? Math.round(reading.value * 1_000) : null;
}

/** A call says why it failed by itself. */
function failedCall(reading: Reading | undefined): string {
  const words = wordsOf(reading);
  return words.startsWith('failed') ? words : '';
}

function isOver({ parts }: Tracked): boolean {
  return [...parts.values()].every(({ ended, due }) => ended !== null && due === null);
}

function isOrderOf(item: HappeningId, value: unknown): boolean {
  return typeof value === 'string' && parseOrder(value)?.item === item;
}

function isProof(value: unknown): value is Proof {
  return proofs.some((word) => word === value);
}

function countsOf(deliveries: readonly Pick<Delivery, 'state'>[]): BroadcastRecord['counts'] {
  const counts: Partial<Record<DeliveryState, number>> = {};
  for (const { state } of deliveries) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

function recordOf({ item, parts }: Tracked): BroadcastRecord {
  const all = [...parts.values()];
  const over = isOver({ item, parts }) ? Math.max(...all.map(({ ended }) => ended ?? 0)) : null;
  return { item, over, counts: countsOf(all) };
}
