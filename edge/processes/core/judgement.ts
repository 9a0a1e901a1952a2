import type { Alarm } from '#edge/domain/alarm.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import {
  acknowledgeAlarm,
  applyAlarmDecisions,
  createCauses,
  endOrphans,
  type OpenAlarms,
} from '#edge/rules/alarm-machine.ts';
import type { CompiledInterlocks } from '#edge/rules/compile.ts';
import { type AlarmDecision, type HoldChange, isAlarmDecision, isHoldChange } from '#edge/rules/decision.ts';
import { evaluateInterlocks } from '#edge/rules/evaluate.ts';
import {
  type InterlockState,
  type ResetOutcome,
  resetInterlock,
  restoreInterlockState,
} from '#edge/rules/interlock-state.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { Batch } from '#edge/store/batch.ts';

/** What a turn of judgement wants stored together with what caused it. */
export type Verdict = Pick<Batch, 'alarms' | 'state'>;

export interface JudgementOptions {
  readonly compiled: CompiledInterlocks;
  readonly storedState: unknown;
  readonly storedAlarms: readonly Alarm[];
  readonly latest: () => ReadonlyMap<PointRef, Reading>;
  readonly processOf: (device: string) => string | undefined;
  /** Whether an alarm's source still exists; the others end at the start. */
  readonly sourceExists: (source: string) => boolean;
  /** Acts at once. */
  readonly act: (changes: readonly HoldChange[]) => void;
  /** Stores and tells what time alone brought about. */
  readonly commit: (verdict: Verdict) => void;
  readonly clock: Clock;
}

/** An alarm raised by one turn may be what another interlock waits for; deeper chains than this wait for the next turn. */
const maxRounds = 4;

/**
 * The one place where news become action: readings and events in, holds acted on in the same turn, alarms and state
 * out, to be stored by the caller with the news themselves.
 */
export class Judgement implements Disposable {
  readonly #options: JudgementOptions;
  readonly #causesOf: (alarm: Alarm) => readonly string[];
  #state: InterlockState;
  #open: OpenAlarms;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: JudgementOptions) {
    this.#options = options;
    this.#causesOf = createCauses(options.processOf);
    this.#state = restoreInterlockState(options.storedState, options.compiled, options.clock.monotonic());
    this.#open = new Map(options.storedAlarms.map((alarm) => [alarm.source, alarm]));
  }

  /** First look after a start: ends alarms whose source is gone, evaluates everything. */
  begin(): Verdict {
    const { open, changed } = endOrphans(this.#open, this.#options.sourceExists, this.#options.clock.now());
    this.#open = open;
    const verdict = this.take([], []);
    return { ...verdict, alarms: [...changed, ...(verdict.alarms ?? [])] };
  }

  get state(): InterlockState {
    return this.#state;
  }

  get openAlarms(): OpenAlarms {
    return this.#open;
  }

  /** Judges news. Holds are acted on before this returns. */
  take(changed: Iterable<PointRef>, events: readonly CampusEvent[], more: readonly AlarmDecision[] = []): Verdict {
    const alarms = new Map<HappeningId, Alarm>();
    let durable = false;
    let decided: readonly AlarmDecision[] = more;
    for (let round = 0; round < maxRounds; round++) {
      const evaluation = evaluateInterlocks({
        monotonic: this.#options.clock.monotonic(),
        compiled: this.#options.compiled,
        state: this.#state,
        changed: round === 0 ? changed : [],
        latest: this.#options.latest(),
        events: round === 0 ? events : [],
        openAlarms: this.#open,
      });
      this.#state = evaluation.state;
      durable ||= evaluation.durable;
      this.#wake(evaluation.wakeIn);
      const holds = evaluation.decisions.filter(isHoldChange);
      if (holds.length > 0) this.#options.act(holds);
      decided = [...decided, ...evaluation.decisions.filter(isAlarmDecision)];
      const before = alarms.size;
      if (decided.length > 0) for (const alarm of this.#apply(decided)) alarms.set(alarm.id, alarm);
      if (alarms.size === before) break;
      decided = [];
    }
    return {
      ...(alarms.size > 0 ? { alarms: [...alarms.values()] } : {}),
      ...(durable ? { state: { interlocks: this.#state } } : {}),
    };
  }

  /** Throws ALARM_NOT_FOUND for one that is not open. Acknowledging twice changes nothing. */
  acknowledge(id: string, by: string, note: string): { readonly alarm: Alarm; readonly verdict: Verdict } {
    const alarm = [...this.#open.values()].find((open) => open.id === id);
    if (alarm === undefined) throw new CodedError('ALARM_NOT_FOUND', `there is no open alarm ${id}`);
    const seen = acknowledgeAlarm(alarm, { time: this.#options.clock.now(), by, note });
    const open = new Map(this.#open);
    if (seen.state === 'normal') open.delete(seen.source);
    else open.set(seen.source, seen);
    this.#open = open;
    const verdict = this.take([], []);
    return { alarm: seen, verdict: { ...verdict, alarms: [seen, ...(verdict.alarms ?? [])] } };
  }

  /** Refused, with the reason, while the cause still stands. */
  reset(id: string, why: string): { readonly outcome: ResetOutcome; readonly verdict: Verdict } {
    const outcome = resetInterlock(this.#state, id, why);
    this.#state = outcome.state;
    const verdict = this.take([], []);
    return { outcome, verdict: { ...verdict, state: { interlocks: this.#state } } };
  }

  #apply(decisions: readonly AlarmDecision[]): readonly Alarm[] {
    const { clock } = this.#options;
    const { open, changed } = applyAlarmDecisions(this.#open, decisions, {
      now: clock.now(),
      newId: () => newHappeningId(clock),
      causesOf: this.#causesOf,
    });
    this.#open = open;
    return changed;
  }

  #wake(inMs: number | null): void {
    clearTimeout(this.#timer);
    if (inMs === null) return;
    this.#timer = setTimeout(() => this.#options.commit(this.take([], [])), Math.min(Math.max(1, inMs), 2 ** 31 - 1));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
