import { onvifDriver } from '#edge/drivers/onvif/driver.ts';
import { openMemory } from '#edge/drivers/onvif/memory.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { cameraDevice, quick, recorder, user } from './bench.ts';

/* A driver that is killed: `crashing.ts <port> <memory file> <folder>`; prints `streaming` when it is. */
const [port, file = '', folder = ''] = process.argv.slice(2);
const memory = await openMemory(file, systemClock, silentLog);
const driver = onvifDriver({ snapshotFolder: folder, clock: systemClock, log: silentLog, timings: quick, memory });
const { sink, heard } = recorder();
const address = { host: '127.0.0.1', port: Number(port), ...user };
await driver.open(cameraDevice(address), driver.config.parse(address), sink, new AbortController().signal);
const timer = setInterval(async () => {
  if (!heard.last().startsWith('online')) return;
  clearInterval(timer);
  await memory.flush();
  process.stdout.write('streaming');
}, 10);
setInterval(() => {}, 1000);
