import { CodedError } from '#edge/runtime/errors.ts';

/** Work that costs a process: few at once, the same only once, and what was made is kept while there is room. */
export class PictureCache {
  readonly #most: number;
  readonly #atOnce: number;
  readonly #waitingMost: number;
  /** The least lately used first. */
  readonly #kept = new Map<string, Buffer>();
  readonly #making = new Map<string, Promise<Buffer>>();
  readonly #waiting: (() => void)[] = [];
  #bytes = 0;
  #busy = 0;

  constructor(options: { readonly bytes: number; readonly atOnce: number; readonly waiting: number }) {
    this.#most = options.bytes;
    this.#atOnce = options.atOnce;
    this.#waitingMost = options.waiting;
  }

  /** Made now, by somebody else who asks for the same, or before. Throws what `make` throws, or MEDIA_BUSY. */
  async get(key: string, make: () => Promise<Buffer>): Promise<Buffer> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return kept;
    }
    const running = this.#making.get(key);
    if (running !== undefined) return running;
    const made = this.#make(make).finally(() => this.#making.delete(key));
    this.#making.set(key, made);
    const bytes = await made;
    this.#keep(key, bytes);
    return bytes;
  }

  async #make(make: () => Promise<Buffer>): Promise<Buffer> {
    if (this.#busy < this.#atOnce) this.#busy++;
    else await this.#turn();
    try {
      return await make();
    } finally {
      // Who waits takes this place over: nobody slips in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy--;
      else next();
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#waitingMost) {
      throw new CodedError('MEDIA_BUSY', 'too many pictures are being made already: ask again');
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #keep(key: string, bytes: Buffer): void {
    if (bytes.length > this.#most / 4) return;
    this.#kept.set(key, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, old] of this.#kept) {
      if (this.#bytes <= this.#most) return;
      this.#kept.delete(oldest);
      this.#bytes -= old.length;
    }
  }
}
