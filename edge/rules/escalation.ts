import type { Alarm, AlarmClass } from '#edge/domain/alarm.ts';
import type { AuditLine } from '#edge/domain/audit.ts';
import type { Calendar } from '#edge/domain/calendar.ts';
import type { HappeningId } from '#edge/domain/ids.ts';
import type { Notice } from '#edge/domain/notice.ts';
import { ruleOfInstance } from '#edge/domain/rule.ts';
import type { OpenAlarms } from './alarm-machine.ts';
import type { NotifyDecision } from './decision.ts';
import { type Climb, climb, type Ladder, needsPerson } from './escalation-ladder.ts';
import { Post, type PostRules, type Saying, type Target } from './escalation-post.ts';
import { alarmWords } from './escalation-words.ts';
import { clip } from './words.ts';

/*
 * Who is told of what, when: every open alarm that needs a person climbs its ladder, and rules have words of their own. It decides
 * and remembers what may still be gathered; it sends nothing, and knows no clock.
 */

/** The `notify` section of a site file, and how its names are understood. */
export interface EscalationPlan extends PostRules {
  readonly ladders: readonly Ladder[];
  /** Recipients, groups and channels by name. Each way once. */
  targets(to: readonly string[]): readonly Target[];
}

export interface EscalationOptions {
  readonly plan: EscalationPlan;
  readonly calendar: Calendar;
  readonly newId: () => HappeningId;
}

export interface EscalationInput {
  /** ms since epoch. */
  readonly now: number;
  readonly open: OpenAlarms;
  /** What rules want told since the last step. */
  readonly asked: readonly NotifyDecision[];
}

export interface EscalationOutcome {
  /** To be stored: upserts by id. */
  readonly notices: readonly Notice[];
  /** How far these alarms have gone, to be kept on them. */
  readonly told: readonly { readonly id: HappeningId; readonly source: string; readonly escalation: Told }[];
  readonly audit: readonly AuditLine[];
  /** Step again then, ms since epoch, or when alarms change; null: only then. */
  readonly wakeAt: number | null;
}

type Told = NonNullable<Alarm['escalation']>;

export interface Escalation {
  /** Once, before the first step: the notices of the last hour and those that wait. */
  restore(notices: readonly Notice[], open: OpenAlarms, now: number): void;
  step(input: EscalationInput): EscalationOutcome;
  readonly counters: Readonly<Record<string, number>>;
}

/** Alarms told in one step: the rest has its turn in the next, and nothing else waits for them. */
const mostTold = 200;
/** What rules say has no class of its own: it waits for the end of quiet hours unless they except this one. */
const askedClass: AlarmClass = 'medium';

export function createEscalation({ plan, calendar, newId }: EscalationOptions): Escalation {
  const post = new Post(plan, calendar, newId);

  const climbAll = (open: OpenAlarms, now: number) => {
    const due: { alarm: Alarm; climbed: Climb }[] = [];
    let wakeAt: number | null = null;
    for (const alarm of open.values()) {
      const climbed = needsPerson(alarm) ? climb(alarm, plan.ladders, calendar, now) : null;
      if (climbed === null) continue;
      const isNews = climbed.escalation !== null && !isSame(climbed.escalation, alarm.escalation);
      if (isNews && due.length >= mostTold) return { due, wakeAt: now };
      if (isNews) due.push({ alarm, climbed });
      if (climbed.wakeAt !== null) wakeAt = Math.min(wakeAt ?? climbed.wakeAt, climbed.wakeAt);
    }
    return { due, wakeAt };
  };

  const sayAlarm = (alarm: Alarm, { ladder, tell }: Climb, now: number): Said => {
    const waited = now - Math.min(alarm.shown ?? alarm.raised, now);
    const about = `alarm:${alarm.id}`;
    const group = alarm.group ?? alarm.source;
    const steps = tell.map(({ step, to, isRepeat }) => ({ step, isRepeat, targets: plan.targets(to) }));
    return {
      sayings: steps.flatMap(({ step, targets }) =>
        targets.map((to) => ({ about, group, step, to, ...alarmWords(alarm, step === 0 ? 0 : waited) })),
      ),
      audit: steps.map(({ step, isRepeat, targets }) => ({
        ...line(now, targets),
        what: clip(`alarm.escalate ${alarm.id} (${alarm.source})`, 300),
        why: `ladder ${ladder.id}, ${isRepeat ? 'again' : `step ${step + 1}`}: unacknowledged for ${Math.round(waited / 1_000)} s`,
      })),
    };
  };

  const sayAsked = ({ about, to, message }: NotifyDecision, now: number): Said => {
    const targets = plan.targets(to);
    const words = { class: askedClass, title: message, text: { zh: '', en: '' } };
    const saying = { about, group: ruleOfInstance(about), step: 0, ...words };
    return {
      sayings: targets.map((target) => ({ ...saying, to: target })),
      audit: [{ ...line(now, targets), what: clip(`notify ${about}`, 300), why: clip(message.en, 300) }],
    };
  };

  return {
    restore(notices, open, now) {
      const groups = new Map([...open.values()].map((alarm) => [`alarm:${alarm.id}`, alarm.group ?? alarm.source]));
      post.restore(notices, (about) => groups.get(about) ?? ruleOfInstance(about), now);
    },
    step({ now, open, asked }) {
      const { due, wakeAt } = climbAll(open, now);
      const said = [
        ...due.map(({ alarm, climbed }) => sayAlarm(alarm, climbed, now)),
        ...asked.map((decision) => sayAsked(decision, now)),
      ];
      const waiting = new Set([...open.values()].filter(needsPerson).map(({ id }) => `alarm:${id}`));
      const isOver = (about: string) => about.startsWith('alarm:') && !waiting.has(about);
      const withdrawn = post.withdraw(isOver, now);
      const notices = post.post(
        said.flatMap(({ sayings }) => sayings),
        now,
      );
      return {
        notices: [...withdrawn, ...notices],
        told: due.flatMap(({ alarm: { id, source }, climbed: { escalation } }) =>
          escalation === null ? [] : [{ id, source, escalation }],
        ),
        audit: said.flatMap(({ audit }) => audit),
        wakeAt,
      };
    },
    get counters() {
      return { forgotten: post.dropped };
    },
  };
}

interface Said {
  readonly sayings: readonly Saying[];
  readonly audit: readonly AuditLine[];
}

function line(time: number, targets: readonly Target[]): Pick<AuditLine, 'time' | 'who' | 'from' | 'result'> {
  const names = targets.map(({ channel, recipient }) => (recipient === null ? channel : `${recipient}@${channel}`));
  const result = names.length === 0 ? 'nobody: no channel reaches them' : clip(`told ${names.join(', ')}`, 300);
  return { time, who: 'process:core', from: 'core', result };
}

function isSame(a: Told, b: Told | undefined): boolean {
  return b !== undefined && a.ladder === b.ladder && a.step === b.step && a.told === b.told && a.due === b.due;
}
