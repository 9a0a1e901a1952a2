import { encode } from 'uqr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AssetView, ImportView } from '#edge/web/place-schemas.ts';
import { jsonBody, type PlaceRoom, startPlaceRoom } from './place-room.ts';
import { rawRequest } from './web-room.ts';

let room: PlaceRoom;
beforeAll(async () => {
  room = await startPlaceRoom();
});
afterAll(async () => await room[Symbol.asyncDispose]());

const fields = {
  number: '',
  make: '',
  model: '',
  serial: '',
  place: '',
  bought: null,
  warranty: null,
  every: null,
  responsible: null,
  notes: '',
};
const all = async (ask: PlaceRoom['ask'] = room.ask) => (await (await ask('/api/v1/assets')).json()) as AssetView[];
const one = async (device: string) => (await all()).find((asset) => asset.device === device);
const put = (device: string, change: object, rev: number) =>
  room.ask(`/api/v1/assets/${device}`, jsonBody('PUT', { ...fields, ...change, rev }));
const bring = (table: string | Buffer, write = false, ask: PlaceRoom['ask'] = room.ask) =>
  ask(`/api/v1/assets.csv?write=${write}`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: typeof table === 'string' ? table : new Uint8Array(table),
  });
const brought = async (table: string | Buffer, write = false): Promise<ImportView> =>
  (await (await bring(table, write)).json()) as ImportView;

