import type { PointRef, ZoneId } from '#edge/domain/ids.ts';

/*
 * The order in which a 100-V amplifier and the zone relays on its line are switched: power, warm-up, zone relays, sound; then sound off, zone
 * relays off, and after a while power off. Pure. All times are monotonic, ms. What a relay says of itself is believed before what it was told.
 *
 * Minimum times hold for everything but switching ON for an emergency: a relay that wears is a smaller harm than words that nobody hears.
 * A relay that says nothing keeps no sound for good: when it has had its time, the sound is sent all the same, and the relay is named.
 */

export interface AmplifierRelay {
  readonly point: PointRef;
  /** ms it stays on, or off, at least; 0: as it comes. */
  readonly minOn: number;
  readonly minOff: number;
  /** false: it cannot be read back, and what it was told is believed. */
  readonly readsBack: boolean;
}

export interface AmplifierPlan {
  readonly power: AmplifierRelay;
  /** ms from power to the first word. */
  readonly warmUp: number;
  /** ms of silence until its power goes off. */
  readonly off: number;
  /** All of them hear the same: one line, one sound at a time. */
  readonly zones: ReadonlyMap<ZoneId, AmplifierRelay>;
  /** ms in which a relay says that it did what it was told. */
  readonly answerWithin: number;
}

export interface AmplifierWish {
  /** Zones without a relay are wired to the line for good. */
  readonly zones: readonly ZoneId[];
  readonly strength: 'emergency' | 'ordinary';
}

export interface AmplifierInput {
  readonly now: number;
  /** What shall be heard now; null: nothing. */
  readonly wish: AmplifierWish | null;
  /** When the next planned sound (a bell) begins; null: none is known. It is taken away by its planner when it is past. */
  readonly planned: number | null;
  /** What relays say; one that is missing says nothing that is good. */
  readonly said: ReadonlyMap<PointRef, boolean>;
}

export interface RelayState {
  readonly told: boolean;
  /** When it was told so; -Infinity: as it was found. */
  readonly since: number;
  /** Since when it is on, as far as is believed; null: it is off. */
  readonly onSince: number | null;
}

export interface AmplifierState {
  readonly relays: ReadonlyMap<PointRef, RelayState>;
  /** Since when nothing is asked; null: something is. */
  readonly idleSince: number | null;
}

export interface AmplifierStep {
  readonly state: AmplifierState;
  /** What each relay shall be. */
  readonly relays: ReadonlyMap<PointRef, boolean>;
  readonly sound: 'off' | 'waits' | 'on';
  /** When the sound may begin at the earliest as far as is known now; null: nothing is asked. A wait for a relay's answer is not in it. */
  readonly soundFrom: number | null;
  /** Relays that did not do what they were told within their time: the alarm names them. */
  readonly silent: readonly PointRef[];
  /** When something changes by itself; null: never. */
  readonly next: number | null;
}

/** As found when the process begins: nothing was told, what relays say is believed from the first step on. */
export const amplifierAtFirst: AmplifierState = { relays: new Map(), idleSince: null };

/** As the process before this one left it: what it told each relay, and since when. */
export function amplifierRestored(
  told: ReadonlyMap<PointRef, { readonly on: boolean; readonly since: number }>,
): AmplifierState {
  const relays = [...told].map(([point, { on, since }]): readonly [PointRef, RelayState] => [
    point,
    { told: on, since, onSince: on ? since : null },
  ]);
  return { relays: new Map(relays), idleSince: null };
}

const unknown: RelayState = { told: false, since: Number.NEGATIVE_INFINITY, onSince: null };

