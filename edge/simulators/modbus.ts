import type { Value } from '#edge/domain/reading.ts';
import type { Profile } from '#edge/profiles/profile.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { type AirConditioner, createAirConditioner } from './air-conditioner.ts';
import { School, type SchoolMeterName } from './meter-campus.ts';
import type { ElectricMeter } from './meter-electric.ts';
import type { SimFault, SimRequest, SimUnit } from './modbus-server.ts';
import { startModbusServer } from './modbus-server.ts';
import { profileUnit, relayUnit } from './modbus-units.ts';

/** Where the virtual devices are: four on one Modbus TCP address, four behind an RTU-over-TCP gateway. */
export const modbusCampusUnits = {
  mainMeter: 1,
  canteenMeter: 2,
  relays: 10,
  /** The lighting panel of the second floor. */
  lights: 11,
  dormitoryMeter: 1,
  teachingMeter: 2,
  dataRoomMeter: 3,
  /** Behind the serial line of the second floor: the gateway of the air conditioner of room 203. */
  air: 4,
} as const;

export interface ModbusCampusOptions {
  readonly clock: Clock;
  readonly host: string;
  /** Modbus TCP: units 1 and 2 are SDM630 meters, unit 10 the 8-channel relay. 0 takes a free port. */
  readonly tcpPort: number;
  /** RTU over TCP: units 1 to 3 are DTSU666. */
  readonly rtuPort: number;
  /** By path, as `loadProfiles` gives them; the three Modbus profiles must be there. */
  readonly profiles: ReadonlyMap<string, Profile>;
  /** What flows through the meters; default a school of its own. */
  readonly school?: School;
  /** Of room 203; default one of its own. */
  readonly air?: AirConditioner;
}

export interface ModbusCampus extends AsyncDisposable {
  readonly tcpPort: number;
  readonly rtuPort: number;
  readonly control: {
    /** About 75 A more on L1 of the main meter, 115 A at least, through relay channel 8: switching that off ends it. */
    setOverload(on: boolean): void;
    /** State of the relay channels, first = channel 1. */
    relays(): readonly boolean[];
    /** Circuits of the lighting panel of the second floor; the third is room 203. */
    lights(): readonly boolean[];
    /** What goes wrong with answers from now on; null: nothing. */
    setFault(fault: ((request: SimRequest) => SimFault | null) | null): void;
  };
}

/** What a meter shows, by the names its profile uses. */
function meterValue(meter: ElectricMeter, name: string): Value {
  const { power, powerFactor } = meter;
  const total = power.reduce((sum, watts) => sum + watts, 0);
  const [, quantity = name, phase] = /^(.*)_l([123])$/.exec(name) ?? [];
  if (phase !== undefined) {
    const perPhase: Readonly<Record<string, readonly number[]>> = {
      voltage: meter.voltage,
      current: meter.current,
      power,
    };
    return perPhase[quantity]?.[Number(phase) - 1] ?? 0;
  }
  const whole: Readonly<Record<string, () => Value>> = {
    // A 32-bit register: the last digits of the number on the case.
    serial: () => String(Number(meter.serial.slice(-8))),
    power: () => total,
    apparent_power: () => total / powerFactor,
    reactive_power: () => total * Math.tan(Math.acos(powerFactor)),
    power_factor: () => powerFactor,
    frequency: () => meter.frequency,
    energy_import: () => meter.energy(0) / 100,
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
  const school = options.school ?? new School({ clock });
  const relays = [...school.relays()];
  const lights = Array.from({ length: 8 }, () => false);
  const air = options.air ?? createAirConditioner();
  let fault: ((request: SimRequest) => SimFault | null) | null = null;
  const unitOf = (path: string, name: SchoolMeterName): SimUnit => {
    const unit = profileUnit(profile(path), (value) => shown(value, meterValue(school.meters[name], value)));
    // One look at the clock for all registers of a request: what a meter answers is of one moment.
    const read: SimUnit['read'] = (...where) => {
      school.advance();
      return unit.read(...where);
    };
    return { ...unit, read };
  };
  type Placed = readonly (readonly [number, string, SchoolMeterName])[];
  const server = (framing: 'mbap' | 'rtu', port: number, placed: Placed, others: readonly [number, SimUnit][]) => {
    const names = new Map(placed.map(([unit, , name]) => [unit, name]));
    return startModbusServer({
      host,
      port,
      framing,
      fault: (request) => {
        const name = names.get(request.unit);
        return name !== undefined && school.meters[name].isDead ? { kind: 'dropped' } : (fault?.(request) ?? null);
      },
      units: new Map([...placed.map(([unit, path, name]): [number, SimUnit] => [unit, unitOf(path, name)]), ...others]),
    });
  };

  const { mainMeter, canteenMeter, relays: board, dormitoryMeter, teachingMeter, dataRoomMeter } = modbusCampusUnits;
  const { lights: panel, air: gateway } = modbusCampusUnits;
  const [sdm630, dtsu666] = ['meter/eastron-sdm630', 'meter/chint-dtsu666'] as const;
  await using started = new AsyncDisposableStack();
  const tcp = started.use(
    await server(
      'mbap',
      tcpPort,
      [
        [mainMeter, sdm630, 'main'],
        [canteenMeter, sdm630, 'canteen'],
      ],
      [
        [board, relayUnit(relays, (channel, on) => school.switch(channel, on))],
        [panel, relayUnit(lights)],
      ],
    ),
  );
  const rtu = started.use(
    await server(
      'rtu',
      rtuPort,
      [
        [dormitoryMeter, dtsu666, 'dormitory'],
        [teachingMeter, dtsu666, 'teaching'],
        [dataRoomMeter, dtsu666, 'data-room'],
      ],
      [[gateway, air.unit]],
    ),
  );
  const all = started.move();
  return {
    tcpPort: tcp.port,
    rtuPort: rtu.port,
    control: {
      setOverload: (on) => school.setOverload(on),
      relays: () => school.relays(),
      lights: () => [...lights],
      setFault(next) {
        fault = next;
      },
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
