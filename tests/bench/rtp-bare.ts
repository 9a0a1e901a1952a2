import { createSocket } from 'node:dgram';
import { putSoundFirst } from '#edge/drivers/sound/urgency.ts';
import { serveOrders } from './rig.ts';

/* What no sender in Node can do without: 200 connected sockets, one packet each every 20 ms, nothing made. */
putSoundFirst();
serveOrders(async (order) => {
  if (order.what === 'open') {
    const rooms = order.rooms as { host: string; port: number }[];
    const sockets = await Promise.all(
      rooms.map(async ({ host, port }) => {
        const socket = createSocket('udp4');
        await new Promise<void>((resolve) => socket.connect(port, host, resolve));
        return socket;
      }),
    );
    const packet = Buffer.alloc(172, 0xd5);
    packet[0] = 0x80;
    setInterval(() => {
      for (const socket of sockets) socket.send(packet, () => {});
    }, 20);
    return { rooms: sockets.length };
  }
  const { user, system } = process.cpuUsage();
  return { cpu: (user + system) / 1000, time: performance.now(), skipped: 0 };
});
