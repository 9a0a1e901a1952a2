import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import { broadcastDriver } from '#edge/drivers/broadcast/driver.ts';
import type { Session, Sink } from '#edge/drivers/driver.ts';
import { putSoundFirst } from '#edge/drivers/sound/urgency.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { writeClips } from '#edge/simulators/clips/generate.ts';
import { serveOrders } from './rig.ts';

/* Our driver with its loudspeakers, in a process of its own: `open`, then `play` and `cpu` as often as one likes. */
const signal = new AbortController().signal;
const sink: Sink = { sample() {}, event() {}, health() {}, count: () => void skipped++ };
let skipped = 0;
const sessions: Session[] = [];

async function open(rooms: readonly { readonly host: string; readonly port: number }[], codec: string) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-rtp-'));
  await writeClips(folder);
  const driver = broadcastDriver({
    clips: {
      tune: { file: 'tune.wav', loop: true },
      evacuation: { file: 'evacuation.wav', loop: true, emergency: true },
    },
    folder,
    clock: systemClock,
    log: silentLog,
  });
  for (const [i, rtp] of rooms.entries()) {
    const config = driver.config.parse({ rtp, codec, rtcp: 'none', probe: 'none' });
    const device = { id: `room-${i}` as DeviceId, name: { zh: '音箱', en: 'Speaker' }, zone: 'campus' as ZoneId };
    const more = { profile: 'speaker/rtp-speaker', protocol: 'broadcast', points: [], address: {} };
    sessions.push(await driver.open({ ...device, ...more }, config, sink, signal));
  }
  await rm(folder, { recursive: true, force: true });
}

function command(room: number, value: string, priority: 1 | 15) {
  const now = systemClock.now();
  const id = newHappeningId(systemClock);
  const to = { device: `room-${room}` as DeviceId, point: 'clip' as PointName };
  return { id, ...to, value, priority, issued: now, expires: now + 5_000, until: null };
}

putSoundFirst();
serveOrders(async (order) => {
  if (order.what === 'open') {
    await open(order.rooms as { host: string; port: number }[], String(order.codec));
    return { rooms: sessions.length };
  }
  if (order.what === 'play') {
    const rooms = order.rooms as number[];
    const priority = order.value === 'tune' ? 15 : 1;
    for (const room of rooms) void sessions[room]?.write?.(command(room, String(order.value), priority), signal);
    return {};
  }
  const { user, system } = process.cpuUsage();
  return { cpu: (user + system) / 1000, time: performance.now(), skipped };
});
