import type { Emergency, EmergencyKind } from '#edge/domain/emergency.ts';
import {
  type PublicWarning,
  type WarningInfo,
  type WarningReason,
  type WarningVerdict,
  warningKey,
  warningSeverities,
} from '#edge/domain/warning.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { SiteEmergency } from '#edge/runtime/site-emergency.ts';
import {
  createWarningDesk,
  type KnownWarning,
  type WarningDesk,
  type WarningEnvelope,
} from '#edge/warnings/warning-desk.ts';
import type { BoundedAudit } from './emergency-audit.ts';
import type { EmergencyActor, EmergencyDesk } from './emergency-desk.ts';
import type { Together } from './together.ts';

/* Public warnings: judged once each, said aloud as an emergency or only shown, ended by whoever sent them. */

/** What people are shown of a warning that is in force. */
export interface ShownWarning {
  readonly key: string;
  readonly event: string;
  readonly headline: string;
  readonly severity: string;
  readonly sender: string;
  readonly sent: number;
  readonly until: number | null;
  readonly sounds: boolean;
}

export interface WarningsOptions {
  readonly site: SiteEmergency['warnings'];
  readonly emergencies: Pick<EmergencyDesk, 'begin' | 'endOf'>;
  /** What `state` has of it. */
  readonly stored: unknown;
  /** What began is on disk with what is known of the message. */
  readonly together: Together;
  readonly onChange: () => void;
  readonly audit: BoundedAudit;
  readonly clock: Clock;
  readonly log: Log;
}

export const warningsState = 'warnings';
const mostShown = 200;
const longest = { name: 60, headline: 300, sender: 100 };
/** Each change is written at once, but for a storm of them: after so many in a minute one in so long, ms. */
const mostAtOnce = 20;
const minute = 60_000;
const writeEvery = 2_000;
/** Of one sender in an hour; then only what is graver is said aloud: nobody listens to the thirtieth word of the same rain. */
const mostAloud = 12;
const hour = 60 * minute;

export class Warnings implements Disposable {
  readonly #options: WarningsOptions;
  readonly #desk: WarningDesk;
  #shown: readonly ShownWarning[];
  /** When it was written in the last minute, monotonic. */
  #written: readonly number[] = [];
  #writing: NodeJS.Timeout | undefined;
  #isTaking = false;
  #isChanged = false;
  /** What was said aloud in the last hour, by sender: when (monotonic), and how grave (0 is the worst). */
  readonly #aloud = new Map<string, readonly { readonly at: number; readonly rank: number }[]>();

