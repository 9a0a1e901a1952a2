import type { Clock } from '#edge/runtime/clock.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import type { WriteOutcome } from '../read-back.ts';
import type { Ports, RelayOutput } from './device-io.ts';
import { setRelay } from './device-io.ts';
import type { Asker } from './facts-ask.ts';
import type { Notification } from './notification.ts';
import { Paced } from './paced.ts';
import type { Meaning } from './topics.ts';
import { bareTopic } from './topics.ts';

/** Points for contacts go up to here. */
export const portsOfProfile = 4;
const maxHeard = 64;

interface Heard {
  readonly isActive: boolean;
  /** Monotonic ms. */
  readonly at: number;
}

const lastNumber = (token: string) => /(\d+)\D*$/.exec(token)?.[1];

/**
 * Which contact (from 1) a token of an event is about. By its token; else by the number in it, because events and lists of one
 * camera may spell it differently (`AlarmIn_1` and `1`). Without a list the number itself counts, of Axis from 0.
 */
export function portIndex(tokens: readonly string[], token: string, countsFromZero: boolean): number | null {
  const same = tokens.findIndex((one) => one.toLowerCase() === token.toLowerCase());
  if (same >= 0) return same + 1;
  const number = lastNumber(token);
  if (number === undefined) return tokens.length <= 1 ? 1 : null;
  const numbered = tokens.findIndex((one) => Number(lastNumber(one)) === Number(number));
  if (numbered >= 0) return numbered + 1;
  if (tokens.length === 1) return 1;
  const index = Number(number) + (countsFromZero ? 1 : 0);
  return tokens.length === 0 && index >= 1 && index <= portsOfProfile ? index : null;
}

export interface IoStatesOptions {
  readonly clock: Clock;
  /** `input_1`, `relay_2`: what the point of this name is now. */
  readonly onState: (at: string, active: boolean) => void;
}

/** What events tell of the contacts of a camera, and the only proof that a relay did what it was told: ONVIF cannot ask for it. */
export class IoStates implements Disposable {
  readonly #options: IoStatesOptions;
  readonly #paced: Paced;
  readonly #heard = new Map<string, Heard>();
  #ports: Ports = { inputs: [], relays: [], dialect: null };

  constructor(options: IoStatesOptions) {
    this.#options = options;
    this.#paced = new Paced(options.clock, options.onState);
  }

  [Symbol.dispose](): void {
    this.#paced[Symbol.dispose]();
  }

  /** Tokens decide which point an event belongs to: what was heard before they were known is sorted again. */
  use(ports: Ports): void {
    this.#ports = ports;
    const { inputs, relays } = ports;
    for (const [key, { isActive }] of this.#heard) {
      const [kind = '', token = '', zero = ''] = JSON.parse(key);
      this.#tell(kind === 'relay' ? relays.map((relay) => relay.token) : inputs, { kind, token, zero }, isActive);
    }
  }

  hear(notification: Notification, meanings: readonly Meaning[]): void {
    for (const { type, active } of meanings) {
      if (active === undefined || (type !== 'digital_input' && type !== 'relay')) continue;
      const kind = type === 'relay' ? 'relay' : 'input';
      const token = [...notification.source.values()][0] ?? '';
      const zero = /^Device\/IO\//i.test(bareTopic(notification.topic)) ? 'zero' : '';
      const key = JSON.stringify([kind, token, zero]);
      if (!this.#heard.has(key) && this.#heard.size >= maxHeard) continue;
      this.#heard.set(key, { isActive: active, at: this.#options.clock.monotonic() });
      const { inputs, relays } = this.#ports;
      this.#tell(kind === 'relay' ? relays.map((relay) => relay.token) : inputs, { kind, token, zero }, active);
    }
  }

  #tell(tokens: readonly string[], of: { kind: string; token: string; zero: string }, isActive: boolean): void {
    const index = portIndex(tokens, of.token, of.zero !== '');
    if (index !== null && index <= portsOfProfile) this.#paced.set(`${of.kind}_${index}`, isActive);
  }

  /** The last word about a relay since `since`; undefined: none. */
  #relay(index: number, since: number): boolean | undefined {
    let last: Heard | undefined;
    for (const [key, heard] of this.#heard) {
      const [kind = '', token = ''] = JSON.parse(key);
      const tokens = this.#ports.relays.map((relay) => relay.token);
      if (kind !== 'relay' || portIndex(tokens, token, false) !== index || heard.at < since) continue;
      if (last === undefined || heard.at >= last.at) last = heard;
    }
    return last?.isActive;
  }

  /** Switches relay `index` (from 1), and waits at most `within` ms for the event that proves it. */
  async switch({ asker, index, isActive, isPulse, within }: Switching, signal: AbortSignal): Promise<WriteOutcome> {
    const { relays, dialect } = this.#ports;
    const relay = relays[index - 1];
    if (relay === undefined || dialect === null) {
      return { outcome: 'refused', message: `the camera has ${relays.length} relays, not ${index}` };
    }
    const wrong = mismatchOf(relay, index, isPulse);
    if (wrong !== null) return { outcome: 'refused', message: wrong };
    const { clock } = this.#options;
    const started = clock.monotonic();
    const wasHeard = this.#relay(index, Number.NEGATIVE_INFINITY);
    await setRelay(asker, { dialect, token: relay.token, isActive }, signal);
    const deadline = clock.monotonic() + within;
    // A relay that has never been spoken of will not be now.
    while (wasHeard !== undefined && !signal.aborted) {
      if (this.#relay(index, started) === isActive) return { outcome: 'done', value: isActive };
      // It is so already: then nothing changes, and no event says so.
      if (wasHeard === isActive && !isPulse) return { outcome: 'done', value: isActive };
      if (clock.monotonic() >= deadline) {
        return { outcome: 'mismatch', value: !isActive, message: 'the camera took it, and its relay did not move' };
      }
      await delay(25, signal);
    }
    return { outcome: 'sent', value: isActive };
  }
}

export interface Switching {
  readonly asker: Asker;
  /** From 1. */
  readonly index: number;
  readonly isActive: boolean;
  /** A push of a relay that falls back by itself. */
  readonly isPulse: boolean;
  readonly within: number;
}

/** A relay that falls back by itself cannot be held, and one that stays cannot be pushed. */
function mismatchOf({ mode, delay: after, token }: RelayOutput, index: number, isPulse: boolean): string | null {
  if (mode === 'monostable' && !isPulse) {
    const span = after === null ? '' : ` after ${Math.round(after / 100) / 10} s`;
    return `relay ${token} of the camera is monostable and falls back by itself${span}: press relay_${index}_pulse, or set it to bistable on the camera`;
  }
  if (mode === 'bistable' && isPulse) {
    return `relay ${token} of the camera is bistable and stays: use relay_${index}, or set it to monostable on the camera`;
  }
  return null;
}
