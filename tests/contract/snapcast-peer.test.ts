import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Session } from '#edge/drivers/driver.ts';
import { parseSnapcastConfig } from '#edge/drivers/snapcast/config.ts';
import { dominantTone } from '#edge/simulators/tone.ts';
import { addressOf, type Heard, listen, order, snapRig } from '../unit/snapcast/snap-rig.ts';

/* A server and clients that nobody here wrote: Debian's snapserver takes our stream, its snapclients write down what they play. */

const has = (program: string) => spawnSync(program, ['--version'], { timeout: 10_000 }).error === undefined;
const isHere = has('snapserver') && has('snapclient');
if (!isHere) console.warn('SKIPPED: no Snapcast server took our sound (apt-get install snapserver snapclient)');

const never = new AbortController().signal;
const patience = { timeout: 20_000, interval: 100 };
const buffer = 400;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function run(program: string, args: readonly string[], folder: string): ChildProcess & AsyncDisposable {
  const child = spawn(program, args, { cwd: folder, stdio: 'ignore', env: { ...process.env, HOME: folder } });
  return Object.assign(child, {
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  });
}

interface Ports {
  readonly stream: number;
  readonly control: number;
  readonly source: number;
  readonly http: number;
}

async function server(folder: string, ports: Ports) {
  const file = join(folder, 'snapserver.conf');
  const lines = [
    ...['[server]', `datadir = ${folder}`, '[http]', 'enabled = false', `port = ${ports.http}`],
    ...['[tcp]', 'enabled = true', 'bind_to_address = 127.0.0.1', `port = ${ports.control}`],
    ...['[stream]', 'bind_to_address = 127.0.0.1', `port = ${ports.stream}`, `buffer = ${buffer}`, 'codec = pcm'],
    ...[`source = tcp://127.0.0.1:${ports.source}?name=hall&mode=server&sampleformat=48000:16:2`, ''],
  ];
  await writeFile(file, lines.join('\n'));
  return run('snapserver', ['-c', file], folder);
}

/** Hears as a loudspeaker would, into a file. */
function client(folder: string, id: string, port: number) {
  const heard = join(folder, `${id}.raw`);
  const args = ['-h', '127.0.0.1', '-p', `${port}`, '--hostID', id, '--instance', '1'];
  return { heard, child: run('snapclient', [...args, '--player', `file:filename=${heard}`], folder) };
}

/** The strongest tone of the last 200 ms that a client played, Hz; null: silence. */
async function tone(file: string): Promise<number | null> {
  const size = (await stat(file).catch(() => null))?.size ?? 0;
  const length = 48_000 * 4 * 0.2;
  if (size < length * 2) return null;
  await using handle = await open(file);
  const bytes = Buffer.alloc(length);
  const at = size - length;
  await handle.read(bytes, 0, length, at - (at % 4));
  const samples = new Int16Array(length / 4);
  for (let n = 0; n < samples.length; n++) samples[n] = bytes.readInt16LE(n * 4);
  return dominantTone(samples, 48_000);
}

async function scene() {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'snapcast-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const [stream, control, source, http] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const ports = { stream, control, source, http };
  const running = { server: await server(folder, ports) };
  stack.defer(() => running.server[Symbol.asyncDispose]());
  const left = client(folder, 'left', stream);
  const right = client(folder, 'right', stream);
  for (const one of [left, right]) stack.use(one.child);
  const rig = stack.use(await snapRig());
  const heard: Heard = listen();
  const address = addressOf(control, source, ['left', 'right']);
  const session: Session = await rig.driver.open(rig.device(address), parseSnapcastConfig(address), heard, never);
  stack.use(session);
  await expect.poll(() => heard.states.at(-1), patience).toMatch(/^online/);
  const owned = stack.move();
  return {
    ...{ left, right, heard, ports },
    write: async (value: string, priority: 1 | 8 = 8) => session.write?.(order(value, { priority }), never),
    async restart() {
      await running.server[Symbol.asyncDispose]();
      running.server = await server(folder, ports);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A client by the server's own JSON-RPC, as the app of a person would. */
async function turn(control: number, id: string, volume: object): Promise<void> {
  const { connect } = await import('node:net');
  const socket = connect({ host: '127.0.0.1', port: control });
  await once(socket, 'connect');
  socket.write(`${JSON.stringify({ id: 1, jsonrpc: '2.0', method: 'Client.SetVolume', params: { id, volume } })}\r\n`);
  await once(socket, 'data');
  socket.destroy();
}

describe.skipIf(!isHere)('a Snapcast server that nobody here wrote', () => {
  it('plays our sound at two clients, and changes from one sound to the next', async () => {
    await using room = await scene();
    expect(await room.write('low')).toMatchObject({ outcome: 'sent' });
    for (const { heard } of [room.left, room.right])
      await expect.poll(() => tone(heard), patience).toBeCloseTo(500, -2);
    await expect.poll(() => room.heard.value('proof'), patience).toBe('acknowledged');
    expect(room.heard.value('evidence')).toContain('2 of 2');
    const began = performance.now();
    await room.write('high');
    await expect.poll(() => tone(room.left.heard), { timeout: 20_000, interval: 10 }).toBeCloseTo(1_500, -2);
    // The server's buffer, and the 200 ms that are looked at.
    console.log(
      `from the order to the new tone at the client: ${(performance.now() - began).toFixed(0)} ms, buffer ${buffer}`,
    );
    await room.write('');
    await expect.poll(() => room.heard.value('playing'), patience).toBe(false);
  }, 60_000);

  it('says which client is muted or gone, and an emergency is heard all the same', async () => {
    await using room = await scene();
    await room.write('low');
    await turn(room.ports.control, 'right', { muted: true, percent: 30 });
    const at = performance.now();
    await expect.poll(() => room.heard.states.at(-1), patience).toMatch(/^degraded: .*: muted$/);
    expect(performance.now() - at).toBeLessThan(5_000);
    await room.write('evacuation class=fire', 1);
    await expect.poll(() => room.heard.states.at(-1), patience).toMatch(/^online/);
    await room.write('');
    await expect.poll(() => room.heard.states.at(-1), patience).toMatch(/^degraded: .*: muted$/);
    room.left.child.kill('SIGKILL');
    const gone = performance.now();
    await expect.poll(() => room.heard.states.at(-1), patience).toMatch(/^offline: .*not connected.*muted/);
    console.log(`a client that was killed is named after ${(performance.now() - gone).toFixed(0)} ms`);
  }, 60_000);

  it('is played to again after its end', async () => {
    await using room = await scene();
    await room.write('evacuation', 1);
    await expect.poll(() => tone(room.left.heard), patience).not.toBeNull();
    await room.restart();
    await expect
      .poll(() => room.heard.states.filter((one) => one.startsWith('offline')).length, patience)
      .toBeGreaterThan(0);
    await expect.poll(() => room.heard.states.at(-1), { timeout: 30_000, interval: 100 }).toMatch(/^online/);
    const size = (await stat(room.left.heard)).size;
    await expect.poll(async () => (await stat(room.left.heard)).size, patience).toBeGreaterThan(size + 48_000);
    await expect.poll(() => tone(room.left.heard), patience).not.toBeNull();
  }, 90_000);
});
