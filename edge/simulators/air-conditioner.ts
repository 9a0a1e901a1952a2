import type { SimUnit } from './modbus-server.ts';

/** The air conditioner of a classroom behind its gateway: registers as device-profiles/ac/onokom-gr-1 has them. */
export interface AirConditioner {
  readonly unit: SimUnit;
  readonly isOn: boolean;
  readonly mode: AirMode;
  /** Cel. */
  readonly setpoint: number;
  /** Cel; the room tells it. */
  roomTemperature: number;
  /** What it pulls the room towards now, Cel; null: it is off, only blows, or has nothing to do. */
  pullsTo(): number | null;
}

const modes = { 1: 'heat', 2: 'cool', 3: 'auto', 4: 'dry', 5: 'fan' } as const;
export type AirMode = (typeof modes)[keyof typeof modes];

const illegalAddress = 2;
const illegalValue = 3;
const outdoor = 8;
/** Cel: it starts and stops so far beside what is set. */
const hysteresis = 0.3;

export function createAirConditioner(): AirConditioner {
  const state = { isOn: false, mode: 1, setpoint: 2_000, fan: 0, room: 20 };
  const modeNow = (): AirMode => modes[state.mode as keyof typeof modes] ?? 'fan';
  const pullsTo = (): number | null => {
    const setpoint = state.setpoint / 100;
    const mode = modeNow();
    if (!state.isOn || mode === 'fan') return null;
    const isCold = state.room < setpoint - hysteresis;
    const isWarm = state.room > setpoint + hysteresis;
    if (mode === 'heat') return isWarm ? null : setpoint + hysteresis;
    if (mode === 'cool' || mode === 'dry') return isCold ? null : setpoint - hysteresis;
    return isCold || isWarm ? setpoint : null;
  };
  const thermostat = () => {
    const target = pullsTo();
    return target === null ? 0 : target >= state.room ? 1 : 2;
  };
  /** Holding registers 1 to 7, signed. */
  const holding = (): readonly number[] => [
    ...[state.mode, state.isOn ? state.mode : 0, Math.round(state.room * 100), outdoor * 100],
    ...[state.setpoint, thermostat(), state.fan],
  ];
  const set = (register: number, value: number): boolean => {
    if (register === 1 && value >= 1 && value <= 5) state.mode = value;
    else if (register === 5 && value >= 1_600 && value <= 3_000) state.setpoint = value;
    else if (register === 7 && value >= 0 && value <= 5) state.fan = value;
    else return false;
    return true;
  };
  return {
    unit: {
      read(table, at, count) {
        if (table === 'coil') return at === 1 && count === 1 ? Buffer.from([state.isOn ? 1 : 0]) : illegalAddress;
        if (table !== 'holding' || at < 1 || at + count > 8) return illegalAddress;
        const bytes = Buffer.alloc(2 * count);
        for (const [n, value] of holding()
          .slice(at - 1, at - 1 + count)
          .entries())
          bytes.writeInt16BE(value, 2 * n);
        return bytes;
      },
      write(at, values) {
        if (!Buffer.isBuffer(values)) {
          if (at !== 1 || values.length !== 1) return illegalAddress;
          state.isOn = values[0] === true;
          return 0;
        }
        for (let n = 0; n < values.length / 2; n++)
          if (!set(at + n, values.readInt16BE(2 * n)))
            return [1, 5, 7].includes(at + n) ? illegalValue : illegalAddress;
        return 0;
      },
    },
    get isOn() {
      return state.isOn;
    },
    get mode() {
      return modeNow();
    },
    get setpoint() {
      return state.setpoint / 100;
    },
    get roomTemperature() {
      return state.room;
    },
    set roomTemperature(celsius) {
      state.room = celsius;
    },
    pullsTo,
  };
}
