import { CodedError } from '#edge/runtime/errors.ts';

/** Writes varints (LEB128 of whole numbers below 2^53, zigzag for signed ones) into a buffer that grows. */
export class ByteWriter {
  #buffer = new Uint8Array(1024);
  #length = 0;

  byte(value: number): void {
    if (this.#length === this.#buffer.length) this.#grow(1);
    this.#buffer[this.#length++] = value;
  }

  unsigned(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  /** |value| < 2^52. */
  signed(value: number): void {
    this.unsigned(value < 0 ? -2 * value - 1 : 2 * value);
  }

  bytes(value: Uint8Array): void {
    if (this.#length + value.length > this.#buffer.length) this.#grow(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  #grow(by: number): void {
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + by));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }

  /** Valid until the next write. */
  result(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}

/** Reads what ByteWriter wrote. Throws STORE_BAD_BLOCK where the bytes end too early. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes not yet read: no column can have more entries. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw this.#ended();
    return value;
  }

  unsigned(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  }

  signed(): number {
    const value = this.unsigned();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  /**
   * Signed numbers into `column`, from index `from` to before `to`. History reads millions of these: one loop, in which only
   * what is longer than two bytes goes the long way.
   */
  column(column: Float64Array, from: number, to: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = from; i < to; i++) {
      const first = bytes[at] ?? 0x80;
      const second = bytes[at + 1] ?? 0x80;
      if (first < 0x80) {
        column[i] = (first >>> 1) ^ -(first & 1);
        at += 1;
      } else if (second < 0x80) {
        const zigzag = (first & 0x7f) | (second << 7);
        column[i] = (zigzag >>> 1) ^ -(zigzag & 1);
        at += 2;
      } else {
        this.#at = at;
        column[i] = this.signed();
        at = this.#at;
      }
    }
    this.#at = at;
  }

  bytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw this.#ended();
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  #ended(): CodedError {
    return new CodedError('STORE_BAD_BLOCK', `a block ends after ${this.#bytes.length} bytes`);
  }
}
