import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { InboxEntry } from '#edge/domain/audit.ts';
import { createTryProfile } from '#edge/processes/web/try-profile.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { InboxView, ProfileView } from '#edge/web/place-schemas.ts';
import { jsonBody, type PlaceRoom, startPlaceRoom } from './place-room.ts';

const asked: { method: string; params: unknown }[] = [];
let room: PlaceRoom;

const line = (key: string, topic: string, payload: unknown, kind = 'unknown-device'): InboxEntry => ({
  kind,
  key,
  topic,
  client: 'zigbee2mqtt',
  message: `no device for ${key}`,
  excerpt: typeof payload === 'string' ? payload : JSON.stringify(payload),
  time: Date.now(),
});

beforeAll(async () => {
  const record = (method: string, answer: unknown) => async (params: unknown) => {
    asked.push({ method, params });
    return answer;
  };
  room = await startPlaceRoom({
    methods: {
      'inbox.forget': record('inbox.forget', {}),
      'device.adopt': async (params) => {
        asked.push({ method: 'device.adopt', params });
        if (JSON.stringify(params).includes('refuse')) throw new CodedError('ADOPT_REFUSED', 'id: "refuse" is taken');
        return { id: 'x', restarts: ['core', 'web'] };
      },
      'device.give-up': record('device.give-up', { id: 'x', restarts: ['core', 'web'] }),
    },
  });
});
afterAll(async () => await room[Symbol.asyncDispose]());

const inbox = async (ask: PlaceRoom['ask'] = room.ask) => (await (await ask('/api/v1/inbox')).json()) as InboxView[];
const suggestion = async (entry: InboxEntry) => {
  await room.open.append({ inbox: [entry] });
  return (await inbox()).find(({ key }) => key === entry.key)?.suggestion;
};

describe('a stranger in the inbox is suggested', () => {
  test.each<[string, InboxEntry, object | null]>([
    [
      'a Zigbee climate sensor, by what it measures',
      line('zigbee2mqtt/Room 301', 'zigbee2mqtt/Room 301', {
        temperature: 21,
        humidity: 40,
        battery: 90,
        linkquality: 60,
      }),
      { id: 'room-301', profile: 'sensor/zigbee-climate', address: { zigbee2mqtt: 'Room 301' } },
    ],
    [
      'a Zigbee smoke detector',
      line('zigbee2mqtt/0x00158d0001', 'zigbee2mqtt/0x00158d0001', { smoke: false, battery: 100, linkquality: 60 }),
      { id: '0x00158d0001', profile: 'sensor/zigbee-smoke', address: { zigbee2mqtt: '0x00158d0001' } },
    ],
    [
      'a button, which has nothing but a battery',
      line('zigbee2mqtt/gate/button', 'zigbee2mqtt/gate/button', { action: 'single', battery: 100, linkquality: 60 }),
      { id: 'gate-button', profile: 'sensor/zigbee-button', address: { zigbee2mqtt: 'gate/button' } },
    ],
    [
      'a Zigbee device with an id that is taken, and half a message',
      line('zigbee2mqtt/Smoke-101', 'zigbee2mqtt/Smoke-101', '{"occupancy": true, "illuminance": 12, "lon'),
      { id: 'smoke-101-2', profile: 'sensor/zigbee-occupancy', address: { zigbee2mqtt: 'Smoke-101' } },
    ],
    [
      'a Tasmota plug',
      line('tasmota/plug-9', 'tele/plug-9/SENSOR', { Time: '2026-01-01T00:00:00', ENERGY: { Power: 12, Total: 1 } }),
      { id: 'plug-9', profile: 'sensor/tasmota-plug', address: { tasmota: 'plug-9' } },
    ],
    [
      'a device that announces itself',
      line('homeassistant/esp-air-302', 'homeassistant/sensor/esp-air-302/co2/config', { name: 'CO2' }),
      { id: 'esp-air-302', profile: 'sensor/discovered', address: { homeassistant: 'esp-air-302' } },
    ],
    [
      'a device with plain JSON samples',
      line('air-9', 'v1/in/air-9/samples', {
        t: 1,
        s: [
          ['co2', 640],
          ['pm2_5', 3],
        ],
      }),
      { id: 'air-9', profile: 'sensor/json-air', address: { json: true } },
    ],
    [
      'a name without a Latin letter',
      line('zigbee2mqtt/一号楼', 'zigbee2mqtt/一号楼', 'not json at all'),
      { id: 'sensor', profile: null, address: { zigbee2mqtt: '一号楼' } },
    ],
    ['nothing for a topic of no convention', line('foo/bar', 'foo/bar', { temperature: 1 }), null],
    ['nothing for what cannot be read', line('plug-1/SENSOR', 'tele/x/SENSOR', 'x', 'malformed'), null],
    [
      'and its words are data, whatever they are',
      line('zigbee2mqtt/<img src=x onerror=alert(1)>', 'zigbee2mqtt/<img src=x onerror=alert(1)>', {
        ['__proto__']: 1,
        constructor: 1,
        water_leak: true,
      }),
      {
        id: 'img-src-x-onerror-alert-1',
        profile: 'sensor/zigbee-water-leak',
        address: { zigbee2mqtt: '<img src=x onerror=alert(1)>' },
      },
    ],
  ])('%s', async (_, entry, expected) => {
    expect(await suggestion(entry)).toEqual(expected);
  });
});

