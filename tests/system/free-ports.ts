import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/*
 * Ports for processes that die and come back: below the ones that the system hands out itself (32768 and up on Linux),
 * because an outgoing connection may sit on one of those while its process is dead.
 */

const lowest = 20_000;
const highest = 32_000;
const given = new Set<number>();

/** TCP ports that nobody holds now; none is given twice by one test process. */
export function freePorts(count: number, host = '127.0.0.1'): Promise<number[]> {
  return find(count, (port) => canListen(port, host));
}

export function freeUdpPorts(count: number, host = '127.0.0.1'): Promise<number[]> {
  return find(count, (port) => canBind(port, host));
}

async function find(count: number, isFree: (port: number) => Promise<boolean>): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries++) {
    if (tries > 50 * count) throw new Error(`fewer than ${count} ports between ${lowest} and ${highest} are free`);
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    ports.push(port);
  }
  return ports;
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

function canBind(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, host, () => socket.close(() => resolve(true)));
  });
}
