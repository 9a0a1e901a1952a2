import { describe, expect, test } from 'vitest';
import { Ledger, type LedgerOptions } from '#edge/processes/core/ledger.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Batch } from '#edge/store/batch.ts';
import { openReader } from '#edge/store/reader.ts';
import { alarm, event, open, point, reading, start, temporaryFolder } from '../../fixtures/store/site.ts';

/** A disk that can be told what to refuse. */
function bench(more: Partial<LedgerOptions> = {}) {
  const clock = new ManualClock(start);
  const written: Batch[] = [];
  const faults: (string | null)[] = [];
  const refused: string[] = [];
  const disk = { refuse: (_batch: Batch): string | null => null };
  const ledger = new Ledger({
    append: async (batch) => {
      const code = disk.refuse(batch);
      if (code !== null) throw new CodedError(code, `${code} for the test`);
      written.push(batch);
    },
    clock,
    onRefused: (all) => void refused.push(...all.map(({ what }) => what)),
    onFault: (why) => void faults.push(why),
    ...more,
  });
  const values = () => written.flatMap(({ readings = [] }) => readings.map(({ value }) => value));
  const pay = async () => {
    clock.advance(60_000);
    ledger.tick();
    for (let i = 0; i < 50; i++) await Promise.resolve();
  };
  return { clock, disk, ledger, written, faults, refused, values, pay };
}

const full = ({ readings }: Batch) => (readings === undefined || readings.length === 0 ? null : 'STORE_FULL');

describe('a disk that takes no readings', () => {
  test('does not keep the alarms and the state beside them from it', async () => {
    const { ledger, disk, written } = bench();
    disk.refuse = full;
    const fire = alarm(start);
    const batch = { readings: [reading('smoke-1/smoke', start, 1)], alarms: [fire], state: { interlocks: { a: 1 } } };
    await expect(ledger.write(batch, { client: 'z2m', isResent: true })).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(written).toEqual([{ alarms: [fire], state: { interlocks: { a: 1 } } }]);
  });

  test('is owed them, and nothing of that client counts as written before they are', async () => {
    const { ledger, disk, values, faults } = bench();
    disk.refuse = full;
    const smoke = { readings: [reading('smoke-1/smoke', start, 1)] };
    await expect(ledger.write(smoke, { client: 'z2m', isResent: true })).rejects.toMatchObject({ code: 'STORE_FULL' });
    // The same message again: ingest has nothing new to say of it.
    await expect(ledger.write({}, { client: 'z2m', isResent: true })).rejects.toMatchObject({ code: 'STORE_FULL' });
    await ledger.write({ events: [event(start)] }, { client: 'camera', isResent: true });
    expect(faults).toHaveLength(1);
    disk.refuse = () => null;
    await ledger.write({}, { client: 'z2m', isResent: true });
    expect(values()).toEqual([1]);
    expect(faults.at(-1)).toBeNull();
  });

  test('gets them by itself once it takes readings again', async () => {
    const { ledger, disk, values, pay, faults } = bench();
    disk.refuse = full;
    await expect(ledger.write({ readings: [reading('a/b', start, 7)] })).rejects.toThrow();
    await pay();
    expect(values()).toEqual([]);
    disk.refuse = () => null;
    await pay();
    expect(values()).toEqual([7]);
    expect(faults).toEqual(['STORE_FULL for the test', null]);
  });
});

describe('one poisonous reading', () => {
  test('is named and left out; its neighbours and their alarm are stored, and the message is done', async () => {
    const { ledger, disk, values, written, refused } = bench();
    disk.refuse = ({ readings = [] }) => (readings.some(({ value }) => value === 666) ? 'STORE_BAD_READING' : null);
    const readings = [1, 666, 3].map((value) => reading('a/b', start + value, value));
    await ledger.write({ readings, alarms: [alarm(start)] }, { client: 'z2m', isResent: true });
    expect(values()).toEqual([1, 3]);
    expect(written.flatMap(({ alarms = [] }) => alarms)).toHaveLength(1);
    expect(refused).toEqual(['a/b']);
    await ledger.write({}, { client: 'z2m', isResent: true });
  });

  test('on a real disk an unknown point costs nobody else', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.registerPoints([point('m/known')]);
    const { ledger, refused } = bench({ append: (batch) => store.append(batch) });
    await ledger.write({
      readings: [reading('m/strange', start, 1), reading('m/known', start, 2)],
      events: [event(start)],
    });
    using reader = openReader(folder.path, new ManualClock(start));
    expect(reader.events(null, 10)).toHaveLength(1);
    expect(refused).toEqual(['m/strange']);
    const { latest } = await store.restore();
    expect(latest.map(({ ref, value }) => [ref, value])).toEqual([['m/known', 2]]);
  });
});

describe('a disk that takes nothing at all', () => {
  const away = () => 'STORE_IO';

  test('is owed the newest form of every alarm and state, and the events that nobody sends again', async () => {
    const { ledger, disk, written, pay } = bench();
    disk.refuse = away;
    const fire = alarm(start);
    const heard = event(start);
    const write = (batch: Batch, isResent: boolean) => ledger.write(batch, { isResent }).catch(() => {});
    await write({ alarms: [fire], state: { interlocks: 1 } }, false);
    await write({ alarms: [{ ...fire, count: 2 }], state: { interlocks: 2 }, events: [event(start)] }, true);
    await write({ events: [heard] }, false);
    disk.refuse = () => null;
    await pay();
    expect(written).toEqual([{ events: [heard], alarms: [{ ...fire, count: 2 }], state: { interlocks: 2 } }]);
  });

  test('an older form never replaces a newer one that was written meanwhile', async () => {
    const { ledger, disk, written, pay } = bench();
    disk.refuse = away;
    await ledger.write({ state: { interlocks: 'old' } }).catch(() => {});
    disk.refuse = () => null;
    await ledger.write({ state: { interlocks: 'new' } });
    await pay();
    expect(written).toEqual([{ state: { interlocks: 'new' } }]);
  });

  test('memory is bounded, and what was forced out is counted', async () => {
    const { ledger, disk } = bench();
    disk.refuse = away;
    const many = Array.from({ length: 500 }, (_, i) => reading('a/b', start + i, i));
    for (let i = 0; i < 50; i++) await ledger.write({ readings: many.map((one) => ({ ...one })) }).catch(() => {});
    expect(ledger.dropped).toBeGreaterThanOrEqual(5_000);
  });
});
