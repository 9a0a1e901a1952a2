import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '#edge/runtime/clock.ts';
import { startCamera } from '#edge/simulators/camera.ts';
import { startRtsp } from '#edge/simulators/rtsp.ts';
import type { CameraListView } from '#edge/web/camera-list-schemas.ts';
import { childrenOf, clipOf, hasFfmpeg } from '../unit/media/stream-rig.ts';
import { startCampus } from './campus.ts';

/* The real processes: what a camera says of its streams goes through the driver and the bus to media, and its video through web to a viewer. */

const patient = { timeout: 60_000, interval: 100 };
const username = 'campus';
const password = 'gate-5-ümlaut';

async function campusWithCamera() {
  const stack = new AsyncDisposableStack();
  const clip = await clipOf();
  const host = '127.0.0.1';
  const streams = { '/main': () => clip, '/sub': () => clip };
  const clock = systemClock;
  const rtsp = stack.use(await startRtsp({ host, port: 0, clock, username, password, streams }));
  const camera = stack.use(
    await startCamera({
      host,
      port: 0,
      username,
      password,
      clock,
      auth: 'digest',
      model: 'T-1',
      topicDialect: 'reolink',
      rtsp: { port: rtsp.port },
    }),
  );
  const campus = stack.use(
    await startCampus({
      only: ['camera', 'media', 'web'],
      simulators: false,
      city: false,
      // A core that stands still must not be ended here.
      times: { silence: 240_000 },
      change: (site) => ({
        ...site,
        // Recording is another test's: here a stream ends when nobody looks.
        cameras: { ...site.cameras, record: { ...site.cameras.record, mode: 'off' } },
        devices: site.devices.map((device) =>
          device.id === 'camera-gate'
            ? { ...device, address: { host, port: camera.port, username, password } }
            : device,
        ),
      }),
    }),
  );
  const watch = () => {
    const { get } = campus;
    const headers = { authorization: `Bearer ${tokenOf(campus.data)}`, origin: campus.url };
    const socket = new WebSocket(`${campus.url.replace('http', 'ws')}/api/v1/cameras/camera-gate/live?role=sub`, {
      headers,
    });
    const seen = { fragments: 0, generations: [] as number[], closed: [] as number[], socket, get };
    socket.on('message', (content: Buffer, isBinary) => {
      if (isBinary) seen.fragments += 1;
      else {
        const message: { kind: string; generation?: number } = JSON.parse(content.toString());
        if (message.kind === 'stream' && message.generation !== undefined) seen.generations.push(message.generation);
      }
    });
    socket.on('error', () => {});
    socket.on('close', (code) => seen.closed.push(code));
    stack.defer(() => socket.terminate());
    return seen;
  };
  const known = async (): Promise<CameraListView['cameras'][number] | undefined> => {
    const { cameras } = await campus.get<CameraListView>('cameras');
    return cameras.find(({ id }) => id === 'camera-gate');
  };
  return { rtsp, campus, watch, known, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe.skipIf(!hasFfmpeg)('live view, as processes', () => {
  it('survives kill -9 of ffmpeg and of media with nothing left behind, and knows its cameras while core is away', async () => {
    await using it = await campusWithCamera();
    const { campus, rtsp } = it;
    await vi.waitFor(
      async () => expect((await it.known())?.streams.map(({ role }) => role)).toEqual(['main', 'sub']),
      patient,
    );
    const first = it.watch();
    await vi.waitFor(() => expect(first.fragments).toBeGreaterThan(10), patient);
    expect(rtsp.requests.some(({ path }) => path.startsWith('/sub'))).toBe(true);

    for (const pid of childrenOf(campus.data)) process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => expect(first.generations).toEqual([1, 2]), patient);

    const children = childrenOf(campus.data);
    expect(children).toHaveLength(1);
    process.kill(campus.pid('media'), 'SIGKILL');
    await vi.waitFor(() => expect(first.closed).toEqual([1013]), patient);
    // Its pipe is broken at the next picture; nobody has to look for it.
    await vi.waitFor(
      () => expect(childrenOf(campus.data).filter((pid) => children.includes(pid))).toEqual([]),
      patient,
    );
    await vi.waitFor(() => expect(rtsp.playing).toBe(0), patient);

    let again = it.watch();
    await vi.waitFor(() => {
      if (again.closed.length > 0) again = it.watch();
      expect(again.fragments).toBeGreaterThan(10);
    }, patient);
    expect(childrenOf(campus.data)).toHaveLength(1);

    // media starts anew while core is away: it remembers where the cameras are.
    const core = campus.pid('core');
    process.kill(core, 'SIGSTOP');
    process.kill(campus.pid('media'), 'SIGKILL');
    let without = it.watch();
    await vi.waitFor(() => {
      if (without.closed.length > 0) without = it.watch();
      expect(without.fragments).toBeGreaterThan(10);
    }, patient);
    process.kill(core, 'SIGCONT');
    without.socket.close();
    await vi.waitFor(() => expect(childrenOf(campus.data)).toEqual([]), patient);
  }, 240_000);
});

function tokenOf(data: string): string {
  return readFileSync(join(data, 'admin-token'), 'utf8').trim();
}
