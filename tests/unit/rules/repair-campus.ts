import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import { advance, startByHand } from '#edge/rules/repair.ts';
import type { RepairAct, RepairFacts, RepairPlan, RepairRecord, RepairStep } from '#edge/rules/repair-plan.ts';

/* A camera on a PoE port and what happens to it, second by second, as the ladder sees it. */

export const port = 'switch-1/poe_3' as PointRef;
export const relay = 'relay-1/relay_2' as PointRef;

export const plan: RepairPlan = {
  device: 'camera-1' as DeviceId,
  name: { zh: '一号摄像机', en: 'Camera 1' },
  zone: 'gate',
  automatic: true,
  after: 30_000,
  reconnect: 30_000,
  restart: 60_000,
  off: 10_000,
  boot: 90_000,
  perDay: 3,
  probed: true,
  process: 'camera',
  port,
  power: null,
  spared: null,
};

export interface World {
  health: RepairFacts['health'];
  since: number;
  reachable: boolean | null;
  emergency: string | null;
  running: boolean;
  ill: number;
  of: number;
  others: number;
  holder: string | null;
  cutting: number;
  obeys: boolean;
}

export interface Done {
  readonly at: number;
  readonly act: RepairAct;
}

/** Plays seconds. What the ladder holds is what the outputs are, unless the world does not obey. */
export function createPlay(given: Partial<RepairPlan> = {}, start = 1_800_000_000_000) {
  const used = { ...plan, ...given };
  const world: World = {
    health: 'well',
    since: start,
    reachable: true,
    emergency: null,
    running: true,
    ill: 1,
    of: 4,
    others: 0,
    holder: null,
    cutting: 0,
    obeys: true,
  };
  const held = new Map<PointRef, boolean>();
  const restarted: number[] = [];
  const done: Done[] = [];
  let now = start;
  let record: RepairRecord | null = null;
  const facts = (): RepairFacts => ({
    now,
    health: world.health,
    since: world.since,
    message: 'no answer',
    probe: world.reachable === null ? null : { reachable: world.reachable, at: now },
    driver: { isRunning: world.running, ill: world.ill, of: world.of, canRestart: true, restarted },
    emergency: world.emergency,
    cutting: world.cutting,
    output: (ref) => ({
      on: world.obeys ? (held.get(ref) ?? true) : true,
      holder: world.holder,
      isDead: false,
      others: world.others,
    }),
  });
  const take = (acts: readonly RepairAct[]) => {
    for (const act of acts) {
      done.push({ at: now - start, act });
      if (act.kind === 'hold') held.set(act.ref, act.value);
      if (act.kind === 'relinquish') held.delete(act.ref);
      if (act.kind === 'restart') restarted.push(now);
    }
  };
  return {
    world,
    held,
    done,
    get record(): RepairRecord | null {
      return record;
    },
    /** Seconds since the start of the play. */
    get seconds(): number {
      return (now - start) / 1_000;
    },
    fail(): void {
      world.health = 'ill';
      world.since = now;
    },
    mend(): void {
      world.health = 'well';
    },
    look(): void {
      const next = advance(used, record, facts());
      record = next.record;
      take(next.acts);
    },
    run(seconds: number, each?: () => void): void {
      for (let i = 0; i < seconds; i++) {
        now += 1_000;
        each?.();
        this.look();
      }
    },
    jump(ms: number): void {
      now += ms;
    },
    byHand(step: RepairStep): string | null {
      const next = startByHand(used, record, step, facts());
      record = next.record;
      take(next.acts);
      return next.refused;
    },
    /** `restart` of the process: what is remembered goes through JSON. */
    forgetNothing(): void {
      record = JSON.parse(JSON.stringify(record)) as RepairRecord | null; // what was just written
    },
    /** `done 30`, as a table that people can read. */
    get story(): string[] {
      return (record?.steps ?? []).map(
        ({ step, state, outcome }) => `${step} ${state}${outcome ? `: ${outcome}` : ''}`,
      );
    },
    get acts(): string[] {
      return done.map(({ at, act }) => {
        const what = act.kind === 'hold' ? ` ${act.ref}=${act.value}` : act.kind === 'relinquish' ? ` ${act.ref}` : '';
        return `${at / 1_000} ${act.kind}${what}`;
      });
    },
  };
}
