import type { Clock } from '#edge/runtime/clock.ts';
import { dlt645Data, type NamePlate } from './meter-dlt645-data.ts';
import type { ElectricFace } from './meter-electric.ts';
import { bcdDigits, dlt645Frame, openDlt645 } from './meter-frames.ts';

/* A DL/T 645-2007 meter on a line: addresses, reading with follow-up frames, the relay behind its password, freezing, errors. */

export interface Dlt645Options extends Pick<NamePlate, 'address' | 'model'> {
  readonly clock: Clock;
  readonly face: ElectricFace;
  /** Six digits, and the level it is for (PA): 02 is the usual one of the relay. */
  readonly password?: string;
  readonly level?: number;
  /** Wrong passwords in a row before it listens to none for a day. */
  readonly attempts?: number;
  /** Data bytes in one answer, at most 200; more goes into follow-up frames. */
  readonly longest?: number;
  /** Identifiers this meter refuses although the standard has them (blocks, often). */
  readonly lacks?: (di: string) => boolean;
}

export type Relay = 'closed' | 'open' | 'may-close';

export interface Dlt645Meter {
  readonly name: string;
  readonly protocol: 'dlt645';
  /** The answer to a frame on the line, without preamble; null: not for this meter, or to be done in silence. */
  hear(frame: Buffer): Buffer | null;
  readonly relay: () => Relay;
  /** Somebody presses the button on the case: closes the relay after `allow`. */
  pressButton(): void;
  readonly isLocked: () => boolean;
}

/** Bits of the error byte: standard table, 错误信息字. */
const errors = { other: 0x01, noData: 0x02, password: 0x04 } as const;
const lockTime = 24 * 3_600_000;

type Answer = { readonly control: number; readonly data: Buffer } | { readonly error: number } | 'nothing';

/** Whole bytes of AA from the high end stand for any digits. */
function isFor(wanted: Buffer, own: Buffer): boolean {
  return wanted.every((byte, i) => byte === own[i] || wanted.subarray(i).every((rest) => rest === 0xaa));
}

const everybody = Buffer.alloc(6, 0x99);

export function createDlt645Meter(options: Dlt645Options): Dlt645Meter {
  const own = bcdDigits(options.address);
  const relay = createRelay(options);
  const reader = createReader(options, relay);
  let offset = 0;
  const now = () => options.clock.now() + offset;

  const answer = (control: number, data: Buffer): Answer => {
    switch (control) {
      case 0x11:
        return reader.read(data, now());
      case 0x12:
        return reader.more(data);
      case 0x13:
        return { control: 0x93, data: own };
      case 0x08:
        offset = setClock(data, options.clock.now()) ?? offset;
        return 'nothing';
      case 0x16:
        options.face.freeze(now());
        return { control: 0x96, data: Buffer.alloc(0) };
      case 0x1c:
        return relay.control(data, now());
      default:
        return { error: errors.other };
    }
  };

  return {
    name: options.address,
    protocol: 'dlt645',
    hear(frame) {
      const { address, control, data } = openDlt645(frame);
      const isBroadcast = address.equals(everybody);
      // Reading takes abbreviated addresses; what changes something wants the whole one.
      const isOwn = control >= 0x11 && control <= 0x13 ? isFor(address, own) : address.equals(own);
      if (isBroadcast ? control !== 0x08 && control !== 0x16 : !isOwn) return null;
      const result = answer(control, data);
      if (result === 'nothing' || isBroadcast) return null;
      return 'error' in result
        ? dlt645Frame(own, control | 0xc0, Buffer.from([result.error]))
        : dlt645Frame(own, result.control, result.data);
    },
    relay: relay.state,
    pressButton: relay.pressButton,
    isLocked: () => relay.isLocked(now()),
  };
}