  constructor(options: WarningsOptions) {
    this.#options = options;
    const { senders, codes, point, soundFrom } = options.site;
    const { known, shown } = readState(options.stored);
    this.#shown = shown;
    this.#desk = createWarningDesk(
      {
        senders: senders.map(({ sender, mustSign }) => ({ sender, mustSign })),
        place: { codes, point },
        ...{ soundFrom, language: 'zh' },
      },
      known,
    );
  }

  /** In force here, newest first. */
  shown(): readonly ShownWarning[] {
    const now = this.#options.clock.now();
    return this.#shown.filter(({ until }) => until === null || until > now);
  }

  /** One message. What is not taken changes nothing but the audit. */
  take(warning: PublicWarning, envelope: WarningEnvelope, actor: EmergencyActor) {
    return this.#options.together.within(() => {
      this.#isTaking = true;
      try {
        return this.#take(warning, envelope, actor);
      } finally {
        this.#isTaking = false;
        // Not before all that it brought about: what is known and had not begun would be lost for ever.
        if (this.#isChanged) this.#changed();
      }
    });
  }

  #take(warning: PublicWarning, envelope: WarningEnvelope, actor: EmergencyActor) {
    const verdict = this.#desk.judge(warning, envelope, this.#options.clock.now());
    const key = warningKey(warning);
    const isNews = !nothingNew.has(verdict.reason);
    if (isNews) this.#hide(warning);
    if (verdict.ends.length > 0) this.#end(new Set(verdict.ends), warning, verdict);
    const { act, info } = verdict;
    const isAloud = act === 'sound' && info !== null && this.#mayBeLoud(warning.sender, info);
    const begun = act === 'sound' && info !== null ? this.#sound(warning, info, verdict, actor, isAloud) : null;
    // What could not begin is shown at least; said again it may sound.
    const isLost = act === 'sound' && begun?.emergency === null;
    if (isLost) this.#desk.forget(key);
    if (info !== null && (act === 'sound' || act === 'show'))
      this.#show(key, warning, info, verdict.until, isAloud && !isLost);
    const isQuiet = act === 'sound' && !isAloud;
    const done = isLost || isQuiet ? ('show' as const) : act;
    const reason = isQuiet ? ('too-often' as const) : verdict.reason;
    const result = isLost ? `failed: ${begun.problem}` : done;
    this.#told(actor, { what: `crisis.warning ${key}`, why: reason, result });
    if (isNews) this.#changed();
    return { act: done, reason, key, emergency: begun?.emergency ?? null };
  }

  /** One that could not be read. */
  malformed(of: 'warning' | 'earthquake', problem: string, actor: EmergencyActor): void {
    this.#told(actor, { what: `crisis.${of}`, why: 'malformed', result: problem });
  }

  /** Its emergency is over, whoever ended it: it is shown until its own end, and does not sound again. */
  ended({ causes }: Pick<Emergency, 'causes'>): void {
    const keys = new Set(causes.flatMap(({ origin }) => (origin.kind === 'warning' ? [origin.key] : [])));
    if (keys.size === 0) return;
    for (const key of keys) this.#desk.end(key);
    this.#shown = this.#shown.map((one) => (keys.has(one.key) ? { ...one, sounds: false } : one));
    this.#changed();
  }

  /** What its own sender takes back or replaces is not in force any more, whoever had ended it here before. */
  #hide({ sender, type, references }: PublicWarning): void {
    if (type !== 'Cancel' && type !== 'Update') return;
    const over = new Set(references.flatMap((one) => (one.sender === sender ? [warningKey(one)] : [])));
    this.#shown = this.#shown.filter((one) => !over.has(one.key));
  }

  #mayBeLoud(sender: string, { severity }: WarningInfo): boolean {
    const at = this.#options.clock.monotonic();
    const rank = warningSeverities.indexOf(severity);
    const before = (this.#aloud.get(sender) ?? []).filter((one) => one.at > at - hour);
    const isLoud = before.length < mostAloud || before.every((one) => rank < one.rank);
    this.#aloud.set(sender, isLoud ? [...before, { at, rank }] : before);
    return isLoud;
  }

  [Symbol.dispose](): void {
    if (this.#writing !== undefined) this.#write();
  }

  #sound(
    warning: PublicWarning,
    { event, headline, ...info }: WarningInfo,
    { until }: WarningVerdict,
    { who, from }: EmergencyActor,
    sounds: boolean,
  ): { readonly emergency: string | null; readonly problem: string } {
    const name = cut(event, longest.name);
    try {
      const { emergency } = this.#options.emergencies.begin({
        ...{ kind: kindOf({ ...info, event }), drill: false, zones: null, sounds, until, by: who, from },
        why: cut(headline === '' ? event : headline, longest.headline),
        origin: { kind: 'warning', key: warningKey(warning) },
        name: { zh: name, en: name },
      });
      return { emergency: emergency.id, problem: '' };
    } catch (error) {
      if (codeOf(error) !== 'EMERGENCY_FULL')
        this.#options.log.error({ error, warning: warningKey(warning) }, 'a public warning could not begin');
      return { emergency: null, problem: messageOf(error) };
    }
  }

  #end(keys: ReadonlySet<string>, warning: PublicWarning, { reason }: WarningVerdict): void {
    const why = reason === 'cancel' ? 'it was cancelled' : 'another message replaced it';
    this.#options.emergencies.endOf(
      (origin) => origin.kind === 'warning' && keys.has(origin.key),
      cut(`warning:${warning.sender}`, longest.sender),
      why,
    );
  }

  #show(key: string, { sender, sent }: PublicWarning, info: WarningInfo, until: number | null, sounds: boolean): void {
    const { severity, senderName } = info;
    const told: ShownWarning = {
      ...{ key, severity, sent, until, sounds },
      event: cut(info.event, longest.name),
      headline: cut(info.headline, longest.headline),
      sender: cut(senderName === '' ? sender : senderName, longest.sender),
    };
    this.#shown = [told, ...this.shown().filter((one) => one.key !== key)].slice(0, mostShown);
  }

  #told({ who, from }: EmergencyActor, line: { what: string; why: string; result: string }): void {
    const { audit, together, clock } = this.#options;
    const { what, why, result } = line;
    const lines = audit.lines({
      ...{ time: clock.now(), who, from, why },
      ...{ what: cut(what, 200), result: cut(result, longest.headline) },
    });
    if (lines.length > 0) together.commit({ audit: lines });
  }

  #changed(): void {
    this.#isChanged = this.#isTaking;
    if (this.#isTaking) return;
    this.#options.onChange();
    const now = this.#options.clock.monotonic();
    this.#written = this.#written.filter((time) => time > now - minute);
    if (this.#written.length < mostAtOnce) this.#write();
    else this.#writing ??= setTimeout(() => this.#write(), writeEvery);
  }

  #write(): void {
    clearTimeout(this.#writing);
    this.#writing = undefined;
    this.#written = [...this.#written, this.#options.clock.monotonic()];
    this.#options.together.commit({ state: { [warningsState]: { known: this.#desk.snapshot(), shown: this.#shown } } });
  }
}

/** Nothing is remembered of these. */
const nothingNew: ReadonlySet<WarningReason> = new Set([
  ...(['duplicate', 'overtaken', 'foreign-sender', 'not-signed', 'not-actual', 'not-public'] as const),
  ...(['not-a-warning', 'from-the-future', 'too-old'] as const),
]);

/** One line, never half a letter. */
function cut(text: string, most: number): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= most ? line : `${line.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function kindOf({ categories, event }: Pick<WarningInfo, 'categories' | 'event'>): EmergencyKind {
  if (/地震|earthquake/i.test(event)) return 'earthquake';
  return categories.includes('Met') || /台风|暴雨|大风|雷|冰雹|storm|wind|rain/i.test(event) ? 'storm' : 'other';
}

/** Written by this file; what is not understood is forgotten: the messages come again, or are too old. */
function readState(stored: unknown): { known: readonly KnownWarning[]; shown: readonly ShownWarning[] } {
  const { known, shown } = (stored ?? {}) as { known?: unknown; shown?: unknown };
  return {
    known: Array.isArray(known) ? (known as KnownWarning[]) : [],
    shown: Array.isArray(shown) ? (shown as ShownWarning[]) : [],
  };
}
