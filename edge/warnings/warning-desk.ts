import {
  type PublicWarning,
  type WarningInfo,
  type WarningReason,
  type WarningSeverity,
  type WarningVerdict,
  warningKey,
  warningSeverities,
} from '#edge/domain/warning.ts';
import { isMeant, type WarningPlace } from './place.ts';

/** Whom this campus listens to. */
export interface WarningSender {
  /** As in the message. */
  readonly sender: string;
  /** Only what it has signed counts. */
  readonly mustSign: boolean;
}

export interface WarningPolicy {
  readonly senders: readonly WarningSender[];
  readonly place: WarningPlace;
  /** What is at least so bad is said aloud; the rest is shown. */
  readonly soundFrom: WarningSeverity;
  /** First subtag of the language of the campus, e.g. `zh`. */
  readonly language: string;
}

/** How the message came. */
export interface WarningEnvelope {
  /** `good`: by a certificate of its sender. `unchecked`: there is none, or this campus has no certificate of his. */
  readonly signature: 'good' | 'bad' | 'unchecked';
}

/** One message that was taken. */
export interface KnownWarning {
  readonly key: string;
  readonly sender: string;
  readonly sent: number;
  /** ms; 0: it is over (ended, replaced, expired, or never begun). */
  readonly until: number;
}

export interface WarningDesk {
  judge(warning: PublicWarning, envelope: WarningEnvelope, now: number): WarningVerdict;
  /** Somebody on the campus ended it. */
  end(key: string): void;
  /** As if it had never come: said again it is new. */
  forget(key: string): void;
  /** What is remembered, oldest first: to be kept over a restart. */
  snapshot(): readonly KnownWarning[];
}

/** A message that says no end is over after so long (CAP leaves it to the receiver), ms. */
const usualLength = 6 * 3_600_000;
/** No warning is said aloud again and again for longer, ms. */
const longestLength = 48 * 3_600_000;
/** Clocks of senders differ, ms. */
const mostAhead = 10 * 60_000;
/** Older messages are news, not warnings: they were kept back somewhere, or somebody plays them again, ms. */
const oldest = 24 * 3_600_000;
/** Messages remembered; what is forgotten is older than `oldest` long before. */
const mostKnown = 5_000;

/**
 * Judges public warnings: which may sound here, which are only shown, which end others. Each message is judged once: a second time it is
 * a duplicate, whatever way it came. A message of somebody who is not trusted changes nothing and is not remembered.
 */