function createReader(options: Dlt645Options, relay: { state(): Relay }) {
  const { face, longest = 200 } = options;
  let rest: { di: Buffer; chunks: Buffer[]; next: number } | null = null;
  return {
    read(data: Buffer, now: number): Answer {
      const di = data.subarray(0, 4);
      const name = Buffer.from(di).reverse().toString('hex').toUpperCase();
      const plate = { address: options.address, serial: face.serial, model: options.model };
      const found = options.lacks?.(name)
        ? null
        : dlt645Data(face, plate, { now, isOpen: relay.state() !== 'closed' }, name);
      if (data.length < 4 || found === null) return { error: errors.noData };
      const chunks = Array.from({ length: Math.ceil(found.length / (longest - 4)) }, (_, i) =>
        found.subarray(i * (longest - 4), (i + 1) * (longest - 4)),
      );
      const [first = Buffer.alloc(0)] = chunks;
      rest = chunks.length > 1 ? { di: Buffer.from(di), chunks, next: 1 } : null;
      return { control: rest === null ? 0x91 : 0xb1, data: Buffer.concat([di, first]) };
    },
    /** DI and the number of the frame wanted, 1 for the first that follows. The same one may be asked for again. */
    more(data: Buffer): Answer {
      const seq = data[4] ?? 0;
      if (rest === null || !rest.di.equals(data.subarray(0, 4)) || seq < 1 || seq > rest.next) {
        return { error: errors.noData };
      }
      const chunk = rest.chunks[seq];
      if (chunk === undefined) return { error: errors.noData };
      rest.next = Math.max(rest.next, seq + 1);
      const isLast = seq === rest.chunks.length - 1;
      return { control: isLast ? 0x92 : 0xb2, data: Buffer.concat([rest.di, chunk, Buffer.from([seq])]) };
    },
  };
}

/**
 * PA P0 P1 P2 | C0..C3 (who) | N1 N2 (what, reserved) | N3..N8 (until when: ss mm hh DD MM YY).
 * What: 1A opens, 1B lets the button close, 1C closes, 3A keeps the power on whatever comes, 3B no longer.
 */
function createRelay({ password = '000000', level = 2, attempts = 3 }: Dlt645Options) {
  let state: Relay = 'closed';
  let isKept = false;
  let wrong = 0;
  let lockedUntil = 0;
  const secret = Buffer.concat([Buffer.from([level]), bcdDigits(password)]);
  const isLocked = (now: number) => now < lockedUntil;
  const act = (what: number): boolean => {
    if (what === 0x1a && isKept) return false;
    if (what === 0x1b && state !== 'open') return false;
    const states: Readonly<Record<number, Relay>> = { 26: 'open', 27: 'may-close', 28: 'closed' };
    if (what === 0x3a || what === 0x3b) isKept = what === 0x3a;
    else if (states[what] === undefined) return false;
    state = states[what] ?? state;
    return true;
  };
  return {
    state: () => state,
    isLocked,
    pressButton() {
      if (state === 'may-close') state = 'closed';
    },
    control(data: Buffer, now: number): Answer {
      if (data.length !== 16) return { error: errors.other };
      if (isLocked(now)) return { error: errors.password };
      if (!data.subarray(0, 4).equals(secret)) {
        wrong++;
        if (wrong >= attempts) {
          lockedUntil = now + lockTime;
          wrong = 0;
        }
        return { error: errors.password };
      }
      wrong = 0;
      const until = timeOf(data.subarray(10, 16));
      if (until === null || until < now || !act(data[8] ?? 0)) return { error: errors.other };
      return { control: 0x9c, data: Buffer.alloc(0) };
    },
  };
}

/** ss mm hh DD MM YY of a clock in China, as ms since epoch; null: not BCD. */
function timeOf(bytes: Buffer): number | null {
  const parts = [...bytes].map((byte) => Number(byte.toString(16)));
  const [second = 0, minute = 0, hour = 0, day = 1, month = 1, year = 0] = parts;
  return parts.length < 6 || parts.some(Number.isNaN)
    ? null
    : Date.UTC(2000 + year, month - 1, day, hour, minute, second) - 8 * 3_600_000;
}

/** By how much the meter's clock is moved: a broadcast may move it by 5 minutes at most. */
function setClock(data: Buffer, now: number): number | null {
  const time = timeOf(data);
  return time === null || Math.abs(time - now) > 300_000 ? null : time - now;
}
