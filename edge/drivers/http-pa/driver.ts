import { resolve } from 'node:path';
import type { Driver } from '#edge/drivers/driver.ts';
import type { ClipFile } from '#edge/drivers/sound/clips.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { type PaConfig, parsePaConfig } from './config.ts';
import { PaServer } from './server.ts';
import { PaSession } from './session.ts';
import { ownName, PaShelf, type ShelfClip } from './shelf.ts';

export interface HttpPaOptions {
  readonly clock: Clock;
  /** Pause between two looks at what plays, ms. */
  readonly probeEvery?: number;
  /** The site's clips, for devices that are given theirs; relative to `folder`. */
  readonly clips?: Readonly<Record<string, ClipFile>>;
  readonly folder?: string;
  /** From the beginning of a loudspeaker's own test to its result, ms. */
  readonly testPause?: number;
}

/**
 * Loudspeakers behind a server that is told by HTTP, or by lines over TCP, what to play from its own store. Points: `clip` (text, output: an
 * order of domain/broadcast.ts of one clip; '' stops), `playing`, `proof` (none, sent, acknowledged, heard), `evidence` (text: what the proof
 * rests on, or what went wrong).
 */
export function httpPaDriver(options: HttpPaOptions): Driver<PaConfig> {
  const { clock, probeEvery = 2_000, clips = {}, folder = '.', testPause = 30_000 } = options;
  /** As many as the site has servers. */
  const servers = new Map<string, PaServer>();
  const shelves = new Map<string, PaShelf>();

  /** All loudspeakers behind one server share its store. */
  function shelfOf(key: string, server: PaServer, { calls, server: { timeout } }: PaConfig): PaShelf | null {
    const { upload } = calls;
    if (upload === undefined) return null;
    const shelf = shelves.get(key) ?? new PaShelf({ server, calls: { ...calls, upload }, clock, timeout });
    shelves.set(key, shelf);
    return shelf;
  }

  /** Emergency clips always, the others that the site names for it. */
  function wantedOf({ clips: named }: PaConfig): ReadonlyMap<string, ShelfClip> {
    const ours = Object.entries(clips).filter(([clip, one]) => one.emergency === true || Object.hasOwn(named, clip));
    return new Map(
      ours.map(([clip, { file, emergency = false }]) => {
        const name = named[clip] ?? ownName(clip, file);
        return [clip, { name, file: resolve(folder, file), isUrgent: emergency }];
      }),
    );
  }

  return {
    protocol: 'http-pa',
    config: { parse: parsePaConfig },
    async open(device, config, sink, signal) {
      const key = JSON.stringify(config.server);
      const server = servers.get(key) ?? new PaServer(config.server, clock);
      servers.set(key, server);
      const shelf = shelfOf(key, server, config);
      const wanted = shelf === null ? new Map<string, ShelfClip>() : wantedOf(config);
      shelf?.want([...wanted.values()]);
      const session = new PaSession({ device, config, server, clock, probeEvery, sink, shelf, wanted, testPause });
      signal.addEventListener('abort', () => void session[Symbol.asyncDispose](), { once: true });
      if (signal.aborted) await session[Symbol.asyncDispose]();
      return session;
    },
    async [Symbol.asyncDispose]() {
      for (const shelf of shelves.values()) shelf.end();
      servers.clear();
    },
  };
}
