import type { Device } from '#edge/domain/device.ts';
import type { Profile } from '#edge/profiles/profile.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Driver, Session, Sink } from '../driver.ts';
import { MeterSession } from '../meter-session.ts';
import { lineOf, Tenants } from '../meter-way.ts';
import type { Buses } from '../ports/buses.ts';
import { bitsPerCharacter, frameGapOf, serialPort } from '../ports/serial.ts';
import { tcpPort } from '../ports/tcp.ts';
import type { Cjt188Config } from './config.ts';
import { anyMeter, parseCjt188Config } from './config.ts';
import { Cjt188Talk } from './talk.ts';

export interface Cjt188DriverOptions {
  readonly clock: Clock;
  /** By path (`water/cjt188-cold`): the kind of meter and the byte order of its maker come from its profile. */
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly buses: Buses;
}

/** Battery meters wake up first, and serial servers hesitate. */
const thinking = 1_500;

/** CJ/T 188-2004 meters of water, gas and heat on serial lines, together with whatever else is spoken there. */
export function createCjt188Driver(options: Cjt188DriverOptions): Driver<Cjt188Config> {
  const { clock, profiles, buses } = options;
  const tenants = new Tenants();

  const open = async (device: Device, config: Cjt188Config, sink: Sink, signal: AbortSignal): Promise<Session> => {
    const profile = profiles.get(device.profile);
    if (profile?.protocol !== 'cjt188') {
      throw new CodedError('DEVICE_CONFIG', `profile: ${device.profile} is not a CJ/T 188 profile`);
    }
    const line = lineOf(config, profile.bus.serial);
    const isSerial = 'serial' in config;
    const source = isSerial ? serialPort({ ...line, path: config.serial.path }) : tcpPort(config.tcp);
    const frameGap = isSerial ? frameGapOf(line) : 0;
    await using stack = new AsyncDisposableStack();
    stack.defer(tenants.enter(source.key, device.id, config.meter === anyMeter));
    const { bus, release } = buses.acquire({ source, line: { frameGap }, speaks: 'CJ/T 188', device: device.id });
    stack.defer(release);
    const patience = config.timeout ?? profile.bus.timeout ?? thinking;
    const perByte = (1_000 * bitsPerCharacter(line)) / line.baud;
    const { type, preamble, pause, di_order } = profile.bus;
    const talk = new Cjt188Talk({
      device,
      config,
      asked: { type: config.type ?? type, preamble, diOrder: di_order === '901F' ? 'printed' : 'turned' },
      label: bus.label,
      bus,
      request: ({ question, bytes }, ending) =>
        bus.ask(question, {
          urgency: 'read',
          timeout: Math.ceil(patience + bytes * perByte),
          lateWindow: config.lateWindow,
          pause,
          signal: ending,
          count: (word) => sink.count(word),
          device: device.id,
        }),
    });
    const held = stack.move();
    return new MeterSession({ device, talk, sink, clock, signal, release: () => held.disposeAsync() });
  };

  return {
    protocol: 'cjt188',
    config: { parse: parseCjt188Config },
    open,
    // The lines belong to `buses`; each session gives its own back.
    [Symbol.asyncDispose]: async () => {},
  };
}
