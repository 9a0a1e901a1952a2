import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '#edge/runtime/clock.ts';
import { type Camera, startCamera } from '#edge/simulators/camera.ts';
import { serveOrders } from './rig.ts';

/* Simulated cameras in a process of their own: `{count}` -> `{ports}`, `{every}` lets each tell something every so many ms. */
const cameras: Camera[] = [];
const dialects = ['hikvision', 'tapo', 'reolink', 'axis'] as const;
let told = 0;

/** Pictures of a usual size from a server of their own, behind a digest log-in: drawing them would be what is measured. */
const picture = Buffer.concat([
  Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
  Buffer.alloc(80_000, 0x5a),
  Buffer.from([0xff, 0xd9]),
]);
let pictures = 0;
const server = createServer((request, response) => {
  if (request.headers.authorization === undefined) {
    response.writeHead(401, { 'www-authenticate': 'Digest realm="c", nonce="n1", qop="auth", algorithm=MD5' });
    response.end();
    return;
  }
  pictures++;
  response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': picture.length });
  response.end(picture);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const picturePort = (server.address() as AddressInfo).port;

serveOrders(async ({ count, every }) => {
  for (let i = 0; i < Number(count ?? 0); i++) {
    cameras.push(
      await startCamera({
        ...{ host: '127.0.0.1', port: 0, username: 'campus', password: 'bench-64', clock: systemClock },
        auth: i % 2 === 0 ? 'digest' : 'wsse',
        model: `BENCH-${i}`,
        topicDialect: dialects[i % dialects.length] ?? 'reolink',
      }),
    );
  }
  if (typeof every === 'number') {
    cameras.forEach((camera, i) => {
      // Two states in turn, so that each keeps more than the second within which repeated edges are merged.
      let step = 0;
      const tell = () => {
        told++;
        const isOn = step % 4 < 2;
        if (step++ % 2 === 0) camera.motion(isOn);
        else camera.tamper(isOn);
      };
      // Spread over the second, as chance would.
      setTimeout(() => setInterval(tell, every), (i * every) / cameras.length);
    });
  }
  return { ports: cameras.map(({ port }) => port), picturePort, told, pictures };
});
