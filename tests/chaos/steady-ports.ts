import { createServer } from 'node:net';
import type { Site } from '#edge/runtime/site.ts';

/*
 * Ports for processes that die and come back. The ports that the system hands out (32768 and up on Linux) are also what
 * it gives to outgoing connections: one of those may sit on the port of a process while it is dead.
 */

const lowest = 20_000;
const highest = 32_000;

/** Nobody listens there now, and no outgoing connection will take it. */
async function steadyPort(taken: ReadonlySet<number>): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new Error(`no port between ${lowest} and ${highest} is free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A change to the site of a test campus: the ports of core, web and the city's broker stay theirs while they are dead. */
export async function steadyPorts(): Promise<(site: Site) => Site> {
  const ports = new Set<number>();
  while (ports.size < 3) ports.add(await steadyPort(ports));
  const [mqtt = 0, http = 0, cityMqtt = 0] = ports;
  return (site) => ({
    ...site,
    mqtt: { ...site.mqtt, port: mqtt },
    http: { ...site.http, port: http },
    ...(site.city === undefined ? {} : { city: { ...site.city, port: cityMqtt } }),
  });
}
