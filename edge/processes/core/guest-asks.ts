import { TokenBucket } from '#edge/bus/admission.ts';
import type { AskMessage } from '#edge/bus/codec.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { RequestResult } from '#edge/domain/output.ts';
import type { AlarmDecision, NotifyDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { Batch } from '#edge/store/batch.ts';

export interface GuestAsksOptions {
  readonly openAlarms: () => ReadonlyMap<string, Alarm>;
  /** Applies the decisions in this turn and answers what is to be stored. */
  readonly judge: (decisions: readonly AlarmDecision[]) => Batch;
  readonly commit: (batch: Batch) => Promise<void>;
  /** Queues words for people outside the console; absent where nobody is told. */
  readonly notify?: (decision: NotifyDecision) => void;
  readonly clock: Clock;
}

export interface GuestAsks {
  /** Answers when its effect is on disk, or that the disk refused. */
  take(client: string, ask: AskMessage): Promise<RequestResult>;
  /** Ends alarms that no flow has confirmed for a day. Call it about once a minute or more often. */
  tick(): void;
}

/** The only client that may: other guests are devices, and what is wrong with a device is said by rules. */
export const askingClient = 'flows';
/** Alarms of flows that may be open at a time: more than a person can look at. */
export const mostFlowAlarms = 50;
/**
 * A flow that was deleted, or stopped for good, clears nothing: its alarm would stand for ever and teach people to look away.
 * The alarm node says again what it said every hour while it runs; what nobody has said for a day returns.
 */
export const confirmWithin = 24 * 3_600_000;
/** What the flows process may do at once, and then a second: each is a line on disk for good, or somebody's telephone. */
const rates = {
  ask: [200, 20],
  alarm: [60, 0.2],
  notify: [20, 1 / 60],
  report: [30, 1 / 30],
} as const;

type Part<Kind extends AskMessage['ask']> = Extract<AskMessage, { ask: Kind }>;

/** What flows ask besides requests. The flows process tells which tab and node asked; it alone is believed, and not far. */
export function createGuestAsks(options: GuestAsksOptions): GuestAsks {
  const { clock, openAlarms, judge, commit } = options;
  const bucket = ([burst, perSecond]: readonly [number, number]) => new TokenBucket(perSecond, burst, clock);
  const buckets = {
    ask: bucket(rates.ask),
    alarm: bucket(rates.alarm),
    notify: bucket(rates.notify),
    report: bucket(rates.report),
  };
  const take = (kind: keyof typeof buckets): boolean => {
    if (buckets[kind].available() < 1) return false;
    buckets[kind].spend(1);
    return true;
  };
  /** When a flow last said that an alarm stands, ms monotonic; of a restart: the restart. */
  const confirmed = new Map<string, number>();

  const audited = (batch: Batch, origin: string, what: string, why: string, result: string): Batch => {
    const line = { time: clock.now(), who: `client:${askingClient}`, from: origin, what, why, result };
    return { ...batch, audit: [...(batch.audit ?? []), line] };
  };

  async function raise(ask: Part<'alarm'>, source: string, answer: Answer): Promise<RequestResult> {
    const open = openAlarms().get(source);
    const isSaid = open?.active === true && open.class === ask.class && isSame(open.message, ask.message);
    if (isSaid) {
      confirmed.set(source, clock.monotonic());
      return answer(true, 'raised', `${source} stands`);
    }
    const others = [...openAlarms().keys()].filter((key) => key.startsWith('flow:') && key !== source).length;
    if (others >= mostFlowAlarms) return answer(false, 'too-many-alarms', `flows have ${others} alarms open already`);
    if (!take('alarm')) return answer(false, 'busy', 'flows raise and clear alarms too often');
    confirmed.set(source, clock.monotonic());
    const { class: kind, message, next, origin } = ask;
    const verdict = judge([{ kind: 'raise', source, class: kind, message, next, reason: origin }]);
    await commit(audited(verdict, origin, `alarm.raise ${source} (${kind})`, message.en, 'raised'));
    return answer(true, 'raised', `${source} is raised`);
  }

  async function clear(ask: Part<'alarm'>, source: string, answer: Answer): Promise<RequestResult> {
    confirmed.delete(source);
    if (openAlarms().get(source)?.active !== true) return answer(true, 'cleared', `${source} did not stand`);
    if (!take('alarm')) return answer(false, 'busy', 'flows raise and clear alarms too often');
    const verdict = judge([{ kind: 'return', source, reason: ask.origin }]);
    await commit(audited(verdict, ask.origin, `alarm.clear ${source}`, ask.message.en, 'cleared'));
    return answer(true, 'cleared', `${source} is cleared`);
  }

  async function tell(ask: Part<'notify'>, answer: Answer): Promise<RequestResult> {
    const { to, message, origin } = ask;
    if (options.notify === undefined) {
      return answer(
        false,
        'nobody-is-told',
        'the site file has no section "notify": nobody is told outside the console',
      );
    }
    if (!take('notify')) return answer(false, 'busy', 'flows tell people too often: at most one a minute after 20');
    options.notify({ kind: 'notify', about: origin, to, message });
    await commit(audited({}, origin, `notify ${to.join(', ')}`.slice(0, 300), message.en, 'queued'));
    return answer(true, 'queued', `queued for ${to.join(', ')}`);
  }

  async function report(ask: Part<'report'>, answer: Answer): Promise<RequestResult> {
    if (!take('report')) return answer(false, 'busy', 'budgets are reported too often');
    const { state, message, origin } = ask;
    const time = clock.now();
    const data = { flow: origin, state, message };
    const event = { id: newHappeningId(clock), type: 'flow_over_budget', active: state !== 'within', time, data };
    await commit({ events: [event] });
    return answer(true, 'told', message);
  }

  const act = (ask: AskMessage, answer: Answer): Promise<RequestResult> => {
    switch (ask.ask) {
      case 'alarm':
        return (ask.active ? raise : clear)(ask, `flow:${ask.key}`, answer);
      case 'notify':
        return tell(ask, answer);
      case 'report':
        return report(ask, answer);
    }
  };

  return {
    async take(client, ask) {
      const id = ask.id ?? newHappeningId(clock);
      const answer: Answer = (accepted, outcome, message) => ({ id, accepted, outcome, message });
      if (client !== askingClient) {
        return answer(false, 'forbidden-ask', `client "${client}" may not ask for this: only "${askingClient}" may`);
      }
      if (!take('ask')) return answer(false, 'busy', 'flows ask too often');
      try {
        return await act(ask, answer);
      } catch (error) {
        // People have been told all the same, and what is owed to the disk is an alarm of its own.
        return answer(false, 'not-recorded', `it could not be recorded: ${messageOf(error)}`.slice(0, 1_000));
      }
    },

    tick() {
      const now = clock.monotonic();
      const forgotten: AlarmDecision[] = [];
      for (const { source, active } of openAlarms().values()) {
        if (!source.startsWith('flow:') || !active) continue;
        const last = confirmed.get(source);
        if (last === undefined) confirmed.set(source, now);
        else if (now - last > confirmWithin) {
          forgotten.push({ kind: 'return', source, reason: 'no flow has confirmed it for 24 hours' });
        }
      }
      if (forgotten.length === 0) return;
      for (const { source } of forgotten) confirmed.delete(source);
      // What the disk refuses is owed to it, and is an alarm of its own.
      commit(judge(forgotten)).catch(() => {});
    },
  };
}

type Answer = (accepted: boolean, outcome: string, message: string) => RequestResult;

function isSame(a: Alarm['message'], b: Alarm['message']): boolean {
  return a.zh === b.zh && a.en === b.en;
}
