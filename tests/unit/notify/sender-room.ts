import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceHealth } from '#edge/domain/health.ts';
import type { Notice } from '#edge/domain/notice.ts';
import type { Settlement } from '#edge/notify/lane.ts';
import { NoticeSender, type SenderTuning } from '#edge/notify/sender.ts';
import { type Clock, systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { NotifySite } from '#edge/runtime/site-notify.ts';
import { type NoticeFilter, openReader } from '#edge/store/reader.ts';
import { openStore } from '#edge/store/store.ts';
import { secretFolder, sender as words } from './peers.ts';

/** A sender over a real store, with pauses made for tests. What core does with a settlement is done here in a line. */
export interface SenderRoom extends AsyncDisposable {
  readonly folder: ReturnType<typeof secretFolder>;
  readonly health: { last: readonly DeviceHealth[] };
  readonly told: [string, string | null][];
  /** Makes every call to core fail. */
  away: boolean;
  queue(...notices: readonly Notice[]): Promise<void>;
  /** As it is on disk. */
  of(id: string): Notice | undefined;
  /** How it stands with all of them, in words that sort. */
  states(): Record<string, number>;
  /** As core does on the bus when it has queued something. */
  hint(): void;
  restart(): Promise<void>;
}

const day = 86_400_000;
export const retention = {
  readings: 400 * day,
  events: 180 * day,
  audit: 400 * day,
  snapshots: 30 * day,
  database: 4e9,
  snapshotBytes: 8e9,
  freeSpaceFloor: 1e6,
};

export const quickTuning: SenderTuning = {
  tick: 10,
  poll: 40,
  deadAfter: 100,
  timeout: 1_000,
  settleRetry: { first: 20, cap: 100 },
  retry: { first: 30, cap: 120 },
  circuit: { first: 40, cap: 150 },
};

/** One store for all rooms of a file: opening one takes longer than all that is done in it. */
let shared: Promise<Awaited<ReturnType<typeof openShared>>> | null = null;

async function openShared() {
  const data = mkdtempSync(join(tmpdir(), 'notices-'));
  return { data, store: await openStore({ folder: data, log: silentLog, retention }), reader: openReader(data) };
}

/** After the last room. */
export async function closeSenderRooms(): Promise<void> {
  if (shared === null) return;
  const { data, store, reader } = await shared;
  reader[Symbol.dispose]();
  await store[Symbol.asyncDispose]();
  rmSync(data, { recursive: true, force: true });
  shared = null;
}

export async function startSenderRoom(
  notify: NotifySite,
  files: Readonly<Record<string, string>> = {},
  { tuning = {}, clock = systemClock }: { readonly tuning?: SenderTuning; readonly clock?: Clock } = {},
): Promise<SenderRoom> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(secretFolder(files));
  shared ??= openShared();
  const { store, reader: all } = await shared;
  const own = new Set<string>();
  // Other rooms of the file leave things behind in the same store.
  const reader = { notices: (filter: NoticeFilter) => all.notices(filter).filter(({ id }) => own.has(id)) };
  const find = (id: string): Notice | undefined => reader.notices({ limit: 10_000 }).find((notice) => notice.id === id);
  const room: Pick<SenderRoom, 'health' | 'told' | 'away'> = { health: { last: [] }, told: [], away: false };
  const refuseWhenAway = (): void => {
    if (room.away) throw Object.assign(new Error('core does not answer'), { code: 'RPC_AWAY' });
  };
  const begin = async (): Promise<NoticeSender> => {
    const sender = new NoticeSender({
      notify,
      campus: { name: words.campus, timeZone: words.timeZone },
      folder: folder.path,
      source: reader,
      settle: async ({ id, state, attempts, at, detail }: Settlement) => {
        refuseWhenAway();
        const notice = find(id);
        if (notice !== undefined) await store.append({ notices: [{ ...notice, state, attempts, at, detail }] });
      },
      tellChannel: async (id, problem) => {
        refuseWhenAway();
        room.told.push([id, problem]);
      },
      onHealth: (channels) => {
        room.health.last = channels;
      },
      clock,
      log: silentLog,
      tuning: { ...quickTuning, ...tuning },
    });
    await sender.start();
    return sender;
  };
  let sender = await begin();
  stack.defer(() => sender[Symbol.asyncDispose]());
  const owned = stack.move();
  return Object.assign(room, {
    folder,
    queue: (...notices: readonly Notice[]) => {
      for (const { id } of notices) own.add(id);
      return store.append({ notices });
    },
    of: find,
    states: () =>
      Object.fromEntries(
        Object.entries(Object.groupBy(reader.notices({ limit: 10_000 }), ({ state }) => state)).map(([state, list]) => [
          state,
          list.length,
        ]),
      ),
    hint: () => sender.hint(),
    restart: async () => {
      await sender[Symbol.asyncDispose]();
      sender = await begin();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  });
}