describe('a line of the inbox', () => {
  test('is ignored and shown again, and the audit says so', async () => {
    await room.open.append({ inbox: [line('zigbee2mqtt/dull', 'zigbee2mqtt/dull', {})] });
    const isIgnored = async () => (await inbox()).find(({ key }) => key === 'zigbee2mqtt/dull')?.ignored;
    const ignore = (key: string, ignored: boolean) =>
      room.ask('/api/v1/inbox/ignore', jsonBody('POST', { key, ignored }));
    expect((await ignore('zigbee2mqtt/dull', true)).status).toBe(204);
    expect((await ignore('zigbee2mqtt/dull', true)).status).toBe(204);
    expect(await isIgnored()).toBe(true);
    expect((await ignore('zigbee2mqtt/dull', false)).status).toBe(204);
    expect(await isIgnored()).toBe(false);
    expect((await ignore('never heard', true)).status).toBe(404);
  });

  test('is forgotten by core', async () => {
    await room.open.append({ inbox: [line('zigbee2mqtt/gone', 'zigbee2mqtt/gone', {})] });
    const forget = (key: string) => room.ask(`/api/v1/inbox?key=${encodeURIComponent(key)}`, { method: 'DELETE' });
    expect((await forget('zigbee2mqtt/gone')).status).toBe(204);
    expect(asked.at(-1)).toEqual({ method: 'inbox.forget', params: { key: 'zigbee2mqtt/gone' } });
    expect(room.audited.at(-1)).toMatchObject({ what: 'inbox.forget zigbee2mqtt/gone' });
    expect((await forget('never heard')).status).toBe(404);
  });

  test('is seen in its zone when it is about a point of a known device, and by those of the whole campus otherwise', async () => {
    await room.open.append({
      inbox: [
        line('camera-gate/odd', 'v1/in/camera-gate/samples', {}, 'unknown-point'),
        line('meter-main/odd', 'v1/in/meter-main/samples', {}, 'unknown-point'),
      ],
    });
    const guard = await room.as(['devices'], ['gate']);
    expect((await inbox(guard)).map(({ key }) => key)).toEqual(['camera-gate/odd']);
    const hide = await guard('/api/v1/inbox/ignore', jsonBody('POST', { key: 'meter-main/odd', ignored: true }));
    expect(hide.status).toBe(404);
    expect((await (await room.as(['see', 'system', 'assets']))('/api/v1/inbox')).status).toBe(403);
  });
});

