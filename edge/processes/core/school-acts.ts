import type { Commands } from '#edge/commands/commands.ts';
import { orderText, parseOrder, type SoundClass } from '#edge/domain/broadcast.ts';
import type { Device } from '#edge/domain/device.ts';
import { type PointRef, pointRef } from '#edge/domain/ids.ts';
import { type OutputState, priorities } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Occurrence, SchoolAction } from '#edge/domain/school.ts';
import type { HoldDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { type ClipNames, isLoudspeaker } from '#edge/school/site-facts.ts';
import { channelsOf, lastsOf } from '#edge/school/ticker.ts';
import type { BroadcastDesk } from './broadcast-desk.ts';
import type { Modes } from './modes.ts';

/** How an occurrence is done. Sound goes through here alone, so that whoever arbitrates sound takes the place of one function. */
export interface SchoolActs {
  /** In this turn: what it holds now. A sentence instead: why nothing could be done. */
  begin(occurrence: Occurrence, only: readonly string[] | null): Begun | { readonly refused: string };
  /**
   * What it holds ends now, as if its time were over; what others hold, and what `keeps` names (outputs of another occurrence of the same
   * entry), stays.
   */
  end(occurrence: Occurrence, why: string, keeps: ReadonlySet<PointRef>): void;
  /** Still held for this entry? */
  isHeld(entry: string): boolean;
  outputs(): ReadonlyMap<string, OutputState>;
}

/** What an output was told. */
export interface Told {
  readonly ref: PointRef;
  readonly value: Value;
}

export interface Begun {
  /** Outputs whose answer says that it was done. */
  readonly told: readonly Told[];
  /** Settles when it is done; null: the outputs tell. */
  readonly done: Promise<string> | null;
}

export interface SchoolActsOptions {
  readonly devices: readonly Device[];
  readonly clips: ClipNames;
  readonly commands: Pick<Commands, 'setInterlockHolds' | 'outputs'>;
  readonly modes: Pick<Modes, 'set'>;
  /** Whether a mode is on, and what it was set on by; null: it never was. */
  readonly modeNow?: (mode: string) => { readonly on: boolean; readonly why: string } | null;
  readonly clock: Clock;
  /** Who arbitrates sound; absent: a sound is a hold like any other. */
  readonly sound?: Pick<BroadcastDesk, 'play' | 'stopOf' | 'isAsked'>;
}

/** How the ladder of sound calls what the school day has. */
const soundClassOf: Partial<Readonly<Record<Occurrence['class'], SoundClass>>> = {
  bell: 'bell',
  exercise: 'exercise',
  exam: 'exam',
};

export function scheduleOwner(entry: string): string {
  return `schedule:${entry}`;
}

/** What a loudspeaker is told: the clip's name, with its loudness where the item says one. */
export function soundOrder({ clip, volume }: Extract<SchoolAction, { kind: 'sound' }>): string {
  const source = { kind: 'clips', clips: [clip], loop: false } as const;
  return orderText(volume === undefined ? { source } : { source, level: Math.round(volume * 100) });
}

/** Whether an output has what it was told. An order that was written otherwise is the same order: what it plays, how loud, for whom. */
export function isSameOrder(told: Value, has: Value | null): boolean {
  if (told === has) return true;
  if (typeof told !== 'string' || typeof has !== 'string') return false;
  const [a, b] = [parseOrder(told), parseOrder(has)];
  if (a === null || b === null || a.source.kind !== 'clips' || b.source.kind !== 'clips') return false;
  // One item is one sound, however loud and from whichever moment it was told.
  if (a.item !== undefined && a.item === b.item) return true;
  const isSameSource = a.source.loop === b.source.loop && a.source.clips.join('+') === b.source.clips.join('+');
  return isSameSource && (a.level ?? 100) === (b.level ?? 100) && a.item === b.item;
}

/** Whether it is for the arbiter to say when it is heard. */
export function isArbitrated({ value }: Pick<Told, 'value'>): boolean {
  return typeof value === 'string' && parseOrder(value)?.item !== undefined;
}

/** Whether a loudspeaker has another item, or silence, instead of the one that it was told. */
export function isOtherSound(told: Value, has: Value | null): boolean {
  if (!isArbitrated({ value: told }) || typeof has !== 'string') return false;
  const other = parseOrder(has)?.item;
  return has === '' || (other !== undefined && other !== parseOrder(String(told))?.item);
}

export function createSchoolActs(options: SchoolActsOptions): SchoolActs {
  const { commands, modes, clips, clock, modeNow = () => null } = options;
  const speakers = options.devices.flatMap(({ id, zone, points }) =>
    points.filter(isLoudspeaker).map(({ name }) => ({ zone, ref: pointRef(id, name) })),
  );
  const hold = (one: Occurrence, { ref, value }: Told, lasts: number): HoldDecision => ({
    ...{ kind: 'hold', owner: scheduleOwner(one.entry), ref, value, priority: priorities.schedule, lasts },
    reason: `${one.name.zh} / ${one.name.en} (${one.key})`,
  });
  const rest = (one: Occurrence) => one.at + lastsOf(one) - clock.now();
  /** Outputs that are there; of what is not, nothing is heard, and the ledger says so. */
  const assert = (one: Occurrence, told: readonly Told[], lasts: number) => {
    const known = new Set(commands.outputs().map(({ ref }) => ref));
    const there = told.filter(({ ref }) => known.has(ref));
    if (there.length === 0) return { refused: 'the campus has none of its outputs' };
    commands.setInterlockHolds(there.map((each) => hold(one, each, lasts)));
    return { told, done: null };
  };
  const soundsOf = (action: Extract<SchoolAction, { kind: 'sound' }>, mine: ReadonlySet<string>) =>
    speakers
      .filter(({ zone }) => mine.has(`zone:${zone}`))
      .map(({ ref }): Told => ({ ref, value: soundOrder(action) }));
  /** Whoever has the word there now keeps it as long as the ladder says; what waits is told when its turn comes. */
  const arbitrated = (
    sound: NonNullable<SchoolActsOptions['sound']>,
    one: Occurrence,
    action: Extract<SchoolAction, { kind: 'sound' }>,
    told: readonly Told[],
  ): Begun | { readonly refused: string } => {
    const { item, outcome, refusal } = sound.play({
      ...{
        class: soundClassOf[one.class] ?? 'programme',
        name: one.name,
        zones: [],
        outputs: told.map(({ ref }) => ref),
      },
      ...{ source: { kind: 'clips', clips: [action.clip], loop: false }, length: lastsOf(one) },
      ...(action.volume === undefined ? {} : { level: Math.round(action.volume * 100) }),
      ...{ by: scheduleOwner(one.entry), why: `${one.name.zh} / ${one.name.en} (${one.key})` },
    });
    if (item === null || outcome === 'refused')
      return { refused: `the sound was refused: ${refusal?.code ?? outcome}` };
    const value = orderText({ source: { kind: 'clips', clips: [action.clip], loop: false }, item });
    return { told: told.map(({ ref }) => ({ ref, value })), done: null };
  };
  const begin: SchoolActs['begin'] = (one, only) => {
    const mine = new Set(only ?? channelsOf(one));
    const { do: action } = one;
    switch (action.kind) {
      case 'sound': {
        if (!clips.has(action.clip)) return { refused: `there is no clip "${action.clip}"` };
        const told = soundsOf(action, mine);
        if (told.length === 0) return { refused: 'there is no loudspeaker where it is to sound' };
        if (options.sound !== undefined) return arbitrated(options.sound, one, action, told);
        // A bell that begins late rings as long as any other.
        return assert(one, told, lastsOf(one));
      }
      case 'hold': {
        const lasts = rest(one);
        if (lasts <= 0) return { refused: 'its time was over when it was its turn' };
        return assert(
          one,
          action.outputs.filter(({ ref }) => mine.has(`output:${ref}`)),
          lasts,
        );
      }
      case 'mode': {
        const lasts = rest(one);
        if (lasts <= 0) return { refused: 'its time was over when it was its turn' };
        const wish = { on: action.on, until: action.on ? clock.now() + lasts : null, why: one.key };
        const done = modes.set(action.mode, wish, { who: 'process:core', from: scheduleOwner(one.entry) });
        return { told: [], done: done.then(() => '', messageOf) };
      }
      case 'show':
        return { told: [], done: Promise.resolve('') };
    }
  };
  const end: SchoolActs['end'] = (one, why, keeps) => {
    const { do: action } = one;
    if (action.kind === 'mode') {
      const now = modeNow(action.mode);
      // Somebody else may have set it meanwhile.
      if (!action.on || now === null || !now.on || now.why !== one.key) return;
      const actor = { who: 'process:core', from: scheduleOwner(one.entry) };
      // Its own end comes anyway.
      void modes.set(action.mode, { on: false, until: null, why }, actor).catch(() => {});
      return;
    }
    const owner = scheduleOwner(one.entry);
    if (action.kind === 'sound' && options.sound !== undefined) {
      const outputs = refsOf(one, action).filter((ref) => !keeps.has(ref));
      options.sound.stopOf(owner, { by: owner, why, outputs });
      return;
    }
    const held = commands.outputs().filter(({ stack }) => stack.some((each) => each.owner === owner));
    const mine = new Set(refsOf(one, action));
    const gone = held.filter(({ ref }) => mine.has(ref) && !keeps.has(ref));
    commands.setInterlockHolds(gone.map(({ ref }) => ({ kind: 'relinquish', owner, ref, reason: why })));
  };
  const refsOf = (one: Occurrence, action: Occurrence['do']): readonly PointRef[] => {
    if (action.kind === 'hold') return action.outputs.map(({ ref }) => ref);
    return action.kind === 'sound' ? soundsOf(action, new Set(channelsOf(one))).map(({ ref }) => ref) : [];
  };
  return {
    ...{ begin, end },
    isHeld: (entry) => {
      const now = clock.now();
      const isMine = ({ owner, until }: { owner: string; until: number | null }) =>
        owner === scheduleOwner(entry) && until !== null && until > now;
      if (options.sound?.isAsked(scheduleOwner(entry)) === true) return true;
      return commands.outputs().some(({ stack }) => stack.some(isMine));
    },
    outputs: () => new Map(commands.outputs().map((output) => [output.ref, output])),
  };
}
