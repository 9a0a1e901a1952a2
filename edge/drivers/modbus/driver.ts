import type { Device } from '#edge/domain/device.ts';
import type { Profile } from '#edge/profiles/profile.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Driver, Session, Sink } from '../driver.ts';
import type { PortSource } from '../ports/port.ts';
import { bitsPerCharacter, serialPort } from '../ports/serial.ts';
import { tcpPort } from '../ports/tcp.ts';
import type { ModbusConfig } from './config.ts';
import { parseModbusConfig } from './config.ts';
import { Line } from './line.ts';
import { requestOverhead } from './planner.ts';
import { ModbusSession } from './session.ts';

export interface ModbusDriverOptions {
  readonly clock: Clock;
  /** By path (`meter/eastron-sdm630`): bus limits and plausibility checks of a device come from its profile. */
  readonly profiles: ReadonlyMap<string, Profile>;
  /** Back-off between connection attempts, ms. Default 1 s to 30 s. */
  readonly reconnect?: { readonly first: number; readonly cap: number };
}

/** How a device is reached: which port, how it is framed, and what one more request costs there. */
interface Way {
  readonly source: PortSource;
  readonly framing: 'mbap' | 'rtu';
  readonly frameGap: number;
  readonly overhead: number;
}

function wayOf(config: ModbusConfig): Way {
  if ('tcp' in config)
    return { source: tcpPort(config.tcp), framing: 'mbap', frameGap: 0, overhead: requestOverhead('tcp') };
  if ('rtuOverTcp' in config) {
    const { baud } = config.rtuOverTcp;
    const overhead = requestOverhead({ baud, bitsPerCharacter: 10 });
    // The gateway keeps the silences of its line itself.
    return { source: tcpPort(config.rtuOverTcp), framing: 'rtu', frameGap: 0, overhead };
  }
  const bits = bitsPerCharacter(config.serial);
  const frameGap = config.serial.baud > 19_200 ? 1.75 : (3.5 * 1000 * bits) / config.serial.baud;
  const overhead = requestOverhead({ baud: config.serial.baud, bitsPerCharacter: bits });
  return { source: serialPort(config.serial), framing: 'rtu', frameGap, overhead };
}

/** Modbus TCP, RTU over TCP and serial RTU. Devices on the same address share one line and its queue. */
export function createModbusDriver(options: ModbusDriverOptions): Driver<ModbusConfig> {
  const lines = new Map<string, { line: Line; users: number; framing: 'mbap' | 'rtu' }>();

  const acquire = ({ source, framing, frameGap }: Way): { line: Line; release: () => Promise<void> } => {
    const { clock, reconnect } = options;
    const known = lines.get(source.key) ?? {
      line: new Line({ source, framing, clock, frameGap, ...(reconnect === undefined ? {} : { reconnect }) }),
      users: 0,
      framing,
    };
    if (known.framing !== framing) {
      throw new CodedError('DEVICE_CONFIG', `address: another device speaks ${known.framing} to ${source.label}`);
    }
    known.users++;
    lines.set(source.key, known);
    let released = false;
    const release = async () => {
      if (released) return;
      released = true;
      known.users--;
      if (known.users > 0) return;
      lines.delete(source.key);
      await known.line[Symbol.asyncDispose]();
    };
    return { line: known.line, release };
  };

  const open = async (device: Device, config: ModbusConfig, sink: Sink, signal: AbortSignal): Promise<Session> => {
    const profile = options.profiles.get(device.profile);
    if (profile?.protocol !== 'modbus') {
      throw new CodedError('DEVICE_CONFIG', `profile: ${device.profile} is not a Modbus profile`);
    }
    const way = wayOf(config);
    const { line, release } = acquire(way);
    const { clock } = options;
    const { overhead } = way;
    try {
      return new ModbusSession({ device, profile, config, line, overhead, sink, clock, signal, release });
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
      const all = [...lines.values()];
      lines.clear();
      await Promise.all(all.map(({ line }) => line[Symbol.asyncDispose]()));
    },
  };
}
