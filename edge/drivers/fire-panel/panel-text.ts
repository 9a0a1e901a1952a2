import { TextDecoder } from 'node:util';
import { eventOf, type PanelEvent, type PanelWords } from './panel-words.ts';

/** What a panel printed of one happening. */
export interface PanelRecord {
  readonly event: PanelEvent;
  /** The panel's own clock as it printed it. */
  readonly printed: string;
  /** Loop and part, e.g. `004-004`; '' where the panel names none. */
  readonly part: string;
  /** Everything else: the place, the kind of detector. */
  readonly text: string;
}

export interface PanelTextOptions {
  readonly encoding: 'gbk' | 'utf-8';
  readonly words: PanelWords;
  /** As soon as a whole line says it: nobody waits for the rest of the record. */
  readonly onEvent: (event: PanelEvent) => void;
  readonly onRecord: (record: PanelRecord) => void;
  /** A line that is no text: a wrong baud rate, or noise. */
  readonly onGarbage: () => void;
}

/** Bytes of a line; a panel prints 16 to 40 columns. */
const longestLine = 256;
const mostLines = 12;
const escapeByte = 0x1b;
/** Commands of printers that take a byte after their letter (ESC/P, ESC/POS): feed, space, align, mode. */
const withByte = new Set([...'JdaASK!-3MtR'].map((letter) => letter.charCodeAt(0)));
const timePattern = /^(?:\d{2}|\d{4})[/.-]\d{1,2}[/.-]\d{1,2}\s+\d{1,2}:\d{2}(?::\d{2})?$/;
const partPattern = /^\d{1,4}(?:-\d{1,4}){1,3}$/;

/**
 * The text of a printer port, byte by byte. A record begins with its time (or with the first line after a blank one) and ends with a
 * blank line, the next time, or `rest()`. Never keeps more than one record.
 */
export class PanelText {
  readonly #options: PanelTextOptions;
  readonly #decoder: TextDecoder;
  readonly #line: number[] = [];
  #lines: string[] = [];
  #state: 'text' | 'escape' | 'parameter' = 'text';
  #isTooLong = false;

  constructor(options: PanelTextOptions) {
    this.#options = options;
    this.#decoder = new TextDecoder(options.encoding === 'gbk' ? 'gb18030' : 'utf-8');
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) this.#take(byte);
  }

  /** The line has been quiet for a while: what stands is whole. */
  rest(): void {
    if (this.#line.length > 0) this.#endLine();
    this.#endRecord();
  }

  #take(byte: number): void {
    if (this.#state === 'parameter') {
      this.#state = 'text';
    } else if (this.#state === 'escape') {
      this.#state = withByte.has(byte) ? 'parameter' : 'text';
    } else if (byte === escapeByte) {
      this.#state = 'escape';
    } else if (byte === 0x0a || byte === 0x0d || byte === 0x0c) {
      // CR LF is one end, not a blank line.
      if (this.#line.length > 0 || this.#isTooLong) this.#endLine();
      else if (byte === 0x0a) this.#endRecord();
    } else if (this.#line.length < longestLine) {
      this.#line.push(byte);
    } else {
      this.#isTooLong = true;
    }
  }

  #endLine(): void {
    const bytes = Uint8Array.from(this.#line);
    this.#line.length = 0;
    const isTooLong = this.#isTooLong;
    this.#isTooLong = false;
    const line = this.#decoder.decode(bytes).trim();
    if (isTooLong || /[\uFFFD\p{Cc}]/u.test(line)) {
      this.#options.onGarbage();
      return;
    }
    // Spaces only: the panel's way to leave a field empty.
    if (line === '') return;
    if (timePattern.test(line)) this.#endRecord();
    if (this.#lines.length >= mostLines) this.#endRecord();
    this.#lines.push(line);
    const event = eventOf(line, this.#options.words);
    if (event !== null) this.#options.onEvent(event);
  }

  #endRecord(): void {
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#lines = [];
    const printed = lines.find((line) => timePattern.test(line)) ?? '';
    const part = lines.find((line) => partPattern.test(line)) ?? '';
    const said = lines.filter((line) => line !== printed && line !== part);
    const events = said.flatMap((line) => eventOf(line, this.#options.words) ?? []);
    const event = events.includes('fire') ? 'fire' : (events[0] ?? 'other');
    this.#options.onRecord({ event, printed, part, text: said.join(' ').slice(0, 200) });
  }
}
