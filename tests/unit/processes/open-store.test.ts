import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { openStoreOrNone, watchForStore } from '#edge/processes/core/open-store.ts';
import { Shelf } from '#edge/processes/core/shelf.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { event, open, reading, retention, start, temporaryFolder } from '../../fixtures/store/site.ts';
import { driverDevice } from '../ingest/harness.ts';

const patience = { timeout: 15_000, interval: 20 };

describe('a database that cannot be opened', () => {
  test('is a store that refuses everything and says why; calm, core starts anew as soon as there is one', async () => {
    await using folder = await temporaryFolder();
    const database = join(folder.path, 'campus.db');
    await mkdir(database);
    const options = { folder: folder.path, clock: systemClock, log: silentLog, retention };
    const { store, restored, fault } = await openStoreOrNone(options);
    expect(fault).toMatchObject({ code: 'STORE_IO' });
    expect(restored).toMatchObject({ holds: [], alarms: [] });
    await expect(store.append({ events: [event(start)] })).rejects.toMatchObject({ code: 'STORE_IO' });
    const faults: string[] = [];
    store.onFault(({ code, active }) => void faults.push(`${code} ${active}`));
    expect(faults).toEqual(['STORE_IO true']);

    let isCalm = false;
    const restart = vi.fn();
    using _ = watchForStore(options, { isCalm: () => isCalm, restart, every: 20 });
    await rmdir(database);
    const looks = vi.fn(() => isCalm);
    using _second = watchForStore(options, { isCalm: looks, restart, every: 20 });
    await vi.waitFor(() => expect(looks.mock.calls.length).toBeGreaterThan(3), patience);
    expect(restart).not.toHaveBeenCalled();
    isCalm = true;
    await vi.waitFor(() => expect(restart).toHaveBeenCalled(), patience);
  });
});

describe('a point whose registration failed', () => {
  test('is registered with its first reading, and holds up nothing that is no reading of it', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    let fails = 2;
    const shelf = new Shelf({
      append: (batch) => store.append(batch),
      registerPoints: (points) =>
        fails-- > 0 ? Promise.reject(new CodedError('STORE_FULL', 'full')) : store.registerPoints(points),
    });
    shelf.register([driverDevice('meter-1', [{}])]);
    await shelf.append({ events: [event(start)] });
    const sample = { readings: [reading('meter-1/value', start, 5, { unit: '1' })] };
    await expect(shelf.append(sample)).rejects.toMatchObject({ code: 'STORE_FULL' });
    await expect(shelf.append(sample)).resolves.toBeUndefined();
    expect((await store.restore()).latest).toMatchObject([{ ref: 'meter-1/value', value: 5 }]);
  });
});
