import { systemClock } from '#edge/runtime/clock.ts';
import { startCamera } from '#edge/simulators/camera.ts';

/** A simulated camera that can be discovered, for a peer in the same network namespace; ends when its input does. */
const [username = '', password = ''] = process.argv.slice(2);
const camera = await startCamera({
  host: '127.0.0.1',
  port: 8087,
  username,
  password,
  clock: systemClock,
  auth: 'wsse',
  model: 'SIM-360',
  topicDialect: 'hikvision',
  rtsp: { port: 8554 },
  discovery: true,
  // libonvif draws its nonces from a generator seeded with the second: two calls in one second share one.
  digest: { refusesReplays: false },
});
console.log('ready');
for await (const _ of process.stdin);
console.log(JSON.stringify({ requests: camera.requests, passwordTries: camera.passwordTries }));
await camera[Symbol.asyncDispose]();
