import type { Device } from '#edge/domain/device.ts';
import type { Profile } from '#edge/profiles/profile.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Driver, Session, Sink } from '../driver.ts';
import type { Buses, BusUse } from '../ports/buses.ts';
import { createBuses } from '../ports/buses.ts';
import { bitsPerCharacter, frameGapOf, serialPort } from '../ports/serial.ts';
import { tcpPort } from '../ports/tcp.ts';
import type { ModbusConfig } from './config.ts';
import { parseModbusConfig } from './config.ts';
import type { LearnedFacts } from './learned.ts';
import { mbapLink } from './mbap-link.ts';
import { requestOverhead } from './planner.ts';
import { ModbusSession } from './session.ts';

export interface ModbusDriverOptions {
  readonly clock: Clock;
  /** By path (`meter/eastron-sdm630`): bus limits and plausibility checks of a device come from its profile. */
  readonly profiles: ReadonlyMap<string, Profile>;
  /** The lines of this process; absent: lines of its own, for a tool that tries one device. */
  readonly buses?: Buses;
  /** Keeps what devices taught us over restarts; absent: it is learned anew each time. */
  readonly learned?: LearnedFacts;
  /** Without `buses`: back-off between connection attempts, ms. Default 1 s to 30 s. */
  readonly reconnect?: { readonly first: number; readonly cap: number };
}

/** How a device is reached, and what one more request costs there. */
interface Way extends BusUse {
  readonly overhead: number;
}

function wayOf(config: ModbusConfig): Way {
  if ('tcp' in config) {
    const overhead = requestOverhead('tcp');
    return { source: tcpPort(config.tcp), line: { frameGap: 0 }, speaks: 'Modbus TCP', kind: mbapLink, overhead };
  }
  const speaks = 'Modbus RTU';
  if ('rtuOverTcp' in config) {
    const overhead = requestOverhead({ baud: config.rtuOverTcp.baud, bitsPerCharacter: 10 });
    // The gateway keeps the silences of its line itself.
    return { source: tcpPort(config.rtuOverTcp), line: { frameGap: 0 }, speaks, overhead };
  }
  const { serial } = config;
  const overhead = requestOverhead({ baud: serial.baud, bitsPerCharacter: bitsPerCharacter(serial) });
  return { source: serialPort(serial), line: { frameGap: frameGapOf(serial) }, speaks, overhead };
}

/** Modbus TCP, RTU over TCP and serial RTU. Devices on the same address share one bus and its queue. */
export function createModbusDriver(options: ModbusDriverOptions): Driver<ModbusConfig> {
  const { clock, profiles, reconnect, learned } = options;
  const own =
    options.buses === undefined ? createBuses({ clock, ...(reconnect === undefined ? {} : { reconnect }) }) : null;
  const buses = options.buses ?? own;

  const open = async (device: Device, config: ModbusConfig, sink: Sink, signal: AbortSignal): Promise<Session> => {
    const profile = profiles.get(device.profile);
    if (profile?.protocol !== 'modbus' || buses === null) {
      throw new CodedError('DEVICE_CONFIG', `profile: ${device.profile} is not a Modbus profile`);
    }
    const { overhead, ...way } = wayOf(config);
    const { bus, release } = buses.acquire({ ...way, device: device.id });
    try {
      const common = { device, profile, config, bus, overhead, sink, clock, signal, release };
      return new ModbusSession({ ...common, ...(learned === undefined ? {} : { learned }) });
    } catch (error) {
      await release();
      throw error;
    }
  };

  return {
    protocol: 'modbus',
    config: { parse: parseModbusConfig },
    open,
    async [Symbol.asyncDispose]() {
      await own?.[Symbol.asyncDispose]();
    },
  };
}
