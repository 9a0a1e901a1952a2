import { createSocket } from 'node:dgram';
import { Discovery, ownNics } from '#edge/drivers/onvif/discovery.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';

/* Runs in a network namespace of its own with one link: probes it, and prints what was heard on ff02::c and 239.255.255.250. */
const port = 3702;
const heard: Record<string, number> = { 4: 0, 6: 0 };
const open = async (family: 4 | 6) => {
  const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', reuseAddr: true, ipv6Only: family === 6 });
  await new Promise<void>((resolve) => socket.bind(port, resolve));
  for (const nic of ownNics().filter((found) => found.family === family)) {
    socket.addMembership(family === 4 ? '239.255.255.250' : 'ff02::c', family === 4 ? nic.address : `::%${nic.name}`);
  }
  socket.on('message', (message) => {
    if (message.includes('discovery/Probe<')) heard[family] = (heard[family] ?? 0) + 1;
  });
  return socket;
};
const sockets = [await open(4), await open(6)];
const counts: string[] = [];
const count = (word: string) => void counts.push(word);
{
  await using discovery = new Discovery({
    clock: systemClock,
    log: silentLog,
    pace: 100,
    count,
    onAnnounced: () => {},
  });
  await discovery.listen();
  await discovery.probeAll(new AbortController().signal);
}
for (const socket of sockets) socket.close();
process.stdout.write(JSON.stringify({ heard, nics: ownNics().map(({ family }) => family), counts }));