export function createWarningDesk(policy: WarningPolicy, remembered: readonly KnownWarning[] = []): WarningDesk {
  const known = new Map(remembered.map((one) => [one.key, one]));
  const trusted = new Map(policy.senders.map((one) => [one.sender, one]));
  const soundsFrom = warningSeverities.indexOf(policy.soundFrom);

  function remember(warning: PublicWarning, until: number, now: number): void {
    const key = warningKey(warning);
    known.delete(key);
    // What would be too old by now need not be known any more.
    for (const one of known.values())
      if (one.until <= now && one.sent < now - oldest - mostAhead) known.delete(one.key);
    known.set(key, { key, sender: warning.sender, sent: warning.sent, until });
    for (const oldestKey of known.keys()) {
      if (known.size <= mostKnown) break;
      known.delete(oldestKey);
    }
  }

  function over(key: string): void {
    const one = known.get(key);
    if (one !== undefined) known.set(key, { ...one, until: 0 });
  }

  /** Of what a message refers to: what is still on and its own sender's; and why nothing was found. */
  function referred(warning: PublicWarning, now: number) {
    const found = warning.references.map((one) => known.get(warningKey(one)));
    const theirs = found.filter((one) => one !== undefined && one.sender === warning.sender);
    const keys = [...new Set(theirs.flatMap((one) => (one !== undefined && one.until > now ? [one.key] : [])))];
    const why: WarningReason | null =
      theirs.length > 0 ? null : found.some((one) => one !== undefined) ? 'not-theirs' : 'unknown-reference';
    return { keys, why };
  }

  function cancel(warning: PublicWarning, now: number): WarningVerdict {
    const { keys, why } = referred(warning, now);
    // A cancel that overtook its alert must still hold: the alert is marked before it comes.
    for (const one of warning.references) {
      if (one.sender === warning.sender && !known.has(warningKey(one)))
        known.set(warningKey(one), { key: warningKey(one), sender: one.sender, sent: one.sent, until: 0 });
    }
    remember(warning, 0, now);
    for (const key of keys) over(key);
    return { act: keys.length > 0 ? 'end' : 'none', reason: why ?? 'cancel', info: null, until: null, ends: keys };
  }

  function begin(warning: PublicWarning, now: number): WarningVerdict {
    const ends = warning.type === 'Update' ? referred(warning, now).keys : [];
    const done = (act: WarningVerdict['act'], reason: WarningReason): WarningVerdict => {
      remember(warning, 0, now);
      for (const key of ends) over(key);
      return { act: ends.length > 0 ? 'end' : act, reason, info: null, until: null, ends };
    };
    if (warning.infos.length === 0) return done('none', 'without-information');
    const meant = warning.infos.filter(({ areas }) => isMeant(areas, policy.place));
    // An update whose area has moved away is the end of it here.
    if (meant.length === 0) return done('none', 'elsewhere');
    const alive = meant.filter((info) => endOf(info, warning.sent) > now && info.urgency !== 'Past');
    if (alive.length === 0) return done('none', 'expired');
    const info = chosen(alive, policy.language);
    const until = Math.min(endOf(info, warning.sent), now + longestLength);
    const rank = warningSeverities.indexOf(info.severity);
    const sounds = rank <= soundsFrom;
    remember(warning, until, now);
    for (const key of ends) over(key);
    const reason = sounds ? (warning.type === 'Update' ? 'update' : 'new') : 'below-threshold';
    return { act: sounds ? 'sound' : 'show', reason, info, until, ends };
  }

  return {
    judge(warning, { signature }, now) {
      const no = (reason: WarningReason): WarningVerdict => ({
        act: 'none',
        reason,
        info: null,
        until: null,
        ends: [],
      });
      const sender = trusted.get(warning.sender);
      if (sender === undefined) return no('foreign-sender');
      if (signature === 'bad' || (sender.mustSign && signature !== 'good')) return no('not-signed');
      if (warning.status !== 'Actual') return no('not-actual');
      if (warning.scope !== 'Public') return no('not-public');
      if (warning.type === 'Ack' || warning.type === 'Error') return no('not-a-warning');
      if (warning.sent > now + mostAhead) return no('from-the-future');
      if (warning.sent < now - oldest) return no('too-old');
      const before = known.get(warningKey(warning));
      if (before !== undefined) return no(before.sent > warning.sent ? 'overtaken' : 'duplicate');
      return warning.type === 'Cancel' ? cancel(warning, now) : begin(warning, now);
    },
    end: over,
    forget: (key) => void known.delete(key),
    snapshot: () => [...known.values()],
  };
}

function endOf({ expires }: WarningInfo, sent: number): number {
  return expires ?? sent + usualLength;
}

/** The worst that is said in the language of the campus; else the worst. */
function chosen(infos: readonly WarningInfo[], language: string): WarningInfo {
  const isOurs = (info: WarningInfo) => info.language.split('-')[0]?.toLowerCase() === language;
  const byBadness = [...infos].sort(
    (a, b) => warningSeverities.indexOf(a.severity) - warningSeverities.indexOf(b.severity),
  );
  const [worst] = byBadness;
  const best =
    byBadness.find((info) => isOurs(info) && info.severity === worst?.severity) ?? byBadness.find(isOurs) ?? worst;
  if (best === undefined) throw new Error('a warning without information has no best part');
  // Said in our language, but as bad as it is in any: a translation that plays down must not keep it silent.
  return worst === undefined ? best : { ...best, severity: worst.severity };
}
