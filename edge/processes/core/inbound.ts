import type { Bus, InboundMessage } from '#edge/bus/bus.ts';
import {
  decodeCommandResult,
  decodeNetwork,
  decodeProcessHealth,
  decodeWish,
  type NetworkRow,
} from '#edge/bus/codec.ts';
import {
  alarmTopic,
  answerTopic,
  campusEventTopic,
  incidentTopic,
  isForeign,
  parseTopic,
  readingTopic,
} from '#edge/bus/topics.ts';
import type { Commands } from '#edge/commands/commands.ts';
import type { InboxEntry } from '#edge/domain/audit.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { ProcessHealth } from '#edge/domain/health.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import type { Incident, IncidentBrief } from '#edge/domain/incident.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { StepNews } from '#edge/ingest/counter-steps.ts';
import { createInboxLimiter } from '#edge/ingest/inbox.ts';
import type { Ingest } from '#edge/ingest/ingest.ts';
import { asSourcesSee } from '#edge/rules/alarm-chatter.ts';
import type { AlarmDecision, NotifyDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Batch } from '#edge/store/batch.ts';
import { createGuestAsks, type GuestAsks } from './guest-asks.ts';
import type { Judgement } from './judgement.ts';
import { Ledger, type Refused, type WriteOptions } from './ledger.ts';
import type { Watch } from './watch.ts';

export interface InboundOptions {
  readonly ingest: Ingest;
  readonly judgement: Judgement;
  readonly commands: Commands;
  readonly watch: Watch;
  readonly bus: Bus;
  readonly append: (batch: Batch) => Promise<void>;
  /** The devices that a process drives; none for one that drives nothing. */
  readonly devicesOf: (process: string) => readonly DeviceId[];
  /** How the hosts of the campus answer, as `process` has probed them. */
  readonly onNetwork?: (process: string, rows: readonly NetworkRow[]) => void;
  /** What `broadcast` found its clips to be. */
  readonly onClipFacts?: (topic: string, payload: Uint8Array) => void;
  /** What goes to disk, with what it brings about: called once for each batch, in the turn that made it. */
  readonly enrich?: (batch: Batch) => Batch;
  /** What `media` says of recording; null: it has left. */
  readonly onMedia?: (health: ProcessHealth | null) => void;
  /** Counters that are held, or are not any more: what to say of it. */
  readonly onSteps?: (steps: readonly StepNews[]) => readonly AlarmDecision[];
  readonly clock: Clock;
  readonly log: Log;
  /** What happened, after rules have acted on it and before it is on disk. Never throws. */
  readonly onEvents?: (events: readonly CampusEvent[]) => void;
  /** Queues what flows want people to be told outside the console; absent: nobody is. */
  readonly notify?: (decision: NotifyDecision) => void;
  /** How long events and alarms wait for the disk before people are told all the same, ms. */
  readonly tellAfter?: number;
}

/** A slow SD card takes half a second; who must run should not wait much longer than that. */
const tellAfter = 3_000;
/** States of one message that were over before it ended: a contact that flaps costs no more. */
const mostPassed = 32;

/**
 * What core does with news, in this order: judge and act (no disk is waited for), tell the readings, store everything
 * in one batch, then tell what is now on disk (events and alarms) and let the broker acknowledge. A disk that refuses
 * or hangs keeps nobody from being told: that, too, is told.
 */
export class Inbound {
  readonly #options: InboundOptions;
  readonly #ledger: Ledger;
  readonly #limiter = createInboxLimiter();
  readonly #asks: GuestAsks;
  /** What is wrong with the disk: it refuses, or it has not answered so many writes in time. */
  #refuses = false;
  #late = 0;
  #recordFault = false;
  #lost = 0;

