import { readFileSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { cpus, freemem, loadavg, platform, release, totalmem, uptime } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '#edge/runtime/clock.ts';
import { type ClockSync, createClockSync } from '#edge/runtime/clock-sync.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import { outboxLanes } from '#edge/store/batch.ts';
import type { LiveState } from '../live.ts';
import type { CampusView } from '../server.ts';
import type { SystemView } from '../system-schemas.ts';
import { createFolderSizes } from './folders.ts';

const mostGaps = 50;

/** Version of this software, from package.json. */
export function ownVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8');
  return String((JSON.parse(text) as { readonly version?: unknown }).version ?? '');
}

/** The box as it is now. Answers also while there is no database. */
export function createSystemDesk(
  campus: CampusView,
  live: LiveState,
  clock: Clock,
  clockSync: () => Promise<ClockSync> = createClockSync({ clock }),
): () => Promise<SystemView> {
  const folders = createFolderSizes(campus.data, clock);
  const version = ownVersion();
  return async () => {
    const now = clock.now();
    const [sizes, sync, disk, database] = await Promise.all([
      folders(),
      clockSync(),
      diskOf(campus),
      databaseOf(campus),
    ]);
    return {
      version,
      node: process.version,
      platform: `${platform()} ${release()} ${process.arch}`,
      bootTime: Math.round(now - uptime() * 1_000),
      startTime: Math.min(...live.processes.map(({ since }) => since), Math.round(now - process.uptime() * 1_000)),
      cpus: cpus().length,
      load: loadavg(),
      memory: { total: totalmem(), free: freemem() },
      disk,
      database,
      folders: sizes.map((size) => ({ ...size })),
      clock: { time: now, ...sync },
      ...outboxOf(campus),
      certificate: campus.certificate(),
      processes: live.processes.map(({ name, state, restarts, since, lastExit, rss, loopDelay }) => ({
        name,
        state,
        restarts,
        since,
        lastExit,
        rss,
        loopDelay,
      })),
    };
  };
}

async function diskOf({ data, site }: CampusView): Promise<SystemView['disk']> {
  const { blocks, bavail, bsize } = await statfs(data);
  return { total: blocks * bsize, free: bavail * bsize, floor: site.retention.freeSpaceFloor };
}

async function databaseOf({ data, site, reader }: CampusView): Promise<SystemView['database']> {
  const sizes = await Promise.all(
    ['campus.db', 'campus.db-wal'].map((file) => stat(join(data, file)).catch(() => ({ size: 0 }))),
  );
  const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
  const meta = whenReady(() => reader.meta(), { schema: 0, epoch: 0, created: 0 });
  return { bytes, limit: site.retention.database, ...meta };
}

function outboxOf({ reader }: CampusView): Pick<SystemView, 'lanes' | 'gaps'> {
  const state = whenReady(() => reader.outboxState(), null);
  return {
    lanes:
      state === null
        ? []
        : outboxLanes.map((lane) => {
            const { head, watermark } = state[lane];
            return { lane, head, watermark, waiting: Math.max(0, head - watermark) };
          }),
    gaps: whenReady(() => reader.gaps(mostGaps), []).map(({ lane, ...gap }) => ({
      ...gap,
      lane: outboxLanes[lane] ?? String(lane),
    })),
  };
}

/** Core has not made its database yet, or it is damaged: the rest of the box is told all the same. */
function whenReady<T>(ask: () => T, otherwise: T): T {
  try {
    return ask();
  } catch (error) {
    if (!codeOf(error).startsWith('STORE_')) throw error;
    return otherwise;
  }
}