describe('adopting', () => {
  const device = {
    id: 'meter-new',
    name: { zh: '新电表', en: 'New meter' },
    profile: 'meter/eastron-sdm630',
    zone: 'gate',
    address: { tcp: { host: '192.0.2.7', port: 502 }, unit: 1 },
  };
  const adopt = (change: object, ask: PlaceRoom['ask'] = room.ask) =>
    ask('/api/v1/devices', jsonBody('POST', { ...device, ...change }));

  test('is done by core, in the name of who asks', async () => {
    const answer = await adopt({ inboxKey: 'x' });
    expect(await answer.json()).toEqual({ id: 'x', restarts: ['core', 'web'] });
    expect(asked.at(-1)).toEqual({
      method: 'device.adopt',
      params: { device, inboxKey: 'x', who: 'token:local', from: '127.0.0.1' },
    });
    const refused = await adopt({ id: 'refuse' });
    expect([refused.status, await refused.json()]).toEqual([
      409,
      { error: 'adopt-refused', message: 'id: "refuse" is taken' },
    ]);
  });

  test('is possible into one’s own zones only', async () => {
    const guard = await room.as(['devices'], ['gate']);
    expect((await adopt({}, guard)).status).toBe(200);
    const [elsewhere, nowhere] = [await adopt({ zone: 'teaching' }, guard), await adopt({ zone: 'nowhere' }, guard)];
    expect([elsewhere.status, nowhere.status]).toEqual([404, 404]);
    expect((await guard('/api/v1/devices/meter-main', { method: 'DELETE' })).status).toBe(404);
    expect((await guard('/api/v1/devices/camera-gate', { method: 'DELETE' })).status).toBe(200);
    expect(asked.at(-1)).toMatchObject({ method: 'device.give-up', params: { id: 'camera-gate' } });
  });

  test.each<[string, object]>([
    ['a password file of this machine', { host: '192.0.2.7', username: 'a', passwordFile: '/work/data/admin-token' }],
    ['a file deep inside', { tcp: { host: 'x', certFile: '/etc/passwd' } }],
    ['a path that is no serial port', { serial: { path: '/etc/passwd' }, unit: 1 }],
    ['a serial port with a way out', { serial: { path: '/dev/tty/../mem' }, unit: 1 }],
    ['a path elsewhere', { tcp: { host: 'x', path: '/dev/ttyUSB0' } }],
  ])('an address with %s is refused, and so is trying it', async (_, address) => {
    const before = asked.length;
    for (const answer of [
      await adopt({ address }),
      await room.ask('/api/v1/profiles/try', jsonBody('POST', { profile: 'camera/onvif-generic', address })),
    ]) {
      expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([400, 'bad-address']);
    }
    expect(asked.length).toBe(before);
  });

  test('an address may name a serial port, and the path of a camera’s service', async () => {
    expect((await adopt({ address: { serial: { path: '/dev/ttyUSB0' }, unit: 1 } })).status).toBe(200);
    expect((await adopt({ address: { host: 'x', path: '/onvif/device_service' } })).status).toBe(200);
  });
});

describe('profiles', () => {
  test('are listed with what they have and an address to begin with', async () => {
    const profiles = (await (await room.ask('/api/v1/profiles')).json()) as ProfileView[];
    expect(profiles.find(({ id }) => id === 'relay/waveshare-relay-8')).toMatchObject({
      kind: 'relay',
      protocol: 'modbus',
      outputs: 8,
      addressExample: { tcp: { port: 502 }, unit: 1 },
    });
    expect(profiles.find(({ id }) => id === 'sensor/zigbee-smoke')?.addressExample).toEqual({ zigbee2mqtt: 'smoke' });
    expect(Object.keys(profiles[0] ?? {})).not.toContain('paths');
  });

  test('are tried by the real driver, and the audit has the address without its passwords', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const address = closed.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await new Promise((resolve) => closed.close(resolve));
    const tried = await room.ask(
      '/api/v1/profiles/try',
      jsonBody('POST', {
        profile: 'camera/onvif-generic',
        address: { host: '127.0.0.1', port, username: 'campus', password: 'hunter2' },
      }),
    );
    const answer = (await tried.json()) as { ok: boolean; message: string };
    expect(answer).toMatchObject({ ok: false, message: expect.stringMatching(/127\.0\.0\.1|ECONNREFUSED|refused/) });
    expect(room.audited.at(-1)).toMatchObject({
      what: 'device.try camera/onvif-generic',
      why: `{"host":"127.0.0.1","port":${port},"username":"campus","password":"(secret)"}`,
    });
    expect(JSON.stringify(room.audited)).not.toContain('hunter2');
  });

  test('that do not exist cannot be tried, nor by whoever may not', async () => {
    const body = jsonBody('POST', { profile: 'meter/../../etc/passwd', address: {} });
    expect((await room.ask('/api/v1/profiles/try', body)).status).toBe(404);
    expect((await (await room.as(['see', 'operate']))('/api/v1/profiles/try', body)).status).toBe(403);
  });
});

