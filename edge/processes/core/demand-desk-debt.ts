import { z } from 'zod';
import type { DemandPlan } from '#edge/domain/energy.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import { type OutputState, priorities } from '#edge/domain/output.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { HoldChange } from '#edge/rules/decision.ts';

/*
 * What a demand limit took away it owes: most outputs keep what they have when nobody holds them, so what was shed would stay off for
 * ever. A load becomes what it would be without the limit: what others say who hold it, else what it was or was last wanted to be. That
 * is asserted until the load is seen to obey, over restarts too: a relay that is away just then comes back off.
 */

/** A load on its way back. */
export interface Returning {
  readonly value: Value;
  readonly why: string;
  /** ms since epoch. */
  readonly since: number;
  /** Its turn among those that come back after a restart, monotonic ms. */
  readonly turn: number;
}

/** Plain JSON: kept over a restart as it is. By output. */
export interface Debt {
  /** What it would be without us. */
  readonly values: Readonly<Record<string, Value>>;
  readonly returning: Readonly<Record<string, Returning>>;
}

export const noDebt: Debt = { values: {}, returning: {} };

/** What is known of the campus at one look. */
export interface DebtLook {
  readonly owner: string;
  readonly now: number;
  readonly monotonic: number;
  readonly outputs: ReadonlyMap<string, OutputState>;
  readonly latest: ReadonlyMap<PointRef, Reading>;
  /** What is shed now, and what it was told; those of them that were not at the last look. */
  readonly sheds: ReadonlyMap<string, Value>;
  readonly fresh: ReadonlySet<string>;
}

/** One assertion of a load that comes back, ms; said again until it obeys. */
const holdFor = 60_000;
const renewBefore = 30_000;
/** Who does not obey for so long is somebody else's affair, ms while core runs: a clock that is set must not make a load stay off. */
const giveUpAfter = 86_400_000;
const noLonger = 'no demand limit stands for it any more';

/** Notes what each load that is shed would be without us. */
export function noteValues(debt: Debt, look: DebtLook): Debt {
  const values = new Map(Object.entries(debt.values));
  for (const [ref, shed] of look.sheds) {
    const wanted = wishOfOthers(look.outputs.get(ref));
    if (wanted !== undefined) values.set(ref, wanted);
    else if (look.fresh.has(ref)) {
      const known = lastKnown(ref, look);
      // It was given back a moment ago and still shows what we told it before: what is known from then on stands.
      if (known !== null && (known !== shed || !values.has(ref))) values.set(ref, known);
    }
  }
  const isOff = (ref: string) => !look.sheds.has(ref);
  return { values: Object.fromEntries(values), returning: filtered(debt.returning, isOff) };
}

/** `told`: what it was told while it was shed. */
function owe(debt: Debt, ref: string, told: Value, back: Omit<Returning, 'value'>): Debt {
  if (debt.returning[ref] !== undefined) return debt;
  // Core was killed before it could write down what it took away: only what runs is shed.
  const value = debt.values[ref] ?? (typeof told === 'boolean' ? !told : told);
  return { ...debt, returning: { ...debt.returning, [ref]: { ...back, value } } };
}

/** A hold that says nothing about shedding: it ends with the value that it has. */
function letGo(debt: Debt, ref: string, value: Value, back: Omit<Returning, 'value'>): Debt {
  return { ...debt, returning: { ...debt.returning, [ref]: { ...back, value } } };
}

/** Between two loads of a limit that is gone, ms. */
export const goneStagger = 10_000;

interface Unshed {
  /** What was shed at the last look. */
  readonly shed: ReadonlyMap<string, Value>;
  readonly why: ReadonlyMap<string, string>;
  readonly plan: DemandPlan | null;
}

/** What is shed no more is owed, and so is whatever is held as if it were: of a load that left its plan or came to be protected. */
export function oweUnshed(debt: Debt, look: DebtLook, { shed, why, plan }: Unshed): Debt {
  const held = [...look.outputs.values()].flatMap(({ ref, stack }) => {
    const mine = stack.find(({ owner }) => owner === look.owner);
    const isShed = mine !== undefined && mine.value === ((plan === null ? null : shedValue(plan, ref)) ?? false);
    return mine === undefined ? [] : [{ ref, told: mine.value, isShed }];
  });
  const left = [...shed].map(([ref, told]) => ({ ref, told, isShed: true }));
  let owed = debt;
  let turn = look.monotonic;
  for (const { ref, told, isShed } of [...left, ...held]) {
    if (look.sheds.has(ref) || owed.returning[ref] !== undefined) continue;
    const back = { why: why.get(ref) ?? noLonger, since: look.now, turn };
    owed = isShed ? owe(owed, ref, told, back) : letGo(owed, ref, told, back);
    turn += plan?.stagger ?? goneStagger;
  }
  return owed;
}

