import type { Device } from '#edge/domain/device.ts';
import type { DemandPlan, EnergyMeter } from '#edge/domain/energy.ts';
import type { DeviceId, PointName, PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Hold, OutputState } from '#edge/domain/output.ts';
import type { Quality, Reading, Value } from '#edge/domain/reading.ts';
import { DemandDesk } from '#edge/processes/core/demand-desk.ts';
import type { AlarmDecision, Decision } from '#edge/rules/decision.ts';
import { arbitrate } from '#edge/rules/priorities.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import type { Batch } from '#edge/store/batch.ts';

/* A main meter, two loads that others may hold too, and the desk that keeps the limit. */

const name = { zh: '表', en: 'meter' };
export const power = 'meter-main/power' as PointRef;
const energy = 'meter-main/energy_import' as PointRef;
export const heater = 'relay-1/relay_8' as PointRef;
export const cooler = 'relay-1/relay_5' as PointRef;
const loads = [heater, cooler];

const main: EnergyMeter = {
  id: 'main',
  name,
  medium: 'electricity',
  buildings: [],
  source: {
    kind: 'real',
    device: 'meter-main' as DeviceId,
    energy: { ref: energy, factor: 1 },
    power: { ref: power, factor: 0.001 },
  },
};

export const load = (output: PointRef) => ({
  output,
  value: false,
  power: 20,
  minOff: 60_000,
  maxOff: 1_800_000,
  minOn: 60_000,
});
export const plan: DemandPlan = {
  meter: 'main',
  limit: 100,
  window: 900_000,
  kind: 'fixed',
  tiers: [{ id: 'heat', name, loads: loads.map(load) }],
  protected: { outputs: [], zones: [], spaces: [] },
  stagger: 10_000,
};
const device = (id: string): Device => ({
  id: id as DeviceId,
  name,
  profile: 'relay/x',
  protocol: 'modbus',
  zone: 'school' as ZoneId,
  points: [],
  address: {},
});

export function startRoom(first: readonly DemandPlan[] = [plan]) {
  const clock = new ManualClock(1_800_000_000_000);
  const holds = new Map<string, Hold>();
  const decisions: AlarmDecision[] = [];
  const campus = {
    kilowatts: 80 as number | null,
    counted: 5_000,
    on: new Map<PointRef, boolean>(loads.map((ref) => [ref, true])),
    /** Every switching, as `relay_8 on`. */
    switched: [] as string[],
    /** A board that is away obeys nobody, and is not read. */
    isAway: false,
    /** ms: by so much the meter's clock is ahead. */
    ahead: 0,
    /** Outputs that can be commanded at all. */
    known: [...loads] as PointRef[],
  };
  const room = { stored: {} as Record<string, unknown>, demand: first, told: 0 };
  const confirmed = new Map<PointRef, OutputState['confirmed']>();
  const reading = (
    ref: PointRef,
    value: Value,
    unit: string,
    { quality = 'good' as Quality, ahead = 0 } = {},
  ): [PointRef, Reading] => {
    const [id = '', point = ''] = ref.split('/');
    const receivedTime = clock.now();
    const about = { ref, device: id as DeviceId, point: point as PointName, unit, quality };
    return [ref, { ...about, value, sourceTime: receivedTime + ahead, receivedTime }];
  };
  /** What is switched off is not drawn. */
  const drawn = () => (campus.kilowatts ?? 0) - 20 * [...campus.on.values()].filter((on) => !on).length;
  const latest = () =>
    new Map<PointRef, Reading>([
      ...(campus.kilowatts === null
        ? []
        : [
            reading(power, drawn() * 1_000, 'W', { ahead: campus.ahead }),
            reading(energy, campus.counted, 'kW.h', { ahead: campus.ahead }),
          ]),
      ...loads.map((ref) => reading(ref, campus.on.get(ref) === true, '', { quality: campus.isAway ? 'bad' : 'good' })),
    ]);
  const stackOf = (ref: PointRef) =>
    arbitrate(
      [...holds.values()].filter((hold) => hold.ref === ref),
      clock.now(),
    );
  const outputs = (): OutputState[] =>
    campus.known.map((ref) => {
      const { winner, stack } = stackOf(ref);
      return {
        ref,
        value: winner?.value ?? null,
        holder: winner?.owner ?? null,
        priority: winner?.priority ?? null,
        reason: '',
        since: 0,
        until: winner?.until ?? null,
        stack,
        confirmed: confirmed.get(ref) ?? null,
        next: null,
        waiting: null,
        forbidden: [],
        local: null,
      };
    });
  /** Devices do what whoever is strongest wants. */
  const obey = () => {
    for (const [key, { until }] of holds) if (until !== null && until <= clock.now()) holds.delete(key);
    if (campus.isAway) return;
    for (const ref of loads) {
      const { winner } = stackOf(ref);
      if (winner === null) continue;
      const on = winner.value === true;
      if (campus.on.get(ref) !== on) campus.switched.push(`${ref.split('/')[1]} ${on ? 'on' : 'off'}`);
      campus.on.set(ref, on);
      if (confirmed.get(ref)?.value !== on) confirmed.set(ref, { value: on, outcome: 'done', time: clock.now() });
    }
  };
  const open = () =>
    new DemandDesk({
      plan: { meters: [main], demand: room.demand },
      devices: [device('meter-main'), device('relay-1')],
      latest,
      commands: {
        outputs,
        setInterlockHolds: (changes: readonly Decision[]) => {
          room.told += changes.length;
          for (const change of changes) {
            if (change.kind === 'relinquish') holds.delete(`${change.owner} ${change.ref}`);
            if (change.kind !== 'hold') continue;
            const { owner, ref, value, priority, reason, lasts } = change;
            const until = lasts === null ? null : clock.now() + lasts;
            const since =
              holds.get(`${owner} ${ref}`)?.value === value ? (holds.get(`${owner} ${ref}`)?.since ?? 0) : clock.now();
            holds.set(`${owner} ${ref}`, { owner, ref, value, priority, reason, since, until });
          }
          obey();
        },
      },
      decide: (some) => void decisions.push(...some),
      commit: (batch: Batch) => {
        for (const [key, value] of Object.entries(batch.state ?? {})) {
          if (value === null) delete room.stored[key];
          else room.stored[key] = JSON.parse(JSON.stringify(value));
        }
      },
      stored: { ...room.stored },
      clock,
      every: 3_600_000,
    });
  /** Somebody else takes an output, or lets go of it. */
  const take = (owner: string, ref: PointRef, value: Value | null, priority: Hold['priority'], lasts = 86_400_000) => {
    const since = clock.now();
    if (value === null) holds.delete(`${owner} ${ref}`);
    else holds.set(`${owner} ${ref}`, { owner, ref, value, priority, reason: '', since, until: since + lasts });
    obey();
  };
  /** Seconds pass; without a desk nobody looks. */
  const pass = (desk: DemandDesk | null, seconds: number) => {
    for (let i = 0; i < seconds; i += 5) {
      clock.advance(5_000);
      obey();
      campus.counted += (drawn() * 5) / 3_600;
      desk?.look();
    }
  };
  return { clock, holds, decisions, campus, room, open, pass, take };
}