  constructor(options: InboundOptions) {
    this.#options = options;
    const { append, clock, judgement, notify } = options;
    this.#asks = createGuestAsks({
      openAlarms: () => asSourcesSee(judgement.openAlarms),
      judge: (decisions) => judgement.take([], [], decisions),
      commit: (batch) => this.commit(batch),
      clock,
      ...(notify === undefined ? {} : { notify }),
    });
    this.#ledger = new Ledger({
      append,
      clock,
      onRefused: (refused) => this.#hearRefused(refused),
      onFault: (why) => this.#hearFault(why),
    });
  }

  /**
   * The broker acknowledges when the promise resolves; a rejection leaves the message unacknowledged, and costs its
   * client the connection. Where nothing is acknowledged (QoS 0) nobody waits: a full disk must not throw out the very
   * process that drives the loudspeakers.
   */
  take(message: InboundMessage): Promise<void> {
    const taken = this.#dispatch(message);
    if (message.qos > 0) return taken;
    taken.catch(() => {}); // owed to the disk, and an alarm
    return Promise.resolve();
  }

  /** Pays what is owed to the disk. Call it about once a second. */
  tick(): void {
    this.#ledger.tick();
    this.#asks.tick();
  }

  #dispatch(message: InboundMessage): Promise<void> {
    const topic = parseTopic(message.topic);
    switch (topic?.kind) {
      case 'request':
        return this.#takeRequest(message);
      case 'result':
        return this.#takeResult(message);
      case 'health':
        return this.#takeHealth(message, topic.process);
      case 'network':
        return this.#takeNetwork(message, topic.process);
      case 'cameras':
        // Retained by the broker for `media` and web; core has no use for it.
        return Promise.resolve();
      case 'clip-facts':
        this.#options.onClipFacts?.(message.topic, message.payload);
        return Promise.resolve();
      default:
        // What a driver tells a device over MQTT (protocol `phrases`) is for its gateway: no sensor has spoken.
        if (message.client === 'fieldbus' && isForeign(message.topic)) return Promise.resolve();
        return this.#takeNews(message);
    }
  }

  /** Everything as it stands, for those who subscribe: at the start. */
  publishAll(readings: readonly Reading[], incidents: readonly Incident[] = []): void {
    this.#tellReadings(readings);
    for (const incident of incidents) this.#tellIncident(incident);
    for (const alarm of this.#options.judgement.openAlarms.values()) this.#publish(alarmTopic(alarm.id), alarm, true);
  }

  /** Readings that time or a dead process brought about. */
  takeReadings(readings: readonly Reading[], decisions: readonly AlarmDecision[] = []): Promise<void> {
    if (readings.length === 0 && decisions.length === 0) return Promise.resolve();
    const verdict = this.#options.judgement.take(refsOf(readings), [], decisions);
    this.#tellReadings(readings);
    return this.commit({ readings, ...verdict });
  }

  /** The same for what nobody waits for. */
  takeReadingsUnasked(readings: readonly Reading[], decisions: readonly AlarmDecision[] = []): void {
    this.takeReadings(readings, decisions).catch(() => {}); // owed to the disk, and an alarm
  }

  /** Readings that are on disk already, and what is to be said with them. */
  async tellStored(readings: readonly Reading[], decisions: readonly AlarmDecision[]): Promise<void> {
    const verdict = this.#options.judgement.take(refsOf(readings), [], decisions);
    this.#tellReadings(readings);
    await this.commit(verdict);
  }

  /** Stores, then tells. When the disk refuses or hangs, people are told all the same, and that it does. */
  async commit(given: Batch, options: WriteOptions = {}): Promise<void> {
    const batch = this.#options.enrich?.(given) ?? given;
    let told = false;
    const tell = () => {
      if (!told) this.#tell(batch);
      told = true;
    };
    const limit = this.#options.tellAfter ?? tellAfter;
    let late = 0;
    const timer = setTimeout(() => {
      late = 1;
      this.#late++;
      tell();
      this.#lookAtDisk(`the store has not answered for ${limit} ms`);
    }, limit);
    try {
      await this.#ledger.write(batch, options);
    } finally {
      clearTimeout(timer);
      this.#late -= late;
      tell();
      this.#lookAtDisk('');
    }
  }

  /** For happenings that nobody waits for: the fault is an alarm, and what was refused is owed. */
  commitUnasked(batch: Batch): void {
    if (Object.keys(batch).length === 0) return;
    this.commit(batch).catch((error: unknown) =>
      this.#options.log.error({ error }, 'a happening could not be stored yet'),
    );
  }

  async #takeNews(message: InboundMessage): Promise<void> {
    const { readings, late, raw, steps, events, inbox, discovered } = this.#options.ingest.accept(message);
    const isNews = readings.length > 0 || events.length > 0 || steps.length > 0;
    const decisions = steps.length === 0 ? [] : (this.#options.onSteps?.(steps) ?? []);
    const passed = passedBy(readings).map((reading) => this.commit(this.#options.judgement.takePassed(reading)));
    const verdict = isNews ? this.#options.judgement.take(refsOf(readings), events, decisions) : {};
    this.#tellReadings(readings);
    if (events.length > 0) this.#options.onEvents?.(events);
    const stored = [...late, ...raw, ...readings];
    const isNothing = stored.length === 0 && events.length === 0 && inbox.length === 0 && discovered === undefined;
    // What comes again is nothing new, but it may still be owed from the first time.
    if (isNothing) return message.qos === 0 ? undefined : this.#ledger.write({}, { client: message.client });
    const state = discovered === undefined ? verdict.state : { ...verdict.state, discovery: discovered };
    const batch: Batch = {
      readings: stored,
      events,
      inbox,
      ...(steps.length === 0 ? {} : { counters: steps.map(({ step }) => step) }),
      ...(verdict.alarms === undefined ? {} : { alarms: verdict.alarms }),
      ...(verdict.audit === undefined ? {} : { audit: verdict.audit }),
      ...(verdict.journal === undefined ? {} : { journal: verdict.journal }),
      ...(state === undefined ? {} : { state }),
    };
    // Readings that nobody was promised may gather for a second, which spares the flash disk.
    const items = events.length + inbox.length + steps.length;
    const isPatient = message.qos === 0 && Object.keys(verdict).length === 0 && items === 0;
    const written = this.commit(isPatient ? { ...batch, patient: true } : batch, {
      client: message.client,
      isResent: message.qos > 0,
    });
    await (passed.length === 0 ? written : Promise.all([...passed, written]));
  }

  async #takeRequest(message: InboundMessage): Promise<void> {
    const { commands, bus, clock } = this.#options;
    const decoded = decodeWish(message.payload);
    if (!decoded.ok) {
      await this.#note(message, decoded.message);
      await bus.publish(answerTopic(message.client), {
        error: 'bad-request',
        message: decoded.message,
        topic: message.topic,
      });
      return;
    }
    if (decoded.value.kind === 'ask') {
      await bus.publish(answerTopic(message.client), await this.#asks.take(message.client, decoded.value.ask));
      return;
    }
    const { point, id, origin, ...asked } = decoded.value.request;
    // Where behind the client it came from is believed of flows only.
    const wish = { ...asked, ...(origin === undefined || message.client !== 'flows' ? {} : { origin }) };
    const request = { ...wish, ref: point, id: id ?? newHappeningId(clock), client: message.client, time: clock.now() };
    await bus.publish(answerTopic(message.client), await commands.request(request));
  }

  async #takeResult(message: InboundMessage): Promise<void> {
    const decoded = decodeCommandResult(message.payload);
    if (decoded.ok) this.#options.commands.onResult(decoded.value);
    else await this.#note(message, decoded.message);
  }

  async #takeNetwork(message: InboundMessage, process: string): Promise<void> {
    const decoded = decodeNetwork(message.payload);
    if (decoded.ok) this.#options.onNetwork?.(process, decoded.value);
    else await this.#note(message, decoded.message);
  }

  async #takeHealth(message: InboundMessage, process: string): Promise<void> {
    const { watch, commands } = this.#options;
    const decoded = decodeProcessHealth(message.payload);
    if (!decoded.ok) return this.#note(message, decoded.message);
    if (process === 'media') this.#options.onMedia?.(decoded.value.state === 'stopped' ? null : decoded.value);
    const { restarted, left, cameBack } = watch.hear(process, decoded.value);
    if (left) this.leave([process]);
    if (restarted) commands.onProcessReady(process);
    else for (const device of cameBack) commands.onDeviceOnline(device);
  }

  /** Nobody speaks for the devices of these processes any more: their points turn bad in this turn. */
  leave(processes: readonly string[], decisions: readonly AlarmDecision[] = []): void {
    const { commands, ingest, devicesOf } = this.#options;
    for (const process of processes) commands.onProcessStopped(process);
    this.takeReadingsUnasked(ingest.markDevices(processes.flatMap(devicesOf), 'no-communication'), decisions);
  }

  /** What cannot be understood is in the inbox when this resolves, once a minute: a guest's nonsense must not wear the disk. */
  async #note(message: InboundMessage, why: string): Promise<void> {
    const entry = this.#limiter.admit(this.#malformed(message, why), this.#options.clock.monotonic());
    const { client, qos } = message;
    if (entry === null && !this.#ledger.owesTo(client)) return;
    await this.commit(entry === null ? {} : { inbox: [entry] }, { client, isResent: qos > 0 });
  }

  #malformed(message: InboundMessage, why: string): InboxEntry {
    return {
      kind: 'malformed',
      client: message.client,
      topic: message.topic,
      key: message.topic,
      message: why,
      excerpt: message.payload.subarray(0, 1024).toString('utf8'),
      time: this.#options.clock.now(),
    };
  }

  #tellReadings(readings: readonly Reading[]): void {
    this.#options.commands.onReadings(readings);
    for (const reading of readings) this.#publish(readingTopic(reading.ref), reading, true);
  }

  #tell(batch: Batch): void {
    for (const event of batch.events ?? []) this.#publish(campusEventTopic(event.type), event, false);
    for (const incident of batch.incidents ?? []) this.#tellIncident(incident);
    for (const alarm of batch.alarms ?? []) {
      // Retained while it is open; what is normal is told once and then forgotten by the broker.
      this.#publish(alarmTopic(alarm.id), alarm, alarm.state !== 'normal');
      if (alarm.state === 'normal') this.#publish(alarmTopic(alarm.id), null, true);
    }
  }

  /** Retained while somebody must see to it. What people wrote about it is in the store, for those who may read it. */
  #tellIncident({ events: _e, note: _n, course: _c, ...brief }: Incident): void {
    const isOver = brief.state === 'resolved';
    const topic = incidentTopic(brief.id);
    this.#publish(topic, brief satisfies IncidentBrief, !isOver);
    if (isOver) this.#publish(topic, null, true);
  }

  #publish(topic: string, body: object | null, retain: boolean): void {
    this.#options.bus.publish(topic, body, { retain }).catch((error: unknown) => {
      this.#options.log.error({ error, topic }, 'the broker refused a message of core');
    });
  }

  #hearFault(why: string | null): void {
    this.#refuses = why !== null;
    this.#lookAtDisk(why ?? '');
    const lost = this.#ledger.dropped - this.#lost;
    if (why !== null || lost === 0) return;
    // What a limit forced out leaves a visible gap.
    this.#lost += lost;
    const { clock } = this.#options;
    const event = { id: newHappeningId(clock), type: 'samples_lost', time: clock.now(), data: { count: lost } };
    this.commitUnasked({ events: [event] });
  }

  /** Raises or returns the alarm that records are not on disk. */
  #lookAtDisk(why: string): void {
    const isFault = this.#refuses || this.#late > 0;
    if (isFault === this.#recordFault) return;
    this.#recordFault = isFault;
    const decision: AlarmDecision = isFault
      ? recordFault(why)
      : { kind: 'return', source: 'store:record', reason: 'the disk takes records again' };
    const verdict = this.#options.judgement.take([], [], [decision]);
    // Who must see to the disk does not wait for it.
    if (isFault) this.#tell(verdict);
    this.commitUnasked(verdict);
  }

  /** Never stored, so somebody must be able to see it: a reading in the inbox, anything else is a bug of ours. */
  #hearRefused(refused: readonly Refused[]): void {
    const { clock, log } = this.#options;
    log.error({ refused: refused.slice(0, 8), count: refused.length }, 'the store refuses something for good');
    const time = clock.now();
    const inbox = refused.flatMap(({ what, why }): InboxEntry[] =>
      what.includes('/')
        ? [{ kind: 'malformed', client: 'core', topic: what, key: `refused/${what}`, message: why, excerpt: '', time }]
        : [],
    );
    if (inbox.length > 0) this.commitUnasked({ inbox });
  }
}

function refsOf(readings: readonly Reading[]): PointRef[] {
  return readings.map((reading) => reading.ref);
}

export function recordFault(message: string): AlarmDecision {
  return {
    kind: 'raise',
    source: 'store:record',
    class: 'critical',
    message: { zh: '记录无法写入磁盘', en: 'Records cannot be written to the disk' },
    next: {
      zh: `检查磁盘空间与存储卡：${message}`,
      en: `Check the free space and the disk: ${message}`,
    },
    reason: message,
  };
}

/**
 * States that were over before their message ended: a button that was pressed and let go, a wire that broke for a moment. Whoever gathered
 * them was away or slow; what they set off is set off all the same.
 */
function passedBy(readings: readonly Reading[]): readonly Reading[] {
  const states = readings.filter(({ value }) => typeof value !== 'number');
  if (states.length < 2) return [];
  const last = new Map(states.map((reading) => [reading.ref, reading]));
  return states.filter((reading) => last.get(reading.ref) !== reading).slice(0, mostPassed);
}
