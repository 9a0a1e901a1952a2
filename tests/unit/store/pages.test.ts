import { describe, expect, test } from 'vitest';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import { AuditLog } from '#edge/store/audit-log.ts';
import { openDatabase } from '#edge/store/database.ts';
import { type AlarmFilter, type AuditFilter, openReader, type Reader } from '#edge/store/reader.ts';
import { alarm, open, start, temporaryFolder } from '../../fixtures/store/site.ts';

const minute = 60_000;

describe('the audit, newest first', () => {
  const folderOf = async (count: number) => {
    const folder = await temporaryFolder();
    const { db } = openDatabase(folder.path, start, 'trust');
    const log = new AuditLog(db, folder.path, start, (work) => work());
    db.transaction(() => {
      for (let n = 1; n <= count; n++) {
        const who = n % 10 === 0 ? 'person:lin' : n % 3 === 0 ? 'person:lina' : 'client:flows';
        log.append([start + n * minute, who, 'web', n === 7 ? 'set 100%_done' : `request relay-${n % 4}/r`, '', '']);
      }
    })();
    log.anchor();
    db.close();
    return folder;
  };
  const all = (reader: Reader, filter: Omit<AuditFilter, 'before'>) => {
    const found: number[] = [];
    for (let before: number | null | undefined; before !== null; ) {
      const page = reader.auditPage({ ...filter, ...(before === undefined ? {} : { before }) });
      expect(page.lines.length).toBeLessThanOrEqual(filter.limit);
      found.push(...page.lines.map(({ seq }) => seq));
      before = page.before;
    }
    return found;
  };
  const numbers = (fits: (n: number) => boolean) =>
    Array.from({ length: 100 }, (_, i) => 100 - i).filter((n) => fits(n));

  test('comes in pages that leave nothing out, filtered by who, what and when', async () => {
    await using folder = await folderOf(100);
    using reader = openReader(folder.path);
    expect(all(reader, { limit: 7 })).toEqual(numbers(() => true));
    expect(all(reader, { limit: 100 })).toHaveLength(100);
    expect(all(reader, { limit: 3, who: 'person:lin' })).toEqual(numbers((n) => n % 10 === 0 || n % 3 === 0));
    expect(all(reader, { limit: 3, who: 'lin' })).toEqual([]);
    expect(all(reader, { limit: 4, what: 'RELAY-2' })).toEqual(numbers((n) => n % 4 === 2));
    expect(all(reader, { limit: 4, what: '100%_' })).toEqual([7]);
    expect(all(reader, { limit: 4, what: '%' })).toEqual([7]);
    const [from, to] = [start + 20 * minute, start + 30 * minute];
    expect(all(reader, { limit: 4, from, to })).toEqual(numbers((n) => n >= 20 && n < 30));
    expect(reader.auditPage({ limit: 10, before: 1 })).toEqual({ lines: [], before: null });
    expect(reader.auditPage({ limit: 2, before: 10_000 }).before).toBe(99);
    expect(reader.newestAudit(2).map(({ seq }) => seq)).toEqual([100, 99]);
    expect(reader.auditHead()).toMatchObject({ seq: 100, time: start + 100 * minute });
  });

  test('is empty where there is none', async () => {
    await using folder = await folderOf(0);
    using reader = openReader(folder.path);
    expect(reader.auditPage({ limit: 10 })).toEqual({ lines: [], before: null });
    expect(reader.auditHead()).toBeNull();
  });
});

describe('alarms, newest raised first', () => {
  test('come in pages that leave nothing out, also of those raised at once, filtered by what they are and where', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    const zones = ['east', 'west', undefined] as const;
    const alarms = Array.from({ length: 60 }, (_, i): Alarm => {
      const zone = zones[i % 3];
      return alarm(start + Math.floor(i / 4) * minute, {
        class: i % 2 === 0 ? 'critical' : 'low',
        device: `meter-${i % 5}` as DeviceId,
        ...(zone === undefined ? {} : { zone: zone as ZoneId }),
        ...(i % 4 === 0 ? {} : { state: 'normal', active: false }),
      });
    });
    await store.append({ alarms });
    using reader = openReader(folder.path);
    const newestFirst = alarms.toSorted((a, b) => b.raised - a.raised || (a.id < b.id ? 1 : -1));
    const all = (filter: Omit<AlarmFilter, 'before'>) => {
      const found: Alarm[] = [];
      for (let page = reader.alarms(filter); page.length > 0; ) {
        found.push(...page);
        page = reader.alarms({ ...filter, before: page.at(-1)?.id ?? '' });
      }
      return found;
    };
    const expected = (fits: (one: Alarm) => boolean) => newestFirst.filter(fits);
    expect(all({ limit: 7 })).toEqual(newestFirst);
    expect(all({ limit: 2, open: true })).toEqual(expected(({ state }) => state !== 'normal'));
    expect(all({ limit: 7, open: false, class: 'critical' })).toEqual(
      expected((one) => one.state === 'normal' && one.class === 'critical'),
    );
    expect(all({ limit: 7, zones: ['east', 'nowhere'] })).toEqual(expected(({ zone }) => zone === 'east'));
    expect(all({ limit: 7, zones: [] })).toEqual([]);
    expect(all({ limit: 7, device: 'meter-3' })).toEqual(expected(({ device }) => device === 'meter-3'));
    const [from, to] = [start + 3 * minute, start + 6 * minute];
    expect(all({ limit: 7, from, to })).toEqual(expected(({ raised }) => raised >= from && raised < to));
    expect(reader.alarms({ limit: 5, before: alarm(start).id })).toEqual([]);
  });
});
