import type { Alarm } from '#edge/domain/alarm.ts';
import type { AuditLine } from '#edge/domain/audit.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import { priorities } from '#edge/domain/output.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { createCauses, type Ways } from '#edge/rules/alarm-causes.ts';
import { createChatterGuard } from '#edge/rules/alarm-chatter.ts';
import {
  type AlarmContext,
  acknowledgeAlarm,
  applyAlarmDecisions,
  endOrphans,
  type OpenAlarms,
  passAlarmTime,
  shelveAlarm,
  unshelveAlarm,
  whyNotShelved,
} from '#edge/rules/alarm-machine.ts';
import type { CompiledInterlocks } from '#edge/rules/compile.ts';
import { type AlarmDecision, type HoldChange, isAlarmDecision, isHoldChange } from '#edge/rules/decision.ts';
import { evaluateInterlocks } from '#edge/rules/evaluate.ts';
import {
  type InterlockState,
  ownerOf,
  type ResetOutcome,
  resetInterlock,
  restoreInterlockState,
} from '#edge/rules/interlock-state.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { Batch } from '#edge/store/batch.ts';

/** What a turn of judgement wants stored together with what caused it. */
export type Verdict = Pick<Batch, 'alarms' | 'state' | 'audit'>;

export interface JudgementOptions extends Ways {
  readonly compiled: CompiledInterlocks;
  readonly storedState: unknown;
  readonly storedAlarms: readonly Alarm[];
  readonly latest: () => ReadonlyMap<PointRef, Reading>;
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
  readonly #chatter = createChatterGuard();
  #state: InterlockState;
  #open: OpenAlarms;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: JudgementOptions) {
    this.#options = options;
    this.#causesOf = createCauses(options);
    this.#state = restoreInterlockState(options.storedState, options.compiled, options.clock.monotonic());
    this.#open = new Map(options.storedAlarms.map((alarm) => [alarm.source, alarm]));
  }

  /** First look after a start: ends alarms whose source is gone, evaluates everything. */
  begin(): Verdict {
    const { open, changed } = endOrphans(this.#open, this.#options.sourceExists, this.#options.clock.now());
    const audit = this.#replace(open, changed);
    return joined({ alarms: changed, audit }, this.take([], []));
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
    const audit: AuditLine[] = [];
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
      if (decided.length > 0) for (const alarm of this.#apply(decided, audit)) alarms.set(alarm.id, alarm);
      if (alarms.size === before) break;
      decided = [];
    }
    return {
      ...(alarms.size > 0 ? { alarms: [...alarms.values()] } : {}),
      ...(durable ? { state: { interlocks: this.#state } } : {}),
      ...(audit.length > 0 ? { audit } : {}),
    };
  }

  /** Throws ALARM_NOT_FOUND for one that is not open. Acknowledging twice changes nothing. */
  acknowledge(id: string, by: string, note: string): { readonly alarm: Alarm; readonly verdict: Verdict } {
    const alarm = this.#find(id);
    const seen = acknowledgeAlarm(alarm, { time: this.#options.clock.now(), by, note });
    const open = new Map(this.#open);
    if (seen.state === 'normal') open.delete(seen.source);
    else open.set(seen.source, seen);
    const audit = this.#replace(open, [seen]);
    return { alarm: seen, verdict: joined({ alarms: [seen], audit }, this.take([], [])) };
  }

  /** Throws ALARM_NOT_FOUND, and ALARM_NOT_SHELVABLE with the reason. Shelving again replaces what was said before. */
  shelve(
    id: string,
    minutes: number,
    by: string,
    reason: string,
  ): { readonly alarm: Alarm; readonly verdict: Verdict } {
    const alarm = this.#find(id);
    const refused = whyNotShelved(alarm, minutes, (source) => this.#protectsLives(source), {
      by,
      open: this.#open,
    });
    if (refused !== null) throw new CodedError('ALARM_NOT_SHELVABLE', refused);
    const until = this.#options.clock.now() + minutes * 60_000;
    const shelved = shelveAlarm(alarm, { until, by, reason });
    this.#open = new Map([...this.#open, [shelved.source, shelved]]);
    return { alarm: shelved, verdict: { alarms: [shelved] } };
  }

  /** Throws ALARM_NOT_FOUND. What is not shelved stays as it is. */
  unshelve(id: string): { readonly alarm: Alarm; readonly verdict: Verdict } {
    const alarm = this.#find(id);
    const shown = unshelveAlarm(alarm, this.#options.clock.now());
    if (shown === alarm) return { alarm, verdict: {} };
    this.#open = new Map([...this.#open, [shown.source, shown]]);
    return { alarm: shown, verdict: { alarms: [shown] } };
  }

  /**
   * What time alone does to alarms: shelving ends, what was held up and is calm returns, what a cause hid is shown. null: nothing.
   * Call it about once a second.
   */
  passTime(): Verdict | null {
    const { open, changed } = passAlarmTime(this.#open, this.#alarmContext());
    if (changed.length === 0) return null;
    return joined({ alarms: changed, audit: this.#replace(open, changed) }, this.take([], []));
  }

  /** How far the ladders of these alarms have gone; those that are over meanwhile are left out. Store what comes back. */
  escalate(told: readonly Pick<Alarm, 'id' | 'source' | 'escalation'>[]): readonly Alarm[] {
    const changed = told.flatMap(({ id, source, escalation }) => {
      const alarm = this.#open.get(source);
      return alarm?.id === id && escalation !== undefined ? [{ ...alarm, escalation }] : [];
    });
    if (changed.length > 0) this.#open = new Map([...this.#open, ...changed.map((one) => [one.source, one] as const)]);
    return changed;
  }

  /** Refused, with the reason, while the cause still stands. */
  reset(id: string, why: string): { readonly outcome: ResetOutcome; readonly verdict: Verdict } {
    const outcome = resetInterlock(this.#state, id, why);
    this.#state = outcome.state;
    const verdict = this.take([], []);
    return { outcome, verdict: { ...verdict, state: { interlocks: this.#state } } };
  }

  #apply(decisions: readonly AlarmDecision[], audit: AuditLine[]): readonly Alarm[] {
    const { open, changed } = applyAlarmDecisions(this.#open, decisions, this.#alarmContext());
    audit.push(...this.#replace(open, changed));
    return changed;
  }

  #alarmContext(): AlarmContext {
    const { clock } = this.#options;
    return {
      now: clock.now(),
      newId: () => newHappeningId(clock),
      causesOf: this.#causesOf,
      isLifeSafety: (source) => this.#protectsLives(source),
      chatter: this.#chatter,
    };
  }

  /** Takes the new alarms as they are; says of each whose shelving ended with the change why it did. */
  #replace(open: OpenAlarms, changed: readonly Alarm[]): readonly AuditLine[] {
    const before = this.#open;
    this.#open = open;
    const time = this.#options.clock.now();
    return changed.flatMap((alarm): AuditLine[] => {
      const was = before.get(alarm.source);
      if (was?.id !== alarm.id || was.shelved === undefined || alarm.shelved !== undefined) return [];
      const why = alarm.state === 'normal' ? 'the alarm ended' : whyShown(was, alarm);
      const what = `alarm.unshelve ${alarm.id} (${alarm.source})`;
      return [{ time, who: 'process:core', from: 'core', what, why, result: `shelved by ${was.shelved.by}` }];
    });
  }

  #find(id: string): Alarm {
    const alarm = [...this.#open.values()].find((open) => open.id === id);
    if (alarm === undefined) throw new CodedError('ALARM_NOT_FOUND', `there is no open alarm ${id}`);
    return alarm;
  }

  #protectsLives(source: string): boolean {
    const { order } = this.#options.compiled;
    return order.some(
      ({ interlock: { id, priority } }) => ownerOf(id) === source && priority === priorities.lifeSafety,
    );
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

function whyShown(was: Alarm, now: Alarm): string {
  return was.class === now.class ? 'its time is over' : `it is ${now.class} now, no longer ${was.class}`;
}

function joined(first: Required<Pick<Verdict, 'alarms' | 'audit'>>, then: Verdict): Verdict {
  const alarms = [...first.alarms, ...(then.alarms ?? [])];
  const audit = [...first.audit, ...(then.audit ?? [])];
  return { ...then, alarms, ...(audit.length > 0 ? { audit } : {}) };
}
