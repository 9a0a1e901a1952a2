import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/* Requests over sockets that stay open, each sent when the one before it was answered: little work besides the server's. */

export interface LoadOptions {
  readonly url: string;
  readonly path: string;
  readonly cookie: string;
  readonly connections: number;
  readonly ms: number;
}

/** Answers a second. Throws when one is not 200. */
export async function loadOf({ url, path, cookie, connections, ms }: LoadOptions): Promise<number> {
  const { hostname, port, host } = new URL(url);
  const bytes = Buffer.from(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\ncookie: ${cookie}\r\naccept: */*\r\n\r\n`);
  const sockets = Array.from({ length: connections }, () => connect(Number(port), hostname));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const end = performance.now() + ms;
  const began = performance.now();
  const counts = await Promise.all(sockets.map((socket) => askUntil(socket, bytes, end)));
  const seconds = (performance.now() - began) / 1_000;
  for (const socket of sockets) socket.destroy();
  return counts.reduce((total, count) => total + count, 0) / seconds;
}

function askUntil(socket: Socket, bytes: Buffer, end: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let answers = 0;
    /** Of the answer under way: its head so far, then the bytes that are still to come. */
    let head = '';
    let missing = 0;
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed the connection')));
    socket.on('data', (chunk: Buffer) => {
      if (missing > 0) missing -= chunk.length;
      else {
        head += chunk.toString('latin1');
        const body = head.indexOf('\r\n\r\n') + 4;
        if (body < 4) return;
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
        if (!head.startsWith('HTTP/1.1 200') || !(length > 0)) return reject(new Error(head.slice(0, 200)));
        missing = length - (head.length - body);
        head = '';
      }
      if (missing > 0) return;
      answers++;
      if (performance.now() >= end) resolve(answers);
      else socket.write(bytes);
    });
    socket.write(bytes);
  });
}
