import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { freePorts, Script, startProgram, temporaryFolder, until } from './rig.ts';

/* What schools have today: Mosquitto, Node-RED and SQLite, put together as well as it can be done. */

export interface Stack extends AsyncDisposable {
  /** Mosquitto's. */
  readonly port: number;
  /** Committed rows. */
  rows(): number;
}

/** Debian puts it into sbin, which is not in everybody's path; null when it is not there. */
export function findMosquitto(): string | null {
  return ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'].find(existsSync) ?? null;
}

/** One row a message, committed before the message goes on. CommonJS, because Node-RED loads nodes by require(). */
const insertNode = `
module.exports = (RED) => {
  function Insert(config) {
    RED.nodes.createNode(this, config);
    const Database = require(RED.settings.benchSqlite);
    const db = new Database(RED.settings.benchDatabase);
    for (const pragma of RED.settings.benchPragmas) db.pragma(pragma);
    db.exec('CREATE TABLE IF NOT EXISTS reading (id INTEGER PRIMARY KEY, ref TEXT, t INTEGER, received INTEGER, value REAL)');
    const insert = db.prepare('INSERT INTO reading (ref, t, received, value) VALUES (?, ?, ?, ?)');
    this.on('input', (msg, send, done) => {
      const { ref, t, received, value } = msg.payload;
      insert.run(ref, t, received, value);
      send(msg);
      done();
    });
    this.on('close', () => db.close());
  }
  RED.nodes.registerType('bench insert', Insert);
};
`;
const insertTemplate = `
<script type="text/javascript">RED.nodes.registerType('bench insert', { category: 'storage', defaults: {}, inputs: 1, outputs: 1 });</script>
<script type="text/html" data-template-name="bench insert"></script>
`;

/** Decodes what the load says, and names the sender for the answer. */
const decode = `
const device = msg.topic.split('/')[2];
const { t, s } = msg.payload;
msg.payload = { ref: device + '/' + s[0][0], t, received: Date.now(), value: s[0][1] };
msg.topic = 'done/' + device;
return msg;
`;

function flowOf(port: number, tellSender: boolean): object[] {
  const broker = { id: 'broker', type: 'mqtt-broker', broker: '127.0.0.1', port: String(port), protocolVersion: '4' };
  return [
    { id: 'tab', type: 'tab', label: 'bench' },
    { ...broker, clientid: 'node-red', keepalive: '60', cleansession: true, autoConnect: true },
    {
      id: 'in',
      type: 'mqtt in',
      z: 'tab',
      topic: 'v1/in/+/samples',
      qos: '1',
      datatype: 'json',
      broker: 'broker',
      inputs: 0,
      wires: [['decode']],
    },
    { id: 'decode', type: 'function', z: 'tab', func: decode, outputs: 1, timeout: 0, wires: [['insert']] },
    { id: 'insert', type: 'bench insert', z: 'tab', wires: [tellSender ? ['answer'] : []] },
    {
      id: 'answer',
      type: 'change',
      z: 'tab',
      rules: [{ t: 'set', p: 'payload', to: '1', tot: 'str' }],
      wires: [['out']],
    },
    { id: 'out', type: 'mqtt out', z: 'tab', topic: '', qos: '0', retain: 'false', broker: 'broker', wires: [] },
  ];
}

const mosquittoConfig = (port: number) => `
listener ${port} 127.0.0.1
allow_anonymous true
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true
log_type none
`;

/** `same`: as durable as ours (WAL, NORMAL). `default`: SQLite as it comes. Throws when there is no Mosquitto. */
export async function startStack(durability: 'same' | 'default', tellSender: boolean): Promise<Stack> {
  const program = findMosquitto();
  if (program === null) throw new Error('there is no mosquitto on this machine');
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder('stack'));
  const [port = 0] = await freePorts(1);
  const config = join(folder.path, 'mosquitto.conf');
  await writeFile(config, mosquittoConfig(port));
  stack.use(startProgram(program, ['-c', config]));
  await until('mosquitto listens', 15_000, () => isListening(port), 20);
  const nodes = join(folder.path, 'nodes');
  await mkdir(nodes);
  await writeFile(join(nodes, 'insert.js'), insertNode);
  await writeFile(join(nodes, 'insert.html'), insertTemplate);
  await writeFile(join(folder.path, 'flows.json'), JSON.stringify(flowOf(port, tellSender)));
  const database = join(folder.path, 'readings.db');
  const nodeRed = stack.use(new Script('node-red.ts'));
  await nodeRed.ask({
    folder: folder.path,
    nodes,
    sqlite: createRequire(import.meta.url).resolve('better-sqlite3'),
    database,
    pragmas: durability === 'same' ? ['journal_mode = WAL', 'synchronous = NORMAL'] : [],
  });
  await until('the table is there', 15_000, () => existsSync(database));
  const db = new Database(database, { readonly: true, timeout: 5_000 });
  stack.defer(() => void db.close());
  const count = db.prepare<[], number | null>('SELECT max(id) FROM reading').pluck();
  const owned = stack.move();
  return { port, rows: () => count.get() ?? 0, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