export function shedValue({ tiers }: DemandPlan, ref: string): Value | null {
  return tiers.flatMap(({ loads }) => loads).find(({ output }) => output === ref)?.value ?? null;
}

/** What is to be held or let go of, and what is owed then. */
export function payBack(debt: Debt, look: DebtLook): { readonly debt: Debt; readonly changes: readonly HoldChange[] } {
  const paid = new Set<string>();
  const changes = Object.entries(debt.returning).flatMap(([ref, back]): HoldChange[] => {
    const output = look.outputs.get(ref);
    const split = ref as PointRef;
    if (output === undefined || isPaid(output, back, look)) {
      paid.add(ref);
      const mine = output?.stack.some(({ owner }) => owner === look.owner) ?? false;
      return mine ? [{ kind: 'relinquish', owner: look.owner, ref: split, reason: back.why }] : [];
    }
    if (look.monotonic < back.turn) return [];
    const standing = output.stack.find(({ owner }) => owner === look.owner);
    const isStanding = standing?.value === back.value && (standing.until ?? 0) - look.now > renewBefore;
    if (isStanding) return [];
    const { value, why: reason } = back;
    const about = { owner: look.owner, ref: split, value, reason };
    return [{ kind: 'hold', ...about, priority: priorities.automation, lasts: holdFor }];
  });
  const isOpen = (ref: string) => !paid.has(ref);
  return {
    debt: { values: filtered(debt.values, isOpen), returning: filtered(debt.returning, isOpen) },
    changes,
  };
}

/** It is what it was, or somebody else says what it is to be. What a repair does to it is over in a minute. */
function isPaid(output: OutputState, back: Returning, { owner, monotonic, latest }: DebtLook): boolean {
  const others = output.stack.filter((hold) => hold.owner !== owner && !hold.owner.startsWith('repair:'));
  if (others.length > 0 || monotonic - back.turn > giveUpAfter) return true;
  const mine = output.stack.find((hold) => hold.owner === owner);
  if (mine !== undefined && mine.value !== back.value) return false;
  const { confirmed, ref } = output;
  const from = mine?.since ?? back.since;
  const isDone = confirmed?.outcome === 'done' || confirmed?.outcome === 'sent';
  if (isDone && confirmed.value === back.value && confirmed.time >= from) return true;
  const reading = latest.get(ref);
  return reading?.quality === 'good' && reading.value === back.value && reading.sourceTime > from;
}

/** Strongest first. A repair's hold says nothing about what anybody wants, nor does that of another limit. */
function wishOfOthers(output: OutputState | undefined): Value | undefined {
  return output?.stack.find(({ owner }) => !owner.startsWith('demand:') && !owner.startsWith('repair:'))?.value;
}

/** As it was heard last, however long ago. */
function lastKnown(ref: string, { latest, outputs }: DebtLook): Value | null {
  return latest.get(ref as PointRef)?.value ?? outputs.get(ref)?.confirmed?.value ?? null;
}

function filtered<T>(all: Readonly<Record<string, T>>, keep: (ref: string) => boolean): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(all).filter(([ref]) => keep(ref)));
}

const value = z.union([z.number(), z.boolean(), z.string()]);
const stored = z.object({
  values: z.record(z.string(), value),
  returning: z.record(z.string(), z.object({ value, why: z.string(), since: z.number() })),
});

/** Over a restart, turns begin anew: one after the other. What cannot be read is no debt. */
export function restoreDebt(kept: unknown, monotonic: number, stagger: number): Debt {
  const known = stored.safeParse(kept).data;
  if (known === undefined) return noDebt;
  const returning = Object.entries(known.returning).map(([ref, back], i): [string, Returning] => [
    ref,
    { ...back, turn: monotonic + i * stagger },
  ]);
  return { values: known.values, returning: Object.fromEntries(returning) };
}
