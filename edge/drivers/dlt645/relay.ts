import type { Command } from '#edge/domain/output.ts';
import { decodeDlt645 } from '#edge/profiles/decode-dlt645.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import type { WriteOutcome } from '../read-back.ts';
import { writeSwitch } from '../switch-write.ts';
import type { Dlt645Config } from './config.ts';
import { Dlt645Error } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { relayExchange } from './exchange.ts';
import type { Item } from './planner.ts';

/*
 * The relay in the meter has other masters: prepayment, overload and malicious-load protection, and the grid company. It is never
 * forced: who opened it closes it.
 */

/** Meters bar their password for a day after a few wrong ones (DL/T 645-2007, 7.10): one try is what we allow ourselves. */
const barred = 24 * 3_600_000;
const maxRelays = 1_024;

/** What was learned of one meter's relay. */
interface Known {
  /** Its password was refused: not sent again until then (monotonic). */
  refused: { readonly until: number; readonly message: string } | null;
  /** Bit 6 of its status word was seen set: it has the bit, which came with later versions of the standard. */
  hasCommandBit: boolean;
  /** It took the command to close and is open. */
  staysOpen: boolean;
}

/** The relays of one driver: sessions come and go, what was learned of a meter stays. */
export class Relays {
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  of(meter: string): Known {
    const known = this.#known.get(meter) ?? { refused: null, hasCommandBit: false, staysOpen: false };
    if (this.#known.size >= maxRelays && !this.#known.has(meter)) this.#known.clear();
    this.#known.set(meter, known);
    return known;
  }

  refuse(meter: string, message: string): void {
    this.of(meter).refused = { until: this.#clock.monotonic() + barred, message };
  }

  /** Why the password is not sent to this meter again; null: it may be. */
  whyNot(meter: string): string | null {
    const { refused } = this.of(meter);
    if (refused === null || refused.until <= this.#clock.monotonic()) return null;
    return `${refused.message}; it is not tried again for a day, so that the meter does not bar itself`;
  }
}

/** Status word 3 (04000503), annex C: bit 4 the relay is open, 6 the last command was to open, 12 supply is guaranteed. */
const statusWord = '04000503';
const commandBit = 6;
const guaranteedBit = 12;
const closingAllowed = 0x1b;

export interface RelayWrite {
  readonly item: Item;
  readonly command: Command;
  readonly clock: Clock;
  readonly config: Dlt645Config;
  readonly relays: Relays;
  readonly signal: AbortSignal;
  readonly lastWrite: number;
  written(): void;
  asked(): Promise<{ readonly meter: string; readonly preamble: number }>;
  /** Data of the item's own identifier. */
  data(): Promise<Buffer>;
  send(exchange: Exchange<void>): Promise<void>;
}

export async function writeRelay(relay: RelayWrite): Promise<WriteOutcome> {
  const { item, command, clock, config, relays, signal } = relay;
  const { point, address } = item;
  const { write } = address;
  if (write === undefined || point.write === undefined) {
    return { outcome: 'refused', message: `${point.name} cannot be written` };
  }
  const { password, operator } = config;
  if (password === undefined) return { outcome: 'refused', message: 'address.password: the relay needs it' };
  let asked: Awaited<ReturnType<RelayWrite['asked']>>;
  try {
    asked = await relay.asked();
  } catch (error) {
    return { outcome: 'failed', message: messageOf(error) };
  }
  const known = relays.of(asked.meter);
  const isStatusWord = address.di === statusWord;
  /** It was told to open last; null: it does not say. */
  let isToldToOpen: boolean | null = null;
  const read = async () => {
    const data = await relay.data();
    const { value } = decodeDlt645(address, data);
    if (isStatusWord && isSet(data, commandBit)) known.hasCommandBit = true;
    isToldToOpen = isStatusWord && known.hasCommandBit ? isSet(data, commandBit) : null;
    if (value === true) known.staysOpen = false;
    return { value, isGuaranteed: isStatusWord && isSet(data, guaranteedBit) };
  };
  const outcome = await writeSwitch({
    point,
    command,
    clock,
    signal,
    lastWrite: relay.lastWrite,
    look: async (wanted) => {
      const { value, isGuaranteed } = await read();
      if (value === wanted && isToldToOpen !== wanted) return { outcome: 'done', value };
      if (!wanted && isGuaranteed) return { ...guaranteed, ...(value === null ? {} : { value }) };
      if (wanted && (isToldToOpen === false || known.staysOpen)) return opened(write.on);
      const why = relays.whyNot(asked.meter);
      return why === null ? null : { outcome: 'refused', message: why };
    },
    send: async (wanted) => {
      relay.written();
      const expires = clock.now() + write.expiry;
      const code = wanted ? write.on : write.off;
      await relay.send(relayExchange(asked, { password, operator, command: code, expires }));
      known.staysOpen = wanted;
    },
    isRefusal: (error) => {
      if (!(error instanceof Dlt645Error)) return false;
      if (error.isPassword) relays.refuse(asked.meter, error.message);
      return true;
    },
    read,
  });
  const isAllowed = command.value === true && write.on === closingAllowed && known.staysOpen;
  return outcome.outcome === 'mismatch' && isAllowed ? opened(write.on) : outcome;
}

const guaranteed: WriteOutcome = {
  outcome: 'refused',
  message: 'its supply is guaranteed: the meter does not open its relay',
};

/** It was told to be closed, and is open. */
function opened(on: number): WriteOutcome {
  return on === closingAllowed
    ? { outcome: 'sent', value: false, message: 'closing is allowed; somebody has to press the button on the meter' }
    : {
        outcome: 'refused',
        value: false,
        message: 'the meter itself keeps its relay open (credit, overload or its own protection); it is not forced',
      };
}

const isSet = (data: Buffer, bit: number) => ((data[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
