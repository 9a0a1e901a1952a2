import type { EmergencyKind } from '#edge/domain/emergency.ts';
import { type PublicWarning, type WarningInfo, type WarningVerdict, warningKey } from '#edge/domain/warning.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { SiteEmergency } from '#edge/runtime/site-emergency.ts';
import type { Batch } from '#edge/store/batch.ts';
import {
  createWarningDesk,
  type KnownWarning,
  type WarningDesk,
  type WarningEnvelope,
} from '#edge/warnings/warning-desk.ts';
import type { EmergencyActor, EmergencyDesk } from './emergency-desk.ts';

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
  readonly commit: (batch: Batch) => void;
  readonly onChange: () => void;
  readonly clock: Clock;
}

export const warningsState = 'warnings';
const mostShown = 200;
const longestName = 60;

export class Warnings {
  readonly #options: WarningsOptions;
  readonly #desk: WarningDesk;
  #shown: readonly ShownWarning[];

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
  take(warning: PublicWarning, envelope: WarningEnvelope, { who, from }: EmergencyActor) {
    const { clock } = this.#options;
    const verdict = this.#desk.judge(warning, envelope, clock.now());
    const key = warningKey(warning);
    if (verdict.ends.length > 0) {
      const ended = new Set(verdict.ends);
      this.#shown = this.#shown.filter((one) => !ended.has(one.key));
      this.#end(ended, warning, verdict);
    }
    const isSaid = verdict.act === 'sound' && verdict.info !== null;
    const emergency = isSaid ? this.#sound(warning, verdict.info, verdict, who, from) : null;
    if (verdict.info !== null && (verdict.act === 'sound' || verdict.act === 'show'))
      this.#show(key, warning, verdict.info, verdict);
    this.#keep(key, verdict, who, from);
    return { act: verdict.act, reason: verdict.reason, key, emergency };
  }

  #sound(warning: PublicWarning, info: WarningInfo, { until }: WarningVerdict, who: string, from: string): string {
    const { event, headline } = info;
    const words = (headline === '' ? event : headline).slice(0, 300);
    const { emergency } = this.#options.emergencies.begin({
      ...{
        kind: kindOf(info),
        drill: false,
        zones: null,
        why: words,
        by: who,
        from,
        sounds: true,
        until,
      },
      origin: { kind: 'warning', key: warningKey(warning) },
      name: { zh: event.slice(0, longestName), en: event.slice(0, longestName) },
    });
    return emergency.id;
  }

  #end(keys: ReadonlySet<string>, warning: PublicWarning, { reason }: WarningVerdict): void {
    const why = reason === 'cancel' ? 'it was cancelled' : 'another message replaced it';
    this.#options.emergencies.endOf(
      (origin) => origin.kind === 'warning' && keys.has(origin.key),
      `warning:${warning.sender}`.slice(0, 100),
      why,
    );
  }

  #show(key: string, { sender, sent }: PublicWarning, info: WarningInfo, { until, act }: WarningVerdict): void {
    const { event, headline, severity, senderName } = info;
    const told = { key, event, headline, severity, sender: senderName === '' ? sender : senderName, sent, until };
    this.#shown = [{ ...told, sounds: act === 'sound' }, ...this.shown()].slice(0, mostShown);
  }

  #keep(key: string, { act, reason }: WarningVerdict, who: string, from: string): void {
    const { commit, clock, onChange } = this.#options;
    const line = {
      time: clock.now(),
      who,
      from,
      what: `crisis.warning ${key}`.slice(0, 200),
      why: reason,
      result: act,
    };
    commit({ audit: [line], state: { [warningsState]: { known: this.#desk.snapshot(), shown: this.#shown } } });
    onChange();
  }
}

function kindOf({ categories, event }: WarningInfo): EmergencyKind {
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
