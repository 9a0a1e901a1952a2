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
import type { Dlt645Config } from './config.ts';
import { anyMeter, parseDlt645Config } from './config.ts';
import { Relays } from './relay.ts';
import { Dlt645Talk } from './talk.ts';

export interface Dlt645DriverOptions {
  readonly clock: Clock;
  /** By path (`meter/dlt645-three-phase`): how a model is asked comes from its profile. */
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly buses: Buses;
}

/** A meter answers within half a second of the request's end (DL/T 645-2007, 5.1); serial servers hesitate too. */
const thinking = 1_000;

/** DL/T 645-2007 meters on serial lines, of this machine or behind serial servers, together with whatever else is spoken there. */
export function createDlt645Driver(options: Dlt645DriverOptions): Driver<Dlt645Config> {
  const { clock, profiles, buses } = options;
  const relays = new Relays(clock);
  const tenants = new Tenants();

  const open = async (device: Device, config: Dlt645Config, sink: Sink, signal: AbortSignal): Promise<Session> => {
    const profile = profiles.get(device.profile);
    if (profile?.protocol !== 'dlt645') {
      throw new CodedError('DEVICE_CONFIG', `profile: ${device.profile} is not a DL/T 645 profile`);
    }
    const line = lineOf(config, profile.bus.serial);
    const isSerial = 'serial' in config;
    const source = isSerial ? serialPort({ ...line, path: config.serial.path }) : tcpPort(config.tcp);
    const frameGap = isSerial ? frameGapOf(line) : 0;
    const meter = profile.bus.address === 'read' ? anyMeter : config.meter;
    await using stack = new AsyncDisposableStack();
    stack.defer(tenants.enter(source.key, device.id, meter === anyMeter));
    const { bus, release } = buses.acquire({ source, line: { frameGap }, speaks: 'DL/T 645', device: device.id });
    stack.defer(release);
    const patience = config.timeout ?? profile.bus.timeout ?? thinking;
    const perByte = (1_000 * bitsPerCharacter(line)) / line.baud;
    const talk = new Dlt645Talk({
      device,
      config: { ...config, meter },
      preamble: profile.bus.preamble,
      hasBlocks: profile.bus.block,
      label: bus.label,
      bus,
      clock,
      relays,
      request: ({ question, bytes }, { urgency, signal: ending }) =>
        bus.ask(question, {
          urgency,
          timeout: Math.ceil(patience + bytes * perByte),
          lateWindow: config.lateWindow,
          pause: profile.bus.pause,
          signal: ending,
          count: (word) => sink.count(word),
          device: device.id,
        }),
    });
    const held = stack.move();
    return new MeterSession({ device, talk, sink, clock, signal, release: () => held.disposeAsync() });
  };

  return {
    protocol: 'dlt645',
    config: { parse: parseDlt645Config },
    open,
    // The lines belong to `buses`; each session gives its own back.
    [Symbol.asyncDispose]: async () => {},
  };
}
