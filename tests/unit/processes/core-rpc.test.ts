import { existsSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { samplesTopic } from '#edge/bus/topics.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { connectRpc, type RpcClient } from '#edge/runtime/rpc.ts';
import { verifyAudit } from '#edge/store/audit-chain.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import { firePanel, type SafetyCore, startSafetyCore, temporaryData, until } from '../../system/safety-core.ts';

/* The calls of people, on a real core with its broker, store and socket. */

const asked = { who: 'person:lin', from: '192.0.2.7' };
const output = 'relay-1/relay_1';

let data: ReturnType<typeof temporaryData>;
let core: SafetyCore;
let rpc: RpcClient;
let reader: Reader;

const begin = async () => {
  core = await startSafetyCore({ data: data.path });
  rpc = connectRpc(join(data.path, 'core.sock'));
};
const end = async () => {
  await rpc[Symbol.asyncDispose]();
  await core[Symbol.asyncDispose]();
};

beforeAll(async () => {
  data = temporaryData();
  reader = openReader(data.path);
  await begin();
});
afterAll(async () => {
  await end();
  reader[Symbol.dispose]();
  data[Symbol.dispose]();
});

/** Core writes lines of its own beside those of people. */
const written = () => reader.newestAudit(30).map(({ who, from, what, why }) => [who, from, what, why]);
const down = {
  name: 'uplink',
  state: 'backing-off' as const,
  pid: null,
  restarts: 1,
  since: 0,
  lastExit: 'code 1',
  rss: null,
  loopDelay: null,
};
const openAlarm = async (source: string) => {
  await until(() => expect(core.alarms.get(source)).toBeDefined());
  return core.alarms.get(source)?.id ?? '';
};

describe('core', () => {
  test('writes down who asked and from where, and takes nothing from anybody without a name', async () => {
    const wish = { ref: output, value: true, priority: 8, seconds: 60, reason: 'cold' };
    expect(await rpc.call('request', { ...wish, ...asked })).toMatchObject({ accepted: true });
    expect(written()).toContainEqual(['person:lin', '192.0.2.7', `request ${output}=true at 8 for 60 s`, 'cold']);
    expect(reader.requests(1)[0]?.request).toMatchObject({ person: 'lin', who: 'person:lin', client: 'web' });
    await rpc.call('request', { ...wish, value: null, who: 'token:timetable', from: '::1' });
    expect(written()).toContainEqual(['token:timetable', '::1', `relinquish ${output}`, 'cold']);
    expect(reader.requests(1)[0]?.request).not.toHaveProperty('person');
    for (const who of ['lin', 'client:flows', 'process:core', 'person:Lin']) {
      await expect(rpc.call('request', { ...wish, who, from: '' }), who).rejects.toMatchObject({ code: 'RPC_PARAMS' });
    }
    await expect(rpc.call('request', { ...wish, person: 'admin' })).rejects.toMatchObject({ code: 'RPC_PARAMS' });
  });

  test('keeps documents, each change only from the revision that was seen', async () => {
    const asset = { number: 'A-1', notes: '首次登记' };
    const put = { kind: 'asset', id: 'meter-main', why: 'stocktaking', ...asked };
    expect(await rpc.call('document.put', { ...put, rev: 0, body: asset })).toEqual({ rev: 1 });
    expect(reader.document('asset', 'meter-main')?.body).toMatchObject({ ...asset, make: '', maintenance: [] });
    expect(written()).toContainEqual(['person:lin', '192.0.2.7', 'asset.create meter-main', 'stocktaking']);
    const both = await Promise.allSettled(
      ['A-2', 'A-3'].map((number) => rpc.call('document.put', { ...put, rev: 1, body: { ...asset, number } })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find((one) => one.status === 'rejected')?.reason).toMatchObject({ code: 'DOCUMENT_CHANGED' });
    expect(await rpc.call('document.put', { ...put, rev: 2, body: null, what: 'asset.forget meter-main' })).toEqual({
      rev: 0,
    });
    expect(written()).toContainEqual(['person:lin', '192.0.2.7', 'asset.forget meter-main', 'stocktaking']);
    for (const [wrong, says] of [
      [{ body: { ...asset, colour: 'red' }, rev: 0 }, 'asset: '],
      [{ body: null, rev: 0 }, 'nothing to remove'],
      [{ kind: 'secret', body: {}, rev: 0 }, 'kind'],
      [{ id: '../x', body: asset, rev: 0 }, 'id'],
    ] as const) {
      const refused = rpc.call('document.put', { ...put, ...wrong });
      await expect(refused).rejects.toMatchObject({ code: 'RPC_PARAMS', message: expect.stringContaining(says) });
    }
  });

  test('copies its database while it works, to nowhere but the data folder', async () => {
    const folder = join(data.path, 'backups');
    mkdirSync(folder);
    symlinkSync('/tmp', join(data.path, 'elsewhere'));
    const file = join(folder, 'copy.db');
    const copied = await rpc.call('store.copy', { file });
    expect(copied).toEqual({
      bytes: statSync(file).size,
      head: expect.stringMatching(/^\d+ \d+ [0-9a-f]{64} [0-9a-f]{64}\n$/),
    });
    await expect(rpc.call('store.copy', { file })).rejects.toMatchObject({ code: 'STORE_COPY' });
    for (const wrong of [
      'copy.db',
      '/tmp/copy.db',
      join(data.path, '../copy.db'),
      join(data.path, 'elsewhere/copy.db'),
      join(data.path, 'campus.db-wal'),
      join(data.path, 'nowhere/copy.db'),
    ]) {
      await expect(rpc.call('store.copy', { file: wrong }), wrong).rejects.toMatchObject({ code: 'RPC_PARAMS' });
    }
    expect(existsSync('/tmp/copy.db')).toBe(false);
  });

  test('forgets a line of the inbox until it is heard again, and its audit verifies', async () => {
    const panel = await core.join('fire-panel');
    await panel.publishAsync(samplesTopic('fire-panel' as DeviceId), 'nonsense', { qos: 1 });
    const [line] = reader.inbox(10);
    expect(line).toBeDefined();
    await rpc.call('inbox.forget', { key: line?.key });
    expect(reader.inbox(10).map(({ key }) => key)).not.toContain(line?.key);
    expect(await verifyAudit(data.path)).toMatchObject({ ok: true, faults: [] });
  });

  test('shelves an alarm for everybody until somebody takes it back, and never one that protects lives', async () => {
    core.tellProcesses([down]);
    const id = await openAlarm('process:uplink');
    const shelf = { by: 'lin', reason: 'line is being mended' };
    const call = (method: string, more: object) => rpc.call(method, { id, ...more, ...asked });
    const shelved = await call('alarm.shelve', { minutes: 30, reason: shelf.reason });
    expect(shelved).toMatchObject({ id, state: 'unacknowledged', shelved: shelf });
    await until(() => expect(core.alarms.get('process:uplink')).toMatchObject({ shelved: shelf }));
    expect(reader.alarms({ open: true, limit: 10 }).find((one) => one.id === id)).toMatchObject({ shelved: shelf });
    expect(written()).toContainEqual([
      'person:lin',
      '192.0.2.7',
      `alarm.shelve ${id} (process:uplink) for 30 min`,
      'line is being mended',
    ]);
    expect(await call('alarm.unshelve', {})).not.toHaveProperty('shelved');
    await expect(call('alarm.shelve', { minutes: 481, reason: 'x' })).rejects.toMatchObject({ code: 'RPC_PARAMS' });

    await firePanel(await core.join('fire-panel'), true);
    const fire = await openAlarm('interlock:fire');
    const refused = rpc.call('alarm.shelve', { id: fire, minutes: 1, reason: 'x', ...asked });
    await expect(refused).rejects.toMatchObject({ code: 'ALARM_NOT_SHELVABLE' });
  });

  test('remembers over a restart what is shelved', async () => {
    const leak = async (isWet: boolean) => {
      const bridge = await core.join('zigbee2mqtt');
      await bridge.publishAsync('zigbee2mqtt/leak-kitchen', JSON.stringify({ water_leak: isWet }), { qos: 1 });
    };
    await leak(true);
    const id = await openAlarm('interlock:leak');
    await rpc.call('alarm.shelve', { id, minutes: 480, reason: 'the floor is being washed', ...asked });
    await end();
    await begin();
    await until(() => expect(core.alarms.get('interlock:leak')).toMatchObject({ id, shelved: { by: 'lin' } }));
    await leak(false);
    await until(() =>
      expect(core.alarms.get('interlock:leak')).toMatchObject({ state: 'returned', shelved: { by: 'lin' } }),
    );
    await rpc.call('alarm.acknowledge', { id, note: 'dry', ...asked });
    expect(reader.alarms({ open: false, limit: 10 })[0]).not.toHaveProperty('shelved');
    expect(written()).toContainEqual(['person:lin', '192.0.2.7', `alarm.acknowledge ${id} (interlock:leak)`, 'dry']);
    const ended = `alarm.unshelve ${id} (interlock:leak)`;
    expect(written()).toContainEqual(['process:core', 'core', ended, 'the alarm ended']);
  });
});
