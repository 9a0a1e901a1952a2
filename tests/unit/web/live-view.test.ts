import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { DeviceId } from '#edge/domain/ids.ts';
import { openMediaSocket } from '#edge/media/socket.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { CameraListView } from '#edge/web/camera-list-schemas.ts';
import { type Browser, type PeopleRoom, startPeopleRoom } from './people-room.ts';

/*
 * The pages' half of live view: a real web process before media's real socket. What media would send is written here; that real streams
 * come through is in tests/system/live-view.test.ts.
 */

const patient = { timeout: 20_000, interval: 20 };
const masks = [{ x: 0, y: 0, width: 0.25, height: 0.5 }];
const view = { direction: 90, angle: 80, range: 25 };
const facts = {
  device: 'camera-gate',
  time: 5,
  maker: 'Maker',
  model: 'M-1',
  firmware: '1.0',
  streams: [
    { role: 'main', codec: 'h264', width: 1920, height: 1080, frameRate: 25, profile: 'p', uri: 'rtsp://10.0.3.7/x' },
  ],
  ptz: { presets: [{ token: '1', name: 'Gate' }], home: true },
  inputs: ['in-1'],
  relays: [],
};

let room: PeopleRoom;
let media: AsyncDisposable | null = null;
/** Sockets of web at media, with what was asked. */
const asked: { path: string; query: string; socket: WebSocket }[] = [];

async function startMedia(): Promise<void> {
  media = await openMediaSocket({
    socketFile: join(room.data, 'media.sock'),
    keyFile: join(room.data, 'media.key'),
    handlers: [
      (request, response) => {
        if (request.url !== '/cameras') return false;
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ cameras: [facts] }));
        return true;
      },
    ],
    socketHandlers: [
      (path, query, socket) => {
        asked.push({ path: path.join('/'), query: query.toString(), socket });
        socket.send(JSON.stringify({ kind: 'stream', codec: 'avc1.640028' }));
        socket.send(Buffer.from([1, 2, 3]));
        return true;
      },
    ],
    log: silentLog,
  });
}

async function stopMedia(): Promise<void> {
  await media?.[Symbol.asyncDispose]();
  media = null;
  await rm(join(room.data, 'media.key'), { force: true });
}

interface Seen {
  readonly socket: WebSocket;
  readonly said: { kind: string; reason?: string }[];
  readonly binary: Buffer[];
  readonly closed: { code: number; reason: string }[];
  /** Status of a refusal. */
  readonly refused: number[];
}

function watch(browser: Browser, path = 'cameras/camera-gate/live', headers: Record<string, string> = {}): Seen {
  const socket = new WebSocket(`${room.url().replace('http', 'ws')}/api/v1/${path}`, {
    headers: { cookie: browser.cookie, origin: room.url(), ...headers },
  });
  const seen: Seen = { socket, said: [], binary: [], closed: [], refused: [] };
  socket.on('message', (content: Buffer, isBinary) => {
    if (isBinary) seen.binary.push(content);
    else seen.said.push(JSON.parse(content.toString()));
  });
  socket.on('error', () => {});
  socket.on('unexpected-response', (_request, response) => {
    seen.refused.push(response.statusCode ?? 0);
    socket.terminate();
  });
  socket.on('close', (code, reason) => seen.closed.push({ code, reason: reason.toString() }));
  return seen;
}

const looks = () =>
  room
    .audit()
    .filter(({ what }) => what.startsWith('look live'))
    .map(({ who, what }) => ({ who, what }));

