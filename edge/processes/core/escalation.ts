import type { Bus } from '#edge/bus/bus.ts';
import { noticeTopic } from '#edge/bus/topics.ts';
import type { Calendar } from '#edge/domain/calendar.ts';
import type { Notice } from '#edge/domain/notice.ts';
import type { NotifyDecision } from '#edge/rules/decision.ts';
import { createEscalation, type EscalationOutcome, type Escalation as Ladders } from '#edge/rules/escalation.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { type NotifySite, notifyTargets } from '#edge/runtime/site-notify.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { Judgement } from './judgement.ts';

export interface EscalationOptions {
  /** Absent: nobody is told outside the console. */
  readonly notify: NotifySite | undefined;
  readonly calendar: Calendar;
  readonly judgement: Pick<Judgement, 'openAlarms' | 'escalate'>;
  /** Stores, then tells; what the disk refuses is owed to it. */
  readonly commit: (batch: Batch) => Promise<void>;
  readonly bus: Pick<Bus, 'publish'>;
  /** Those of the last hour and those that wait, newest first: `recentNotices`. */
  readonly recent: readonly Notice[];
  readonly clock: Clock;
  readonly log: Log;
  /** ms between two looks; default 1,000. */
  readonly every?: number;
}

/** Words of rules that wait for the next look; rules have their own limits far below. */
const mostAsked = 500;

/** Tells people outside the console: queues notices on disk, where the `notify` process finds them. */
export class Escalation implements Disposable {
  readonly #options: EscalationOptions;
  readonly #ladders: Ladders | null;
  readonly #ticker: Ticker;
  #asked: NotifyDecision[] = [];
  #dropped = 0;
  /** What was looked at last, and when to look again though nothing has changed. */
  #seen: Judgement['openAlarms'] | null = null;
  #wakeAt: number | null = null;
  #lookedAt = 0;

  constructor(options: EscalationOptions) {
    this.#options = options;
    this.#ladders = options.notify === undefined ? null : createLadders(options.notify, options);
    this.#ladders?.restore(options.recent, options.judgement.openAlarms, options.clock.now());
    this.#ticker = new Ticker(options.every ?? 1_000, () => this.look());
  }

  /** A rule or a flow wants people told, once. They are with the next look, about a second later. */
  notify(decision: NotifyDecision): void {
    if (this.#ladders === null) return;
    if (this.#asked.length < mostAsked) this.#asked.push(decision);
    else if (this.#dropped++ === 0) this.#options.log.warn({ about: decision.about }, 'more words for people than fit');
  }

  /** Looks at every open alarm when one has changed or a step is due. */
  look(): void {
    if (this.#ladders === null) return;
    const { judgement, clock } = this.#options;
    const now = clock.now();
    const open = judgement.openAlarms;
    const isDue = this.#wakeAt !== null && (now >= this.#wakeAt || now < this.#lookedAt);
    if (open === this.#seen && this.#asked.length === 0 && !isDue) return;
    const asked = this.#asked;
    this.#asked = [];
    this.#lookedAt = now;
    const outcome = this.#ladders.step({ now, open, asked });
    const alarms = judgement.escalate(outcome.told);
    this.#seen = judgement.openAlarms;
    this.#wakeAt = outcome.wakeAt;
    this.#store(outcome, alarms);
  }

  get counters(): Readonly<Record<string, number>> {
    return { ...this.#ladders?.counters, dropped: this.#dropped };
  }

  #store({ notices, audit }: EscalationOutcome, alarms: Batch['alarms'] & object): void {
    if (alarms.length + notices.length + audit.length === 0) return;
    const { commit, bus, clock, log } = this.#options;
    const hint = () =>
      notices.length === 0 ? undefined : bus.publish(noticeTopic, { time: clock.now() }, { retain: true });
    commit({ alarms, notices, audit })
      .then(hint)
      // What is owed is written later, and found without a hint.
      .catch((error: unknown) => log.error({ error }, 'notices could not be queued yet'));
  }

  [Symbol.dispose](): void {
    this.#ticker[Symbol.dispose]();
  }
}

function createLadders(notify: NotifySite, { calendar, clock }: EscalationOptions): Ladders {
  return createEscalation({
    plan: { ...notify, targets: (to) => notifyTargets(notify, to) },
    calendar,
    newId: () => newHappeningId(clock),
  });
}

/** Notices that the next ones are gathered with or counted by. */
export function recentNotices(notices: (limit: number) => readonly Notice[], now: number): readonly Notice[] {
  const hour = 3_600_000;
  return notices(2_000).filter(({ created, notBefore }) => now - created < hour || notBefore > now);
}
