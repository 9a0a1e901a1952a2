import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DeviceId } from '#edge/domain/ids.ts';
import { ProtectedFootage } from '#edge/media/retention-protected.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { silentLog } from '#edge/runtime/log.ts';

const camera = 'camera-gate' as DeviceId;
const day = 86_400_000;
const now = Date.UTC(2026, 10, 22);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'protected-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const promised = (from: number, kind: 'clip' | 'kept' = 'kept') => ({ from, to: from + 1_000, kind });
const range = (from: number, kind: 'clip' | 'kept' = 'kept') => ({ camera, ...promised(from, kind) });

/** Core as one that has so many ranges that it answers in pages, and as one that is away. */
function bench(core: { epoch?: number; ranges: readonly object[]; isAway?: boolean; changes?: number }) {
  const asked: object[] = [];
  const kept = new ProtectedFootage({
    folder,
    call: async (_, params) => {
      asked.push(params);
      if (core.isAway === true) throw new CodedError('RPC_AWAY', 'core does not answer');
      const { place = null } = params as { place?: { from: number } | null };
      const from = place?.from ?? 0;
      if (from > 0 && (core.changes ?? 0) > 0) {
        core.changes = (core.changes ?? 0) - 1;
        throw new CodedError('KEPT_CHANGED', 'asked for anew');
      }
      const end = from + 100;
      const next = end < core.ranges.length ? { edition: 1, from: end } : null;
      return { ranges: core.ranges.slice(from, end), next, ...(core.epoch === undefined ? {} : { epoch: core.epoch }) };
    },
    log: silentLog,
  });
  return { kept, asked };
}

test('what core wants kept comes in pages, all of it or nothing new', async () => {
  const core = { epoch: 1, ranges: Array.from({ length: 450 }, (_, i) => range(now + i * 10_000)), changes: 1 };
  const { kept, asked } = bench(core);
  expect(await kept.refresh(now)).toBe('unknown');
  expect(kept.ranges(camera)).toEqual([]);
  expect(await kept.refresh(now)).toBe('fresh');
  expect(kept.ranges(camera)).toHaveLength(450);
  expect(asked.at(-1)).toEqual({ age: now, place: { edition: 1, from: 400 } });
});

test('another database has promised nothing, and what the one before had promised is kept all the same, for 180 days', async () => {
  await bench({ epoch: 1, ranges: [range(now), range(now + 5_000, 'clip')] }).kept.refresh(now);
  const { kept } = bench({ epoch: 2, ranges: [range(now + day)] });
  expect(await kept.refresh(now + day)).toBe('fresh');
  expect(kept.ranges(camera)).toEqual([promised(now), promised(now + day)]);
  expect(kept.isProtected(camera, { from: now, to: now + 1 })).toBe(true);
  // A third one, and a start of media in between.
  const third = bench({ epoch: 3, ranges: [] }).kept;
  await third.refresh(now + 2 * day);
  await third.refresh(now + 100 * day);
  expect(third.ranges(camera)).toEqual([promised(now), promised(now + day)]);
  await third.refresh(now + 183 * day);
  expect(third.ranges(camera)).toEqual([]);
  expect(JSON.parse(readFileSync(join(folder, 'protected.json'), 'utf8'))).toEqual({ ranges: [], epoch: 3 });
});

test('the same database lets go of what nobody keeps any more', async () => {
  const core = { epoch: 1, ranges: [range(now)] };
  const { kept } = bench(core);
  await kept.refresh(now);
  core.ranges = [];
  await kept.refresh(now);
  expect(kept.ranges(camera)).toEqual([]);
});