beforeAll(async () => {
  room = await startPeopleRoom({
    change: (site) => ({
      ...site,
      people: { ...site.people, idle: {} },
      cameras: { ...site.cameras, byCamera: { ['camera-gate' as DeviceId]: { masks, view, during: {} } } },
    }),
  });
}, 60_000);
afterAll(async () => {
  await media?.[Symbol.asyncDispose]();
  await room[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await stopMedia();
  await room.reset();
  await startMedia();
  asked.length = 0;
  await room.addPerson('guard', 'security', { zones: ['gate'] });
});

describe('a live picture', () => {
  it('comes as media sends it, and is in the audit once for whoever looks again and again', async () => {
    const browser = await room.signedIn('guard');
    const first = watch(browser, 'cameras/camera-gate/live?role=main&codecs=avc1,hvc1');
    await vi.waitFor(() => expect(first.binary).toEqual([Buffer.from([1, 2, 3])]), patient);
    expect(first.said).toEqual([{ kind: 'stream', codec: 'avc1.640028' }]);
    expect(asked).toMatchObject([{ path: 'live/camera-gate/main', query: 'codecs=avc1%2Chvc1' }]);
    const second = watch(browser);
    await vi.waitFor(() => expect(second.binary).toHaveLength(1), patient);
    expect(asked[1]?.path).toBe('live/camera-gate/sub');
    await vi.waitFor(() => expect(looks()).toEqual([{ who: 'person:guard', what: 'look live camera-gate' }]), patient);
    for (const { socket } of [first, second]) socket.close();
    await vi.waitFor(
      () => expect(asked.every(({ socket }) => socket.readyState === WebSocket.CLOSED)).toBe(true),
      patient,
    );
    room.clock.advance(16 * 60_000);
    const later = watch(browser);
    await vi.waitFor(() => expect(later.binary).toHaveLength(1), patient);
    await vi.waitFor(() => expect(looks()).toHaveLength(2), patient);
    later.socket.close();
  });

  it('is asked for without its masks for those with the right alone, whatever the address says', async () => {
    await room.addPerson('chief', 'administrator');
    const [guard, chief] = [await room.signedIn('guard'), await room.signedIn('chief')];
    const all = [
      watch(guard, 'cameras/camera-gate/live?role=main&unmasked=1'),
      watch(guard, 'cameras/camera-gate/live?codecs=avc1&codecs=hvc1'),
      watch(guard, 'cameras/camera-gate/live?codecs=avc1%26unmasked%3D1'),
      watch(guard, 'cameras/camera-gate/live?role=main%3Funmasked%3D1'),
      watch(guard, 'cameras/camera-gate/live?codecs=avc1', { 'x-media-key': 'k', 'x-unmasked': '1' }),
    ];
    await vi.waitFor(
      () => expect(all.every(({ binary, refused }) => binary.length + refused.length > 0)).toBe(true),
      patient,
    );
    expect(all.map(({ refused }) => refused)).toEqual([[], [400], [400], [400], []]);
    expect(asked.map(({ query }) => query)).toEqual(['codecs=avc1', 'codecs=avc1']);
    const free = watch(chief);
    await vi.waitFor(() => expect(free.binary).toHaveLength(1), patient);
    expect(asked.at(-1)?.query).toBe('codecs=avc1&unmasked=1');
    for (const { socket } of [...all, free]) socket.terminate();
  });

  it('is there while core is away, and in the audit when core is back', async () => {
    const browser = await room.signedIn('guard');
    await room.stopCore();
    const seen = watch(browser);
    await vi.waitFor(() => expect(seen.binary).toHaveLength(1), patient);
    await room.startCore();
    await vi.waitFor(() => expect(looks()).toHaveLength(1), { timeout: 40_000, interval: 100 });
    seen.socket.close();
  }, 60_000);

  it('ends when the session does', async () => {
    const browser = await room.signedIn('guard');
    const seen = watch(browser);
    await vi.waitFor(() => expect(seen.binary).toHaveLength(1), patient);
    await browser.post('logout');
    await vi.waitFor(() => expect(seen.closed).toHaveLength(1), patient);
    await vi.waitFor(() => expect(asked[0]?.socket.readyState).toBe(WebSocket.CLOSED), patient);
    const again = watch(browser);
    await vi.waitFor(() => expect(again.refused).toEqual([401]), patient);
  });

  it('is refused to those without the right, of another zone, from another page, and of what is no camera', async () => {
    await room.addPerson('plumber', 'facility', { zones: ['gate'] });
    await room.addPerson('elsewhere', 'security', { zones: ['teaching'] });
    const [guard, plumber, elsewhere] = await Promise.all(
      ['guard', 'plumber', 'elsewhere'].map((id) => room.signedIn(id)),
    );
    if (!guard || !plumber || !elsewhere) throw new Error('nobody could sign in');
    const tries: [Seen, number][] = [
      [watch(plumber), 403],
      [watch(elsewhere), 404],
      [watch(guard, undefined, { origin: 'http://evil.example' }), 403],
      [watch(guard, undefined, { origin: '' }), 403],
      [watch(guard, 'cameras/speaker-gate/live'), 404],
      [watch(guard, 'cameras/..%2f..%2fetc/live'), 400],
      [watch(guard, 'cameras/camera-gate/live?role=third'), 400],
      [watch(guard, 'cameras/camera-gate/live?codecs=a%20b'), 400],
      [watch(guard, 'nothing/at/all'), 403],
      [watch(room.browser()), 401],
    ];
    for (const [seen, status] of tries) await vi.waitFor(() => expect(seen.refused).toEqual([status]), patient);
    expect(asked).toEqual([]);
    expect((await guard.get('cameras/camera-gate/live')).status).toBe(400);
  });

  it('is one of at most 32 of a session', async () => {
    const browser = await room.signedIn('guard');
    const walls = Array.from({ length: 32 }, () => watch(browser));
    await vi.waitFor(() => expect(walls.every(({ binary }) => binary.length === 1)).toBe(true), patient);
    const tooMany = watch(browser);
    await vi.waitFor(() => expect(tooMany.refused).toEqual([503]), patient);
    walls[0]?.socket.close();
    await vi.waitFor(
      () => expect(asked.filter(({ socket }) => socket.readyState === WebSocket.CLOSED)).toHaveLength(1),
      patient,
    );
    const next = watch(browser);
    await vi.waitFor(() => expect(next.binary).toHaveLength(1), patient);
    for (const { socket } of [...walls, next]) socket.terminate();
  });

  it('says that video is being started while media is away, and why media closed it', async () => {
    const browser = await room.signedIn('guard');
    await stopMedia();
    const seen = watch(browser);
    await vi.waitFor(() => expect(seen.closed).toMatchObject([{ code: 1013 }]), patient);
    expect(seen.said).toMatchObject([{ kind: 'state', reason: 'media' }]);
    await startMedia();
    const slow = watch(browser);
    await vi.waitFor(() => expect(slow.binary).toHaveLength(1), patient);
    asked[0]?.socket.close(4001, 'too slow');
    await vi.waitFor(() => expect(slow.closed).toEqual([{ code: 4001, reason: 'too slow' }]), patient);
    const cut = watch(browser);
    await vi.waitFor(() => expect(cut.binary).toHaveLength(1), patient);
    asked[1]?.socket.terminate();
    await vi.waitFor(() => expect(cut.closed).toMatchObject([{ code: 1013 }]), patient);
  });

  it('holds up media where the browser does not read, instead of filling memory', async () => {
    const browser = await room.signedIn('guard');
    const seen = watch(browser);
    await vi.waitFor(() => expect(seen.binary).toHaveLength(1), patient);
    const at = asked[0]?.socket;
    if (at === undefined) throw new Error('media was not asked');
    seen.socket.pause();
    const piece = Buffer.alloc(256 * 1024);
    // What sockets of the kernel take is a few MB; beyond it nothing may leave media.
    for (let count = 0; count < 100; count++) at.send(piece);
    await vi.waitFor(() => expect(at.bufferedAmount).toBeGreaterThan(5_000_000), patient);
    seen.socket.resume();
    await vi.waitFor(() => expect(seen.binary).toHaveLength(101), patient);
    seen.socket.close();
  });
});

describe('the list of cameras', () => {
  const list = async (browser: Browser) => (await (await browser.get('cameras')).json()) as CameraListView;

  it('says what a camera is and what one may do, and no address', async () => {
    const browser = await room.signedIn('guard');
    const answer = await list(browser);
    expect(answer.media.isThere).toBe(true);
    expect(answer.cameras).toHaveLength(1);
    expect(answer.cameras[0]).toMatchObject({
      id: 'camera-gate',
      zone: 'gate',
      maker: 'Maker',
      streams: [{ role: 'main', codec: 'h264', width: 1920, height: 1080, frameRate: 25 }],
      ptz: { presets: [{ token: '1', name: 'Gate' }] },
      view,
      masks,
      may: { live: true, playback: true, evidence: true, turn: true, unmasked: false },
    });
    expect(JSON.stringify(answer)).not.toMatch(/10\.0\.3\.7|rtsp|demo-camera/);
  });

  it('tells of masks only those whom they bind, and of views only those who may watch', async () => {
    await room.addPerson('chief', 'administrator');
    await room.addPerson('plumber', 'facility', { zones: ['gate'] });
    const chief = await list(await room.signedIn('chief'));
    expect(chief.cameras.map(({ id }) => id).sort()).toEqual(['camera-gate', 'camera-playground']);
    expect(chief.cameras.find(({ id }) => id === 'camera-gate')).toMatchObject({ masks: [], may: { unmasked: true } });
    const [seen] = (await list(await room.signedIn('plumber'))).cameras;
    expect(seen).toMatchObject({ maker: 'Maker', ptz: null, view: null, masks: [], may: { live: false } });
  });

  it('knows cameras while media is away, and says that it is', async () => {
    const browser = await room.signedIn('guard');
    expect((await list(browser)).cameras[0]?.maker).toBe('Maker');
    await stopMedia();
    room.clock.advance(60_000);
    const answer = await list(browser);
    expect(answer.media.isThere).toBe(false);
    expect(answer.cameras[0]?.maker).toBe('Maker');
  });
});