describe('the process in which a device is tried', () => {
  const folder = mkdtempSync(join(tmpdir(), 'try-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const program = (name: string, text: string) => {
    const file = join(folder, `${name}.mjs`);
    writeFileSync(file, text);
    return file;
  };
  /** One that is dead and that nobody has buried yet is dead. */
  const isAlive = (pid: number) => {
    try {
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };
  const never = new AbortController().signal;

  test('gets the address by standard input and nothing of our environment', async () => {
    const file = program(
      'echo',
      `let text = ''; for await (const chunk of process.stdin) text += chunk;
       const message = JSON.stringify({ text, argv: process.argv.slice(2), env: Object.keys(process.env) });
       console.log(JSON.stringify({ ok: true, message, ms: 1, points: [] }));`,
    );
    const { message } = await createTryProfile({ program: file })('meter/x', { password: 'hunter2' }, never);
    const seen = JSON.parse(message) as { text: string; argv: string[]; env: string[] };
    expect(seen.text).toBe('{"password":"hunter2"}');
    expect(seen.argv.join(' ')).not.toContain('hunter2');
    expect(seen.env).toEqual([]);
  });

  test('is ended with all that it started when it takes too long, and when nobody waits any more', async () => {
    const file = program(
      'hang',
      `import { spawn } from 'node:child_process'; import { writeFileSync } from 'node:fs';
       const own = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
       writeFileSync(${JSON.stringify(join(folder, 'pids'))}, JSON.stringify([process.pid, own.pid]));
       setInterval(() => {}, 1000);`,
    );
    const pids = () => JSON.parse(readFileSync(join(folder, 'pids'), 'utf8')) as number[];
    const late = await createTryProfile({ program: file, patience: 2_000 })('x', {}, never);
    expect(late).toMatchObject({ ok: false, message: expect.stringContaining('within 2 s') });
    await vi.waitFor(() => expect(pids().map(isAlive)).toEqual([false, false]));
    rmSync(join(folder, 'pids'));
    const gone = new AbortController();
    const tried = createTryProfile({ program: file })('x', {}, gone.signal);
    await vi.waitFor(() => expect(existsSync(join(folder, 'pids'))).toBe(true), { timeout: 5_000 });
    gone.abort();
    expect(await tried).toMatchObject({ ok: false });
    await vi.waitFor(() => expect(pids().map(isAlive)).toEqual([false, false]));
  });

  test('may crash, print nonsense or print without end: that is an answer', async () => {
    const outcomes = await Promise.all([
      createTryProfile({ program: program('crash', 'throw new Error("driver fell over")') })('x', {}, never),
      createTryProfile({ program: program('nonsense', 'console.log("{nonsense")') })('x', {}, never),
      createTryProfile({ program: program('flood', 'for (;;) process.stdout.write("{".repeat(100000));') })(
        'x',
        {},
        never,
      ),
    ]);
    expect(outcomes.map(({ ok, points }) => ({ ok, points }))).toEqual(Array(3).fill({ ok: false, points: [] }));
  });

  test('is one of two at most', async () => {
    const file = program('slow', 'setTimeout(() => {}, 60000)');
    const tryProfile = createTryProfile({ program: file });
    const gone = new AbortController();
    const running = [tryProfile('x', {}, gone.signal), tryProfile('x', {}, gone.signal)];
    await expect(tryProfile('x', {}, never)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    gone.abort();
    await Promise.all(running);
    expect(await tryProfile('x', {}, AbortSignal.abort())).toMatchObject({ ok: false });
  });
});
