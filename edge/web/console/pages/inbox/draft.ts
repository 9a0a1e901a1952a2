import type { z } from 'zod';
import type { adoptBody, InboxView, ProfileView } from '../../../place-schemas.ts';
import { type Address, blankExample, idPattern, withoutEmpty } from './address-form.ts';

/* What somebody has filled in so far, what is still missing, and what is sent. Pure. */

export interface Draft {
  readonly profile: string | null;
  readonly address: Address;
  readonly id: string;
  /** The id follows the English name until somebody writes one. */
  readonly isOwnId: boolean;
  readonly zh: string;
  readonly en: string;
  readonly zone: string | null;
  readonly space: string | null;
}

export type Mistake = 'profileNeeded' | 'idWrong' | 'idTaken' | 'nameNeeded' | 'zoneNeeded';

/** What to begin with: what the inbox guesses, or nothing. A campus with one zone needs no choice. */
export function firstDraft(line: InboxView | null, zones: readonly { readonly id: string }[]): Draft {
  const suggestion = line?.suggestion ?? null;
  const [only, ...more] = zones;
  return {
    profile: suggestion?.profile ?? null,
    address: suggestion?.address ?? {},
    id: suggestion?.id ?? '',
    isOwnId: suggestion !== null,
    zh: '',
    en: '',
    zone: more.length === 0 ? (only?.id ?? null) : null,
    space: null,
  };
}

/** The draft with another profile: its address begins anew unless the guess of the inbox is of the same protocol. */
export function withProfile(draft: Draft, profile: ProfileView, line: InboxView | null): Draft {
  const suggested = line?.suggestion?.address;
  const keeps = suggested !== undefined && profile.protocol === 'mqtt';
  return { ...draft, profile: profile.id, address: keeps ? suggested : blankExample(profile.addressExample) };
}

export function mistakesOf(draft: Draft, taken: ReadonlySet<string>): Mistake[] {
  const mistakes: Mistake[] = [];
  if (draft.profile === null) mistakes.push('profileNeeded');
  if (draft.zh.trim() === '') mistakes.push('nameNeeded');
  if (!idPattern.test(draft.id)) mistakes.push('idWrong');
  else if (taken.has(draft.id)) mistakes.push('idTaken');
  if (draft.zone === null) mistakes.push('zoneNeeded');
  return mistakes;
}

/** What is sent; null while something is missing. */
export function bodyOf(draft: Draft, inboxKey: string | undefined): z.input<typeof adoptBody> | null {
  const { profile, zone, space, id } = draft;
  const zh = draft.zh.trim();
  if (profile === null || zone === null || zh === '') return null;
  return {
    id,
    name: { zh, en: draft.en.trim() || zh },
    profile,
    zone,
    address: { ...withoutEmpty(draft.address) },
    ...(space === null ? {} : { space }),
    ...(inboxKey === undefined ? {} : { inboxKey }),
  };
}
