import { createServer, type Socket } from 'node:net';
import { serveOrders } from './rig.ts';

/*
 * A serial server with meters behind it, in virtual time: it puts what it gets on the line in the order in which it came,
 * never drops a stale request, and every byte takes as long as it does at that speed (Modbus serial line V1.02: 10 bits a
 * character, 3.5 characters of silence before and after a frame, 1.75 ms above 19200 baud).
 */

/** Time a meter needs before it answers, ms. */
const think = 10;
const requestLength = 8;

interface Line {
  readonly baud: number;
  readonly dead: ReadonlySet<number>;
  /** ms of performance.now() when the line is free again. */
  freeAt: number;
  /** ms in which it carried something since it was asked last. */
  busy: number;
}

function crc(bytes: Buffer): number {
  let value = 0xffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let i = 0; i < 8; i++) value = (value & 1) === 1 ? (value >>> 1) ^ 0xa001 : value >>> 1;
  }
  return value;
}

let answered = 0;

/** Registers that say their number and the number of the answer. */
function answerTo(request: Buffer): Buffer {
  const count = request.readUInt16BE(4);
  const answer = Buffer.alloc(5 + 2 * count);
  request.copy(answer, 0, 0, 2);
  answer[2] = 2 * count;
  answered++;
  for (let i = 0; i < count; i++) answer.writeUInt16BE(i === 0 ? answered & 0xffff : i, 3 + 2 * i);
  answer.writeUInt16LE(crc(answer.subarray(0, -2)), answer.length - 2);
  return answer;
}

function carry(line: Line, socket: Socket, request: Buffer): void {
  const character = 10_000 / line.baud;
  const silence = line.baud > 19_200 ? 1.75 : 3.5 * character;
  const now = performance.now();
  const start = Math.max(now, line.freeAt);
  const asked = start + silence + requestLength * character;
  if (line.dead.has(request[0] ?? 0)) {
    line.freeAt = asked + silence;
    return;
  }
  const answer = answerTo(request);
  const done = asked + think + answer.length * character;
  line.freeAt = done + silence;
  line.busy += line.freeAt - start;
  setTimeout(() => socket.destroyed || socket.write(answer), Math.max(0, done - performance.now()));
}

serveOrders(async ({ baud, dead }) => {
  const line: Line = {
    baud: Number(baud),
    dead: new Set(Array.isArray(dead) ? dead.map(Number) : []),
    freeAt: 0,
    busy: 0,
  };
  const server = createServer({ noDelay: true }, (socket) => {
    let buffer: Buffer = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      buffer = Buffer.concat([buffer, bytes]);
      while (buffer.length >= requestLength) {
        carry(line, socket, buffer.subarray(0, requestLength));
        buffer = buffer.subarray(requestLength);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0 };
});
