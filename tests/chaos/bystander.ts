import { once } from 'node:events';
import { createConnection, createServer, type Server } from 'node:net';
import { connectAsync } from 'mqtt';
import { samplesTopic } from '#edge/bus/topics.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import { delay, within } from '#edge/runtime/lifecycle.ts';
import type { RunningCampus } from '../system/campus.ts';
import { asDevice } from './qos1-sensor.ts';

/* Hands from outside, for tests in which processes die: somebody at a relay's button, somebody on core's port. */

const patience = 5_000;

/** Write Single Coil over Modbus TCP, past the edge: what a person at the cabinet does. Coils count from 0. */
export async function pressRelay(host: string, port: number, unit: number, coil: number, on: boolean): Promise<void> {
  const socket = createConnection({ host, port });
  try {
    const request = Buffer.from([0, 1, 0, 0, 0, 6, unit, 5, 0, coil, on ? 0xff : 0, 0]);
    socket.write(request);
    const [answer] = (await within(patience, 'the answer of the relay', once(socket, 'data'))) as [Buffer];
    if (!answer.equals(request)) throw new Error(`the relay answered ${answer.toString('hex')}`);
  } finally {
    socket.destroy();
  }
}

/** Takes a port the moment it is free and hangs up on everybody: whoever wants to listen there cannot start. */
export async function occupy(host: string, port: number): Promise<AsyncDisposable> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.destroy();
  });
  for (let tries = 0; !(await tryListen(server, host, port)); tries++) {
    if (tries > 2_000) throw new Error(`port ${port} does not become free`);
    await delay(1);
  }
  return {
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

function tryListen(server: Server, host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      server.removeAllListeners('listening');
      if (codeOf(error) === 'EADDRINUSE') resolve(false);
      else reject(error);
    };
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      resolve(true);
    });
  });
}

/** Says one thing, waits for the PUBACK, and leaves for good. */
export async function sayOnce(campus: RunningCampus, device: string, body: object): Promise<void> {
  const options = { host: '127.0.0.1', port: campus.site.mqtt.port, clientId: device, username: device };
  const password = campus.passwords[device] ?? '';
  const mqtt = await connectAsync({ ...options, password, reconnectPeriod: 0, connectTimeout: patience });
  try {
    const topic = samplesTopic(asDevice(device));
    await within(patience, `the PUBACK for ${device}`, mqtt.publishAsync(topic, JSON.stringify(body), { qos: 1 }));
  } finally {
    await mqtt.endAsync(true);
  }
}
