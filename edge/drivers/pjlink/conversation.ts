import { createHash } from 'node:crypto';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import type { BytePort } from '../ports/port.ts';
import { tcpPort } from '../ports/tcp.ts';

/*
 * One connection to one projector: its greeting, then one question after the other, each answered before the next. Lines end with a
 * carriage return alone. (PJLink specifications, version 2.00, chapters 3 to 5.)
 */

/** 136 is the longest of class 1; of class 2 a list of inputs is the longest. */
const longestLine = 512;

/** What went wrong, beyond the sentence: `PJLINK_TIMEOUT`, `PJLINK_AUTH`, `PJLINK_GARBLED`, `PJLINK_CLOSED`. */
export class PjlinkError extends CodedError {}

export interface Conversation extends AsyncDisposable {
  /**
   * `ask('POWR', '?', 1)` -> what stands behind `=`: `0`, `OK`, `ERR3`. An answer to something else is PJLINK_GARBLED.
   */
  ask(command: string, parameter: string, level: 1 | 2): Promise<string>;
}

export interface ConverseOptions {
  readonly host: string;
  readonly port: number;
  readonly password: string | null;
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** The last conversation may not be over for the projector yet, or somebody else has it: it closes a second one at once. ms. */
const pauses = [150, 400, 800];

/** Opens it and hears the greeting. Throws PORT_* and PJLINK_*. */
export async function converse(options: ConverseOptions): Promise<Conversation> {
  for (const pause of pauses) {
    try {
      return await greet(options);
    } catch (error) {
      if (codeOf(error) !== 'PJLINK_CLOSED' || options.signal.aborted) throw error;
      await delay(pause, options.signal);
    }
  }
  return greet(options);
}

async function greet({ host, port, password, timeout, signal }: ConverseOptions): Promise<Conversation> {
  const { label, open } = tcpPort({ host, port });
  const line = await open(timeout, signal);
  const lines = new Lines(line, label, timeout, signal);
  try {
    let prefix = digestFor(await lines.next(), password, label);
    return {
      async ask(command, parameter, level) {
        // The digest stands before the first question only.
        line.write(Buffer.from(`${prefix}%${level}${command} ${parameter}\r`, 'latin1'));
        prefix = '';
        return answerTo(`%${level}${command}=`, await lines.next(), label);
      },
      [Symbol.asyncDispose]: () => line[Symbol.asyncDispose](),
    };
  } catch (error) {
    await line[Symbol.asyncDispose]();
    throw error;
  }
}

function answerTo(start: string, answer: string, label: string): string {
  if (/^PJLINK ERRA$/i.test(answer)) throw new PjlinkError('PJLINK_AUTH', `${label} refuses the password`);
  if (answer.slice(0, start.length).toUpperCase() === start) return answer.slice(start.length);
  throw new PjlinkError('PJLINK_GARBLED', `${label} answers ${told(answer)} where ${start} was due`);
}

/** `PJLINK 0`: no password. `PJLINK 1 <8 hex digits>`: MD5 of those digits and the password stands before the first question. */
function digestFor(greeting: string, password: string | null, label: string): string {
  if (/^PJLINK 0$/i.test(greeting)) return '';
  const [, random] = /^PJLINK 1 ([0-9a-f]{8})$/i.exec(greeting) ?? [];
  if (random === undefined) {
    if (/^PJLINK ERRA$/i.test(greeting)) throw new PjlinkError('PJLINK_AUTH', `${label} lets nobody in`);
    if (/^PJLINK \d/i.test(greeting))
      throw new PjlinkError('PJLINK_AUTH', `${label} asks for a way to sign in that is not known here`);
    throw new PjlinkError('PJLINK_GARBLED', `${label} is no projector: it begins with ${told(greeting)}`);
  }
  if (password === null)
    throw new PjlinkError('PJLINK_AUTH', `${label} asks for a password, and the site file has none`);
  return createHash('md5').update(`${random}${password}`, 'latin1').digest('hex');
}

function told(line: string): string {
  return JSON.stringify(line.slice(0, 40));
}

/** Lines of a connection, one at a time; each in `timeout`. */
class Lines {
  readonly #label: string;
  readonly #timeout: number;
  readonly #signal: AbortSignal;
  #text = '';
  #fault: PjlinkError | null = null;
  #wake: () => void = () => {};

  constructor(line: BytePort, label: string, timeout: number, signal: AbortSignal) {
    this.#label = label;
    this.#timeout = timeout;
    this.#signal = signal;
    line.listen({
      data: (bytes) => {
        if (this.#text.length <= longestLine) this.#text += bytes.toString('latin1');
        this.#wake();
      },
      closed: (why) => {
        this.#fault ??= new PjlinkError('PJLINK_CLOSED', `${label}: ${why}`);
        this.#wake();
      },
    });
  }

  async next(): Promise<string> {
    const end = AbortSignal.any([this.#signal, AbortSignal.timeout(this.#timeout)]);
    while (true) {
      const cut = this.#text.indexOf('\r');
      if (cut >= 0) {
        // Some end their lines with a line feed as well.
        const found = this.#text.slice(0, cut).replace(/^\n/, '');
        this.#text = this.#text.slice(cut + 1);
        return found;
      }
      if (this.#text.length > longestLine)
        throw new PjlinkError('PJLINK_GARBLED', `${this.#label} sends a line without an end`);
      if (this.#fault !== null) throw this.#fault;
      if (end.aborted)
        throw new PjlinkError('PJLINK_TIMEOUT', `${this.#label} said nothing within ${this.#timeout} ms`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        end.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}
