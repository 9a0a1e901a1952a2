import type { Value } from '#edge/domain/reading.ts';
import type { Profile } from '#edge/profiles/profile.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { LoadState } from './modbus-load.ts';
import { circuits, Feeder } from './modbus-load.ts';
import type { SimFault, SimRequest } from './modbus-server.ts';
import { startModbusServer } from './modbus-server.ts';
import { profileUnit, relayUnit } from './modbus-units.ts';

/** Where the virtual devices are: three on one Modbus TCP address, one behind an RTU-over-TCP gateway. */
export const modbusCampusUnits = { mainMeter: 1, canteenMeter: 2, relays: 10, dormitoryMeter: 1 } as const;

export interface ModbusCampusOptions {
  readonly clock: Clock;
  readonly host: string;
  /** Modbus TCP: units 1 and 2 are SDM630 meters, unit 10 the 8-channel relay. 0 takes a free port. */
  readonly tcpPort: number;
  /** RTU over TCP: unit 1 is a DTSU666. */
  readonly rtuPort: number;
  /** By path, as `loadProfiles` gives them; the three Modbus profiles must be there. */
  readonly profiles: ReadonlyMap<string, Profile>;
}

export interface ModbusCampus extends AsyncDisposable {
  readonly tcpPort: number;
  readonly rtuPort: number;
  readonly control: {
    /** About 75 A more on L1 of the main meter, through relay channel 8: switching that off ends it. */
    setOverload(on: boolean): void;
    /** State of the relay channels, first = channel 1. */
    relays(): readonly boolean[];
    /** What goes wrong with answers from now on; null: nothing. */
    setFault(fault: ((request: SimRequest) => SimFault | null) | null): void;
  };
}

/** What a meter of this feeder shows, by the names its profile uses. */
function meterValue(feeder: Feeder, name: string): Value {
  const state = feeder.now();
  const total = state.power.reduce((sum, watts) => sum + watts, 0);
  const [, quantity = name, phase] = /^(.*)_l([123])$/.exec(name) ?? [];
  if (phase !== undefined) {
    const perPhase: Readonly<Record<string, readonly number[]>> = {
      voltage: state.voltage,
      current: state.current,
      power: state.power,
    };
    return perPhase[quantity]?.[Number(phase) - 1] ?? 0;
  }
  const whole: Readonly<Record<string, () => number>> = {
    power: () => total,
    apparent_power: () => total / state.powerFactor,
    reactive_power: () => total * Math.tan(Math.acos(state.powerFactor)),
    power_factor: () => state.powerFactor,
    frequency: () => state.frequency,
    energy_import: () => feeder.energy(),
  };
  return whole[name]?.() ?? 0;
}

/** A meter shows what its display resolves: 0.1 V, 10 mA, 1 W, 10 mHz, 10 Wh. */
function shown(name: string, value: Value): Value {
  if (typeof value !== 'number') return value;
  const digits = /^voltage/.test(name)
    ? 1
    : /^(current|frequency|energy)/.test(name)
      ? 2
      : name === 'power_factor'
        ? 3
        : 0;
  return Number(value.toFixed(digits));
}

/** Starts the meters and the relay. They speak only through their sockets. */
export async function startModbusCampus(options: ModbusCampusOptions): Promise<ModbusCampus> {
  const { clock, host, tcpPort, rtuPort, profiles } = options;
  const profile = (path: string): Profile => {
    const found = profiles.get(path);
    if (found === undefined) throw new CodedError('SIMULATOR_PROFILE', `the virtual campus needs the profile ${path}`);
    return found;
  };
  const relays = circuits.map(() => true);
  let overload = false;
  let fault: ((request: SimRequest) => SimFault | null) | null = null;
  const load = (): LoadState => ({ relays, overload });
  const main = new Feeder({ clock, seed: 1, base: 6_000, switched: 'with-circuits', energy: 48_213.6 }, load);
  const canteen = new Feeder({ clock, seed: 2, base: 4_000, switched: 'without-circuits', energy: 12_877.2 }, load);
  const dormitory = new Feeder({ clock, seed: 3, base: 2_500, switched: 'without-circuits', energy: 7_340.9 }, load);
  const meter = (path: string, feeder: Feeder) =>
    profileUnit(profile(path), (name) => shown(name, meterValue(feeder, name)));
  const ask = (request: SimRequest) => fault?.(request) ?? null;

  await using started = new AsyncDisposableStack();
  const tcp = started.use(
    await startModbusServer({
      host,
      port: tcpPort,
      framing: 'mbap',
      fault: ask,
      units: new Map([
        [modbusCampusUnits.mainMeter, meter('meter/eastron-sdm630', main)],
        [modbusCampusUnits.canteenMeter, meter('meter/eastron-sdm630', canteen)],
        [modbusCampusUnits.relays, relayUnit(relays)],
      ]),
    }),
  );
  const rtu = started.use(
    await startModbusServer({
      host,
      port: rtuPort,
      framing: 'rtu',
      fault: ask,
      units: new Map([[modbusCampusUnits.dormitoryMeter, meter('meter/chint-dtsu666', dormitory)]]),
    }),
  );
  const all = started.move();
  return {
    tcpPort: tcp.port,
    rtuPort: rtu.port,
    control: {
      setOverload(on) {
        overload = on;
      },
      relays: () => [...relays],
      setFault(next) {
        fault = next;
      },
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