/** Decides anew from what is known now. Call it when an input changes and at `next`. */
export function stepAmplifier(plan: AmplifierPlan, before: AmplifierState, input: AmplifierInput): AmplifierStep {
  const { now, wish } = input;
  const isEmergency = wish?.strength === 'emergency';
  const idleSince = wish === null ? (before.idleSince ?? now) : null;
  const times: number[] = [];
  const relays = new Map<PointRef, RelayState>();

  const tell = (relay: AmplifierRelay, wanted: boolean): RelayState => {
    const old = before.relays.get(relay.point) ?? unknown;
    const free = old.since + (old.told ? relay.minOn : relay.minOff);
    const mayChange = now >= free || (wanted && isEmergency);
    if (wanted !== old.told && !mayChange) times.push(free);
    const told = mayChange ? wanted : old.told;
    const since = told === old.told ? old.since : now;
    const state = { told, since, onSince: believed(relay, told, old, input) };
    relays.set(relay.point, state);
    if (relay.readsBack && input.said.get(relay.point) !== told) times.push(since + plan.answerWithin);
    return state;
  };

  const power = tell(plan.power, wantsPower(plan, before, input, idleSince, times));
  const warmAt = warmTime(plan, power, input, isEmergency);
  const isWarm = warmAt !== null && now >= warmAt;
  if (wish !== null && warmAt !== null) times.push(warmAt);

  const asked = new Set(wish?.zones ?? []);
  const open: AmplifierRelay[] = [];
  for (const [zone, relay] of plan.zones) {
    // For an emergency the zone relays go on with the power, so that nothing but the warm-up is waited for.
    tell(relay, asked.has(zone) && (isWarm || isEmergency));
    if (asked.has(zone)) open.push(relay);
  }

  const silent = [plan.power, ...plan.zones.values()]
    .filter((relay) => isSilent(plan, relay, relays, input))
    .map((relay) => relay.point);
  const sound = wish === null ? 'off' : isWarm && (isEmergency || isOpen(open, relays, silent)) ? 'on' : 'waits';
  return {
    state: { relays, idleSince },
    relays: new Map([...relays].map(([point, state]) => [point, state.told])),
    sound,
    soundFrom: wish === null ? null : Math.max(now, warmAt ?? now + plan.warmUp),
    silent,
    next: earliest(times, now),
  };
}

/** On for a sound, ahead of a planned one, and for a while after the last. */
function wantsPower(
  plan: AmplifierPlan,
  before: AmplifierState,
  input: AmplifierInput,
  idleSince: number | null,
  times: number[],
): boolean {
  if (idleSince === null) return true;
  const old = before.relays.get(plan.power.point) ?? unknown;
  if (input.planned !== null) {
    // Once off it must stay off for `minOff`: what begins within that time finds it on still.
    const ahead = input.planned - plan.warmUp - (old.told ? plan.power.minOff : 0);
    if (input.now >= ahead) return true;
    times.push(ahead);
  }
  const offAt = idleSince + plan.off;
  if (!old.told || input.now >= offAt) return false;
  times.push(offAt);
  return true;
}

/** Since when it is on. One that came on by hand counts from when that was seen. */
function believed(relay: AmplifierRelay, told: boolean, old: RelayState, input: AmplifierInput): number | null {
  const isOn = relay.readsBack ? input.said.get(relay.point) === true : told;
  return isOn ? (old.onSince ?? input.now) : null;
}

/**
 * null: not known, because its relay does not say that it is on. For an emergency its order counts then; for what is ordinary too, once the
 * relay has been silent for as long as it may take to answer.
 */
function warmTime(plan: AmplifierPlan, power: RelayState, input: AmplifierInput, isEmergency: boolean): number | null {
  const silentAt = power.since + plan.answerWithin;
  const isBelieved = isEmergency || (power.onSince === null && input.now >= silentAt);
  const byOrder = isBelieved && power.told ? power.since + plan.warmUp : null;
  if (power.onSince === null) return byOrder;
  const bySight = power.onSince + plan.warmUp;
  return byOrder === null ? bySight : Math.min(bySight, byOrder);
}

function isSilent(
  plan: AmplifierPlan,
  relay: AmplifierRelay,
  relays: ReadonlyMap<PointRef, RelayState>,
  input: AmplifierInput,
): boolean {
  const state = relays.get(relay.point) ?? unknown;
  // One that nobody has told anything may be as it likes: somebody switched it by hand.
  if (!relay.readsBack || state.since === Number.NEGATIVE_INFINITY) return false;
  return input.said.get(relay.point) !== state.told && input.now >= state.since + plan.answerWithin;
}

/** Every relay that answers is on: no zone loses the first word, and a dead relay keeps nothing silent for longer than its time. */
function isOpen(
  open: readonly AmplifierRelay[],
  relays: ReadonlyMap<PointRef, RelayState>,
  silent: readonly PointRef[],
): boolean {
  const alive = open.filter((relay) => !silent.includes(relay.point));
  return alive.every((relay) => (relays.get(relay.point)?.onSince ?? null) !== null);
}

function earliest(times: readonly number[], now: number): number | null {
  const ahead = times.filter((time) => time > now);
  return ahead.length === 0 ? null : Math.min(...ahead);
}