describe('the register', () => {
  test('has a line for each device, with make and model of its profile where nobody wrote any', async () => {
    expect(await one('meter-main')).toMatchObject({
      rev: 0,
      make: '',
      profileMake: 'Eastron',
      profileModel: 'SDM630',
      due: null,
      maintenance: [],
    });
    expect(await one('smoke-101')).toMatchObject({ profileMake: '', profileModel: '' });
    const guard = await room.as(['see'], ['gate']);
    expect(new Set((await all(guard)).map(({ zone }) => zone))).toEqual(new Set(['gate']));
  });

  test('is written with a revision, keeps maintenance apart, and reckons when the next is due', async () => {
    const first = await put('meter-canteen', { bought: '2025-12-31', every: 60, responsible: 'facility' }, 0);
    expect(await first.json()).toMatchObject({ rev: 1, due: '2026-03-01', responsible: 'facility' });
    const late = await put('meter-canteen', {}, 0);
    expect([late.status, ((await late.json()) as { error: string }).error]).toEqual([409, 'document-changed']);
    const maintain = (date: string, note = '校验') =>
      room.ask('/api/v1/assets/meter-canteen/maintenance', jsonBody('POST', { date, note }));
    await maintain('2026-01-10');
    const newer = (await (await maintain('2026-02-20')).json()) as AssetView;
    const older = (await (await maintain('2026-02-01')).json()) as AssetView;
    expect(newer.due).toBe('2026-04-21');
    expect(older.due).toBe('2026-04-21');
    expect(older.maintenance.map(({ date }) => date)).toEqual(['2026-02-20', '2026-02-01', '2026-01-10']);
    await put('meter-canteen', { every: 30 }, older.rev);
    expect(await one('meter-canteen')).toMatchObject({ due: '2026-03-22', maintenance: older.maintenance });
    expect((await maintain('2999-01-01')).status).toBe(400);
    expect((await maintain('2026-02-30')).status).toBe(400);
  });

  test('of another zone is as if it were not there', async () => {
    const guard = await room.as(['see', 'assets'], ['gate']);
    const tries = await Promise.all([
      guard('/api/v1/assets/meter-main', jsonBody('PUT', { ...fields, rev: 0 })),
      guard('/api/v1/assets/meter-main/maintenance', jsonBody('POST', { date: '2026-01-01', note: 'x' })),
      guard('/api/v1/assets/meter-main/label.svg'),
      guard('/api/v1/assets/labels.html?devices=camera-gate,meter-main'),
    ]);
    expect(tries.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    const table = await bring('设备编号,厂家\nmeter-main,x\n', true, guard);
    expect(await table.json()).toMatchObject({
      written: false,
      mistakes: [{ line: 2, message: expect.stringContaining('no device "meter-main"') }],
    });
  });

  test.each([
    { every: 0 },
    { bought: '2026-13-01' },
    { bought: '1.1.2026' },
    { responsible: 'boss' },
    { number: 'x'.repeat(65) },
    { extra: 1 },
    { maintenance: [] },
  ])('refuses %j', async (change) => {
    expect((await put('plug-1', change, 0)).status).toBe(400);
  });
});

describe('as a table', () => {
  test('goes out and comes back as it was, in both languages, with whatever people wrote', async () => {
    const nasty = {
      number: "=cmd|'/c calc'!A1",
      make: '+1,"quoted"',
      model: '-2\n two lines',
      serial: '@SUM(A1)',
      place: "'=already",
      notes: '<script>alert(1)</script>；中文，逗号',
      bought: '2024-02-29',
      every: 365,
      responsible: 'security',
    };
    const before = (await one('plug-1'))?.rev ?? 0;
    expect((await put('plug-1', nasty, before)).status).toBe(200);
    for (const lang of ['zh', 'en']) {
      const answer = await room.ask(`/api/v1/assets.csv?lang=${lang}`);
      expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
      expect(answer.headers.get('content-disposition')).toBe('attachment; filename="assets.csv"');
      const bytes = Buffer.from(await answer.arrayBuffer());
      expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
      const text = bytes.toString('utf8');
      expect(text).toContain(lang === 'zh' ? '资产编号' : 'Asset number');
      // No cell begins like a formula, whichever way it is quoted.
      expect(text).not.toMatch(/(^|,|\n)"?[=+\-@]/);
      expect(await brought(bytes)).toMatchObject({ written: false, changed: 0, mistakes: [] });
    }
    const machine = await room.as(['see', 'export'], ['gate']);
    expect((await (await machine('/api/v1/assets.csv')).text()).includes('plug-1')).toBe(false);
    expect(room.audited.map(({ what }) => what)).toContain('export assets');
  });

  test('shows first, writes all when asked, and leaves columns alone that are not in it', async () => {
    const table =
      '﻿设备编号,厂家,购置日期,维护周期（天）,负责角色,上次维护\r\ndoor-gate,绿米,2026/9/1,90,安保,\r\nplug-1,,,,,\r\n';
    expect(await brought(table)).toEqual({ written: false, changed: 2, same: 0, mistakes: [] });
    expect(await one('door-gate')).toMatchObject({ rev: 0 });
    expect(await brought(table, true)).toEqual({ written: true, changed: 2, same: 0, mistakes: [] });
    expect(await one('door-gate')).toMatchObject({
      rev: 1,
      make: '绿米',
      bought: '2026-09-01',
      every: 90,
      responsible: 'security',
    });
    expect(await one('plug-1')).toMatchObject({ make: '', bought: null, serial: '@SUM(A1)' });
    expect(await brought(table, true)).toEqual({ written: false, changed: 0, same: 2, mistakes: [] });
  });

  test('in GB18030, with semicolons or tabs, as spreadsheets of the region write them', async () => {
    const gb = Buffer.concat([
      Buffer.from([0xc9, 0xe8, 0xb1, 0xb8, 0xb1, 0xe0, 0xba, 0xc5]), // 设备编号
      Buffer.from(','),
      Buffer.from([0xb3, 0xa7, 0xbc, 0xd2]), // 厂家
      Buffer.from('\r\nair-201,'),
      Buffer.from([0xd5, 0xfd, 0xcc, 0xa9]), // 正泰
      Buffer.from('\r\n'),
    ]);
    expect(await brought(gb, true)).toMatchObject({ written: true, changed: 1 });
    expect(await one('air-201')).toMatchObject({ make: '正泰' });
    expect(await brought('Device;Make\nair-201;Chint\n')).toMatchObject({ changed: 1, mistakes: [] });
    expect(await brought('Device\tMake\nair-201\tChint\n')).toMatchObject({ changed: 1, mistakes: [] });
  });

  test('with mistakes is not written at all, and says line and column of each', async () => {
    const table = [
      '设备编号,厂家,购置日期,维护周期（天）,负责角色',
      'door-gate,"two',
      'lines",2026-09-01,,',
      'door-gate,x,,,',
      'leak-kitchen,x,31.12.2026,0,boss',
      'no-such,,,,',
      ',,,,',
    ].join('\n');
    const answer = await brought(table, true);
    expect(answer.written).toBe(false);
    expect(answer.mistakes.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '4 column Device: "door-gate" is on line 2 already',
      expect.stringMatching(/^5 column 3 \(购置日期\): "31\.12\.2026" is no date/),
      expect.stringMatching(/^5 column 4 \(维护周期（天）\): must be 1 to 3650/),
      expect.stringMatching(/^5 column 5 \(负责角色\): "boss" is no role: 安保、后勤/),
      '6 column Device: there is no device "no-such"',
      '7 column Device: is empty',
    ]);
    expect(await one('door-gate')).toMatchObject({ rev: 1, make: '绿米' });
  });

  test.each<[string, string | Buffer, RegExp]>([
    ['no device column', '厂家\nx\n', /no column "设备编号"/],
    ['an unknown column', '设备编号,颜色\ndoor-gate,red\n', /"颜色" is no column/],
    ['a column twice', '设备编号,厂家,Make\ndoor-gate,a,b\n', /is there twice/],
    ['a cell without header', '设备编号\ndoor-gate,surprise\n', /column 2: has no header/],
    ['nothing', '', /no column "设备编号"/],
  ])('with %s says so', async (_, table, why) => {
    const { written, mistakes } = await brought(table, true);
    expect(written).toBe(false);
    expect(mistakes[0]?.message).toMatch(why);
  });

  test.each<[string, string | Buffer, number]>([
    ['an open quote', '设备编号,厂家\ndoor-gate,"x\n', 400],
    ['binary', Buffer.from([0xff, 0xfe, 0x00, 0x01, 0x80, 0xff]), 400],
    ['UTF-16', Buffer.from('设备编号,厂家\n', 'utf16le'), 400],
    ['a hundred thousand columns', `设备编号${',x'.repeat(100_000)}\n`, 400],
    ['a hundred thousand lines', `设备编号\n${'door-gate\n'.repeat(100_000)}`, 400],
    ['a megabyte in a cell', `设备编号,备注\ndoor-gate,${'x'.repeat(1_000_000)}\n`, 400],
    ['more than 2 MB', `设备编号\n${'x'.repeat(2_000_001)}`, 413],
  ])('that is %s is refused', async (_, table, status) => {
    const answer = await bring(table, true);
    expect(answer.status).toBe(status);
  });

  test('sent as anything but a table is not read', async () => {
    const json = await room.ask('/api/v1/assets.csv?write=true', jsonBody('POST', {}));
    expect(json.status).toBe(415);
  });

  test('is all or nothing: what was written before somebody else’s change is taken back', async () => {
    let calls = 0;
    const clash = await startPlaceRoom();
    await using _ = clash;
    const bringTo = (table: string, ask = clash.ask) =>
      ask('/api/v1/assets.csv?write=true', { method: 'POST', headers: { 'content-type': 'text/csv' }, body: table });
    await clash.ask('/api/v1/assets/door-gate', jsonBody('PUT', { ...fields, make: 'before', rev: 0 }));
    // The reader sees revision 1; core has a later one for the last device of the table.
    const table = `设备编号,厂家\ndoor-gate,after\nmeter-main,after\nair-201,${'after'}\n`;
    const append = clash.open.append.bind(clash.open);
    clash.open.append = async (batch) => {
      if (batch.documents?.[0]?.id === 'air-201' && calls++ === 0) {
        await append({
          documents: [{ ...batch.documents[0], body: { ...fields, make: 'somebody else', maintenance: [] } }],
        });
      }
      await append(batch);
    };
    const answer = await bringTo(table);
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([409, 'document-changed']);
    const after = await all(clash.ask);
    const made = (device: string) => after.find((asset) => asset.device === device)?.make;
    expect([made('door-gate'), made('meter-main'), made('air-201')]).toEqual(['before', '', 'somebody else']);
  });
});

describe('labels', () => {
  test('show names, number and a code of the device’s page, and nothing that runs', async () => {
    const rev = (await one('camera-gate'))?.rev ?? 0;
    await put('camera-gate', { number: '</text><script>alert(1)</script>&"' }, rev);
    const label = await room.ask('/api/v1/assets/camera-gate/label.svg');
    expect(label.headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox",
    );
    const text = await label.text();
    expect(text).toContain('width="62mm" height="29mm"');
    expect(text).toContain('校门摄像机');
    expect(text).toContain('Gate camera');
    expect(text).toContain('青禾实验小学');
    expect(text).toContain('&lt;/text&gt;&lt;script&gt;');
    expect(text).not.toContain('<script');
  });

  test('a sheet for A4 has one for each device asked for, once', async () => {
    const sheet = await room.ask('/api/v1/assets/labels.html?devices=camera-gate,meter-main,camera-gate');
    expect(sheet.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const text = await sheet.text();
    expect(text.match(/<li>/g)).toHaveLength(2);
    expect(text).toContain('size: A4');
    expect(text).not.toContain('<script');
    expect((await room.ask('/api/v1/assets/labels.html')).status).toBe(400);
    expect((await room.ask('/api/v1/assets/labels.html?devices=%3Cscript%3E')).status).toBe(404);
  });

  test('the code is the one of that address, drawn square by square', async () => {
    const text = await (await room.ask('/api/v1/assets/meter-main/label.svg')).text();
    const { data, size } = encode(`${room.url}/#/devices/meter-main`, { ecc: 'M', border: 1 });
    const module = 25 / size;
    const drawn = data.map((row) => row.map(() => false));
    for (const [, x, y, width] of text.matchAll(/M([\d.]+) ([\d.]+)h([\d.]+)v/g)) {
      const at = (mm: string | undefined) => Math.round((Number(mm) - 2) / module);
      const row = drawn[at(y)];
      row?.fill(true, at(x), at(x) + Math.round(Number(width) / module));
    }
    expect(drawn).toEqual(data);
  });

  test('the code leads to the name under which the campus was asked, when that is one', async () => {
    const ask = (host: string) =>
      rawRequest(room, '/api/v1/assets/meter-main/label.svg', {
        headers: { authorization: `Bearer ${room.token}`, host },
      });
    const here = await ask(`127.0.0.1:${room.port}`);
    const there = await ask(`localhost:${room.port}`);
    expect([here.status, there.status]).toEqual([200, 200]);
    expect(here.body).not.toBe(there.body);
    for (const host of ['evil.example', '"><script>', 'a b']) {
      expect([400, 421], host).toContain((await ask(host)).status);
    }
  });
});
