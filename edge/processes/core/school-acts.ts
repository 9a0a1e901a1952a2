import type { Commands } from '#edge/commands/commands.ts';
import type { Device } from '#edge/domain/device.ts';
import { type PointRef, pointRef } from '#edge/domain/ids.ts';
import { type OutputState, priorities } from '#edge/domain/output.ts';
import type { Occurrence } from '#edge/domain/school.ts';
import type { HoldDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { channelsOf, lastsOf } from '#edge/school/ticker.ts';
import type { Modes } from './modes.ts';

/** How an occurrence is done. Sound goes through here alone, so that whoever arbitrates sound takes the place of one function. */
export interface SchoolActs {
  /** In this turn: what it holds now. A sentence instead: why nothing could be done. */
  begin(occurrence: Occurrence, only: readonly string[] | null): Begun | { readonly refused: string };
  /** Still held for this entry? */
  isHeld(entry: string): boolean;
  outputs(): ReadonlyMap<string, OutputState>;
}

export interface Begun {
  /** Outputs whose answer says that it was done. */
  readonly refs: readonly PointRef[];
  /** Settles when it is done; null: the outputs tell. */
  readonly done: Promise<string> | null;
}

export interface SchoolActsOptions {
  readonly devices: readonly Device[];
  /** Names of the clips of the site. */
  readonly clips: ReadonlySet<string>;
  readonly commands: Pick<Commands, 'setInterlockHolds' | 'outputs'>;
  readonly modes: Pick<Modes, 'set'>;
  readonly clock: Clock;
}

export function scheduleOwner(entry: string): string {
  return `schedule:${entry}`;
}

export function createSchoolActs(options: SchoolActsOptions): SchoolActs {
  const { commands, modes, clips, clock } = options;
  const speakers = options.devices.flatMap((device) =>
    device.protocol === 'broadcast'
      ? device.points.flatMap((point) =>
          point.write !== undefined && point.type === 'text'
            ? [{ zone: device.zone, ref: pointRef(device.id, point.name) }]
            : [],
        )
      : [],
  );
  const hold = (one: Occurrence, ref: PointRef, value: HoldDecision['value'], lasts: number): HoldDecision => ({
    ...{ kind: 'hold', owner: scheduleOwner(one.entry), ref, value, priority: priorities.schedule, lasts },
    reason: `${one.name.zh} / ${one.name.en} (${one.key})`,
  });
  const rest = (one: Occurrence) => one.at + lastsOf(one) - clock.now();
  const begin: SchoolActs['begin'] = (one, only) => {
    const mine = new Set(only ?? channelsOf(one));
    const { do: action } = one;
    switch (action.kind) {
      case 'sound': {
        if (!clips.has(action.clip)) return { refused: `there is no clip "${action.clip}" in the site file` };
        const refs = speakers.filter(({ zone }) => mine.has(`zone:${zone}`)).map(({ ref }) => ref);
        if (refs.length === 0) return { refused: 'there is no loudspeaker where it is to sound' };
        // A bell that begins late rings as long as any other.
        commands.setInterlockHolds(refs.map((ref) => hold(one, ref, action.clip, lastsOf(one))));
        return { refs, done: null };
      }
      case 'hold': {
        const lasts = rest(one);
        if (lasts <= 0) return { refused: 'its time was over when it was its turn' };
        const outputs = action.outputs.filter(({ ref }) => mine.has(`output:${ref}`));
        commands.setInterlockHolds(outputs.map(({ ref, value }) => hold(one, ref, value, lasts)));
        return { refs: outputs.map(({ ref }) => ref), done: null };
      }
      case 'mode': {
        const lasts = rest(one);
        if (lasts <= 0) return { refused: 'its time was over when it was its turn' };
        const wish = { on: action.on, until: action.on ? clock.now() + lasts : null, why: one.key };
        const done = modes.set(action.mode, wish, { who: 'process:core', from: scheduleOwner(one.entry) });
        return { refs: [], done: done.then(() => '', messageOf) };
      }
      case 'show':
        return { refs: [], done: Promise.resolve('') };
    }
  };
  return {
    begin,
    isHeld: (entry) => {
      const now = clock.now();
      const isMine = ({ owner, until }: { owner: string; until: number | null }) =>
        owner === scheduleOwner(entry) && until !== null && until > now;
      return commands.outputs().some(({ stack }) => stack.some(isMine));
    },
    outputs: () => new Map(commands.outputs().map((output) => [output.ref, output])),
  };
}
