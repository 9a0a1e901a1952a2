import { connect } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { generate } from 'mqtt-packet';

/* A guest gone wild, in a thread of its own: as many messages as its socket takes, on topics of its own and on others'. */

interface FloodOrder {
  readonly port: number;
  readonly client: string;
  readonly password: string;
  readonly topics: readonly string[];
}

const { port, client, password, topics } = workerData as FloodOrder;
const publishes = Buffer.concat(
  Array.from({ length: 500 }, (_, i) =>
    generate({
      cmd: 'publish',
      topic: topics[i % topics.length] ?? '',
      payload: JSON.stringify({ s: [['alarm', i % 2 === 0]] }),
      qos: 0,
      dup: false,
      retain: false,
    }),
  ),
);
const login = generate({
  cmd: 'connect',
  protocolId: 'MQTT',
  protocolVersion: 4,
  clean: true,
  clientId: `${client}-flood`,
  keepalive: 60,
  username: client,
  password: Buffer.from(password),
});

let sent = 0;
function flood(): void {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  // Thrown out, it comes again.
  socket.on('close', () => setTimeout(flood, 100));
  socket.on('connect', () => socket.write(login));
  const pour = () => {
    while (!socket.destroyed && socket.write(publishes)) sent += 500;
    sent += 500;
  };
  socket.once('data', pour);
  socket.on('drain', pour);
}

parentPort?.on('message', () => parentPort?.postMessage(sent));
flood();
