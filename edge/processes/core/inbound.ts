import type { Bus, InboundMessage } from '#edge/bus/bus.ts';
import { decodeCommandResult, decodeProcessHealth, decodeRequest } from '#edge/bus/codec.ts';
import { alarmTopic, answerTopic, campusEventTopic, parseTopic, readingTopic } from '#edge/bus/topics.ts';
import type { Commands } from '#edge/commands/commands.ts';
import type { InboxEntry } from '#edge/domain/audit.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { Ingest } from '#edge/ingest/ingest.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { Judgement } from './judgement.ts';
import type { Watch } from './watch.ts';

export interface InboundOptions {
  readonly ingest: Ingest;
  readonly judgement: Judgement;
  readonly commands: Commands;
  readonly watch: Watch;
  readonly bus: Bus;
  readonly append: (batch: Batch) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * What core does with news, in this order: judge and act (no disk is waited for), tell the readings, store everything
 * in one batch, then tell what is now on disk (events and alarms) and let the broker acknowledge.
 */
export class Inbound {
  readonly #options: InboundOptions;
  #recordFault = false;

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  /** The broker acknowledges when the promise resolves; a rejection leaves the message unacknowledged. */
  take(message: InboundMessage): Promise<void> {
    const topic = parseTopic(message.topic);
    switch (topic?.kind) {
      case 'request':
        return this.#takeRequest(message);
      case 'result':
        return this.#takeResult(message);
      case 'health':
        return this.#takeHealth(message);
      default:
        return this.#takeNews(message);
    }
  }

  /** Everything as it stands, for those who subscribe: at the start. */
  publishAll(readings: readonly Reading[]): void {
    this.#tellReadings(readings);
    for (const alarm of this.#options.judgement.openAlarms.values()) this.#publish(alarmTopic(alarm.id), alarm, true);
  }

  /** Readings that time or a dead process brought about. */
  takeReadings(readings: readonly Reading[], decisions: readonly AlarmDecision[] = []): Promise<void> {
    if (readings.length === 0 && decisions.length === 0) return Promise.resolve();
    const verdict = this.#options.judgement.take(refsOf(readings), [], decisions);
    this.#tellReadings(readings);
    return this.commit({ readings, ...verdict });
  }

  /** Stores, then tells. When the disk refuses, people are told all the same, and that it refused. */
  async commit(batch: Batch): Promise<void> {
    try {
      await this.#options.append(batch);
      this.#returnRecordFault();
    } catch (error) {
      this.#raiseRecordFault(messageOf(error));
      this.#tell(batch);
      throw error;
    }
    this.#tell(batch);
  }

  /** For happenings that nobody waits for: the fault has become an alarm and a log line, and there is no one to refuse. */
  commitUnasked(batch: Batch): void {
    this.commit(batch).catch((error: unknown) => this.#options.log.error({ error }, 'a happening could not be stored'));
  }

  async #takeNews(message: InboundMessage): Promise<void> {
    const { readings, late, events, inbox, discovered } = this.#options.ingest.accept(message);
    const isNews = readings.length > 0 || events.length > 0;
    const verdict = isNews ? this.#options.judgement.take(refsOf(readings), events) : {};
    this.#tellReadings(readings);
    const stored = [...late, ...readings];
    if (stored.length === 0 && events.length === 0 && inbox.length === 0 && discovered === undefined) return;
    const state = discovered === undefined ? verdict.state : { ...verdict.state, discovery: discovered };
    await this.commit({
      readings: stored,
      events,
      inbox,
      ...(verdict.alarms === undefined ? {} : { alarms: verdict.alarms }),
      ...(state === undefined ? {} : { state }),
    });
  }

  async #takeRequest(message: InboundMessage): Promise<void> {
    const { commands, bus, clock } = this.#options;
    const decoded = decodeRequest(message.payload);
    if (!decoded.ok) {
      await this.commit({ inbox: [this.#malformed(message, decoded.message)] });
      await bus.publish(answerTopic(message.client), {
        error: 'bad-request',
        message: decoded.message,
        topic: message.topic,
      });
      return;
    }
    const { point, id, ...wish } = decoded.value;
    const request = { ...wish, ref: point, id: id ?? newHappeningId(clock), client: message.client, time: clock.now() };
    await bus.publish(answerTopic(message.client), await commands.request(request));
  }

  async #takeResult(message: InboundMessage): Promise<void> {
    const decoded = decodeCommandResult(message.payload);
    if (decoded.ok) this.#options.commands.onResult(decoded.value);
    else await this.commit({ inbox: [this.#malformed(message, decoded.message)] });
  }

  async #takeHealth(message: InboundMessage): Promise<void> {
    const decoded = decodeProcessHealth(message.payload);
    if (!decoded.ok) return this.commit({ inbox: [this.#malformed(message, decoded.message)] });
    const { restarted, cameBack } = this.#options.watch.hear(decoded.value);
    if (restarted) this.#options.commands.onProcessReady(decoded.value.process);
    else for (const device of cameBack) this.#options.commands.onDeviceOnline(device);
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
    for (const reading of readings) this.#publish(readingTopic(reading.ref), reading, true);
  }

  #tell(batch: Batch): void {
    for (const event of batch.events ?? []) this.#publish(campusEventTopic(event.type), event, false);
    for (const alarm of batch.alarms ?? []) {
      // Retained while it is open; what is normal is told once and then forgotten by the broker.
      this.#publish(alarmTopic(alarm.id), alarm, alarm.state !== 'normal');
      if (alarm.state === 'normal') this.#publish(alarmTopic(alarm.id), null, true);
    }
  }

  #publish(topic: string, body: object | null, retain: boolean): void {
    this.#options.bus.publish(topic, body, { retain }).catch((error: unknown) => {
      this.#options.log.error({ error, topic }, 'the broker refused a message of core');
    });
  }

  #raiseRecordFault(message: string): void {
    if (this.#recordFault) return;
    this.#recordFault = true;
    const { alarms = [] } = this.#options.judgement.take([], [], [recordFault(message)]);
    this.#tell({ alarms });
  }

  #returnRecordFault(): void {
    if (!this.#recordFault) return;
    this.#recordFault = false;
    this.commitUnasked(
      this.#options.judgement.take(
        [],
        [],
        [{ kind: 'return', source: 'store:record', reason: 'the disk takes records again' }],
      ),
    );
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
