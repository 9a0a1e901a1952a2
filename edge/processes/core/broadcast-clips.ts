import type { Bus } from '#edge/bus/bus.ts';
import { decodeClipFacts } from '#edge/bus/codec.ts';
import { clipFactsTopic, clipsTopic } from '#edge/bus/topics.ts';
import type { ClipFacts, ClipListing } from '#edge/domain/broadcast.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Site } from '#edge/runtime/site.ts';
import type { Reader } from '#edge/store/reader.ts';

export interface ClipBookOptions {
  readonly clips: Site['clips'];
  readonly reader: Pick<Reader, 'documents'>;
  readonly bus: Pick<Bus, 'publish'>;
  readonly log: Log;
}

/** Which clips there are: those of the site file, and those that people made, which `broadcast` is told of before it is told to play one. */
export class ClipBook {
  readonly #options: ClipBookOptions;
  #facts: ReadonlyMap<string, ClipFacts> = new Map();
  #made: ReadonlyMap<string, number> = new Map();

  constructor(options: ClipBookOptions) {
    this.#options = options;
  }

  /** At the start, and after each change of a document `clip`. */
  tell(): void {
    const { reader, bus, log } = this.#options;
    try {
      const made = reader.documents('clip');
      this.#made = new Map(made.map(({ id, body }) => [id, body.length]));
      const listings = made.map(({ id, body }): ClipListing => ({ name: id, file: body.file, ahead: body.ahead }));
      bus.publish(clipsTopic('broadcast'), listings, { retain: true }).catch((error: unknown) => {
        log.error({ error: messageOf(error) }, 'clips were not told');
      });
    } catch (error) {
      log.error({ error }, 'the clips that people made cannot be read');
    }
  }

  /** What `broadcast` found its clips to be. False: the payload is not understood. */
  hear(topic: string, payload: Uint8Array): boolean {
    if (topic !== clipFactsTopic('broadcast')) return false;
    const decoded = decodeClipFacts(payload);
    if (decoded.ok) this.#facts = new Map(decoded.value.map((one) => [one.name, one]));
    return decoded.ok;
  }

  clip(name: string): { readonly length: number | null; readonly isEndless: boolean } | undefined {
    const own = this.#options.clips[name];
    const length = this.#facts.get(name)?.length ?? this.#made.get(name) ?? null;
    if (own !== undefined) return { length, isEndless: own.loop };
    return this.#made.has(name) ? { length, isEndless: false } : undefined;
  }
}
