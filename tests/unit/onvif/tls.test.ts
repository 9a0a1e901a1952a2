import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { eventually, startScene, streaming } from './bench.ts';
import { certificate, hasOpenssl } from './certificate.ts';

/** TLS in front of a camera, as its web server would have it; counts the bytes of HTTP that came through. */
async function tlsBefore(cameraPort: number, pair: { key: string; cert: string }, at = 0) {
  let heard = 0;
  const sockets = new Set<Socket>();
  const server = createServer(pair, (socket) => {
    const inner = connect(cameraPort, '127.0.0.1');
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      heard += chunk.length;
    });
    socket.on('error', () => inner.destroy());
    inner.on('error', () => socket.destroy());
    socket.pipe(inner).pipe(socket);
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { port, heard: () => heard, close };
}

describe.skipIf(!hasOpenssl)('an onvif camera with a certificate of its own', () => {
  test('is spoken to when its fingerprint is pinned, though it names http addresses', async () => {
    const pair = certificate();
    const config: Record<string, unknown> = { tls: { fingerprint: pair.fingerprint } };
    let close = () => {};
    await using scene = await startScene({
      config,
      before: async (camera) => {
        const front = await tlsBefore(camera.port, pair);
        config.port = front.port;
        close = () => void front.close();
      },
    });
    await streaming(scene);
    scene.camera.motion(true);
    await eventually(() => scene.heard.count('snapshot')).toBe(1);
    close();
  });

  test.each([
    [
      'is another than the pinned one',
      { fingerprint: 'AA:'.repeat(31).concat('AA') },
      /shows another certificate than the pinned one/,
    ],
    ['is signed by nobody known', {}, /is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/],
  ])('is told nothing when the certificate %s', async (_, tls, said) => {
    const pair = certificate();
    const config: Record<string, unknown> = { tls };
    let heard = () => -1;
    let close = () => {};
    await using scene = await startScene({
      config,
      before: async (camera) => {
        const front = await tlsBefore(camera.port, pair);
        config.port = front.port;
        heard = front.heard;
        close = () => void front.close();
      },
    });
    await eventually(() => scene.heard.last()).toMatch(said);
    expect(heard()).toBe(0);
    close();
  });

  test('that changes while it streams is told nothing more until it is itself again, and people are told why', async () => {
    const [own, other] = [certificate(), certificate()];
    const config: Record<string, unknown> = { tls: { fingerprint: own.fingerprint } };
    let front: Awaited<ReturnType<typeof tlsBefore>> | undefined;
    await using scene = await startScene({
      config,
      before: async (camera) => {
        front = await tlsBefore(camera.port, own);
        config.port = front.port;
      },
    });
    await streaming(scene);
    const { port = 0 } = front ?? {};
    await front?.close();
    const impostor = await tlsBefore(scene.camera.port, other, port);
    await eventually(() => scene.heard.last()).toMatch(
      new RegExp(`shows another certificate than the pinned one \\(${other.fingerprint}\\)`),
    );
    const attempts = scene.heard.count('attempt');
    await eventually(() => scene.heard.count('attempt')).toBeGreaterThan(attempts + 2);
    expect(impostor.heard()).toBe(0);
    await impostor.close();
    const back = await tlsBefore(scene.camera.port, own, port);
    await streaming(scene);
    await back.close();
  });
});
