import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { devicesOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import { loadSite } from '#edge/runtime/site.ts';
import { freePorts } from './free-ports.ts';

/* People make mistakes in files. Each is told with what and where, and everything else goes on. */

const root = join(import.meta.dirname, '../..');
const soon = { timeout: 45_000, interval: 100 };

interface Edge extends AsyncDisposable {
  readonly url: string;
  readonly data: string;
  /** What it has written so far. */
  output(): string;
  exit(): Promise<number | null>;
}

/** `npm start -- --site <text as a file> ...` on a free port; null: there is no such file. */
async function startEdge(siteText: string | null, httpPort?: number): Promise<Edge> {
  const folder = await mkdtemp(join(tmpdir(), 'broken-'));
  const data = join(folder, 'data');
  const file = join(folder, 'my-site.yaml');
  if (siteText !== null) await writeFile(file, siteText);
  const [port = 0] = httpPort === undefined ? await freePorts(1) : [httpPort];
  const child = spawn(
    process.execPath,
    [join(root, 'edge/main.ts'), '--site', file, '--data', data, '--http-port', String(port), '--log-level', 'silent'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const exited = once(child, 'exit');
  return {
    url: `http://127.0.0.1:${port}`,
    data,
    output: () => output,
    exit: async () => {
      await within(20_000, 'the end of the edge', exited);
      return child.exitCode;
    },
    async [Symbol.asyncDispose]() {
      await end(child, exited);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  try {
    await within(15_000, 'the stop of the edge', exited);
  } catch {
    child.kill('SIGKILL');
    await exited;
  }
}

interface Health {
  readonly status: string;
  readonly siteError: string | null;
  readonly processes: readonly { readonly name: string; readonly state: string }[];
}

async function health(edge: Edge): Promise<{ code: number; body: Health }> {
  const response = await fetch(`${edge.url}/healthz`, { signal: AbortSignal.timeout(5_000) });
  return { code: response.status, body: (await response.json()) as Health };
}

const site = (more: string) => `site: 1
campus: {id: "2151009901", name: {zh: 青禾实验小学, en: Qinghe Primary School}, timeZone: Asia/Shanghai}
zones:
  - {id: teaching, name: {zh: 教学楼, en: Teaching building}}
flows: {enabled: false}
${more}`;

const device = (id: string, more: string) =>
  `  - {id: ${id}, name: {zh: 表, en: Meter}, profile: sensor/json-air, address: {json: true}, ${more}}`;

describe('a broken site file', () => {
  test('still starts the page, which shows every mistake with its path; so does the health check', async () => {
    const devices = ['air-1', 'air-2'].map((id) => device(id, 'zone: teaching'));
    await using edge = await startEdge(site(`devices:\n${devices.join('\n')}\n${device('air-1', 'zone: east')}`));
    const { code, body } = await vi.waitFor(() => health(edge), soon);
    expect(code).toBe(503);
    expect(body.status).toBe('degraded');
    expect(body.siteError).toContain('my-site.yaml is not a valid site file');
    expect(body.siteError?.split('\n')).toEqual(
      expect.arrayContaining(['devices[2].id: "air-1" is used twice', 'devices[2].zone: unknown zone "east"']),
    );
    expect(body.processes.map(({ name }) => name)).toEqual(['web']);
    expect(edge.output()).toContain('devices[2].zone: unknown zone "east"');

    const page = await fetch(edge.url);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('<title>Campus Edge</title>');
    const me = await fetch(`${edge.url}/api/v1/me`);
    expect(me.status).toBe(404);
    expect(await me.json()).toMatchObject({ error: 'campus-not-found' });
    // There is no campus to ask about, and nobody answers as if there were.
    const token = (await readFile(join(edge.data, 'admin-token'), 'utf8')).trim();
    const points = await fetch(`${edge.url}/api/v1/points`, { headers: { authorization: `Bearer ${token}` } });
    expect(points.status).toBe(404);
  });

  test('is told which keys are unknown, which values are wrong, and where', async () => {
    const mistakes = `mqtt: {port: many}\nhttpz: {port: 1}\ndevices:\n${device('air-1', 'zone: teaching, colour: red')}`;
    await using edge = await startEdge(site(mistakes).replace('2151009901', '12'));
    const { body } = await vi.waitFor(() => health(edge), soon);
    expect(body.siteError).toMatch(/^devices\[0\]: .*"colour"/m);
    expect(body.siteError).toMatch(/^\(file\): .*"httpz"/m);
    expect(body.siteError).toMatch(/^mqtt\.port: /m);
    expect(body.siteError).toMatch(/^campus\.id: must be the 10-digit school code/m);
  });

  test('that is no YAML is told its line', async () => {
    await using edge = await startEdge(`${site('')}name: "half`);
    const { body } = await vi.waitFor(() => health(edge), soon);
    expect(body.siteError).toMatch(/my-site\.yaml is not a valid site file:\n.* at line \d+, column \d+/s);
  });

  test('that is not there is said to be so', async () => {
    await using edge = await startEdge(null);
    const { body } = await vi.waitFor(() => health(edge), soon);
    expect(body.siteError).toMatch(/^cannot read the site file .*my-site\.yaml: ENOENT/);
  });
});

describe('a taken port', () => {
  test('is named with what to set, and nothing is started', async () => {
    await using other = await listener();
    await using edge = await startEdge(site(''), other.port);
    expect(await edge.exit()).toBe(1);
    expect(edge.output()).toContain(
      `port ${other.port} on 127.0.0.1 is taken by another program: set http.port in the site file, or start with --http-port`,
    );
    expect(edge.output()).not.toContain('Campus Edge starts');
  });

  test('of the broker is named the same way', async () => {
    await using other = await listener();
    await using edge = await startEdge(
      site(`mqtt: {hosts: [127.0.0.1], port: ${other.port}, websocketPort: null, tls: null}`),
    );
    expect(await edge.exit()).toBe(1);
    expect(edge.output()).toContain(
      `port ${other.port} on 127.0.0.1 is taken by another program: set mqtt.port in the site file, or start with --mqtt-port`,
    );
  });
});

describe('a broken profile', () => {
  test('takes its device away and nothing else: the edge runs and says which and why', async () => {
    const [mqtt = 0] = await freePorts(1);
    const lines = [device('air-1', 'zone: teaching'), device('air-2', 'zone: teaching').replace('json-air', 'no-such')];
    const listen = `mqtt: {hosts: [127.0.0.1], port: ${mqtt}, websocketPort: null, tls: null}`;
    await using edge = await startEdge(site(`${listen}\ndevices:\n${lines.join('\n')}`));
    await vi.waitFor(async () => expect((await health(edge)).body.status).toBe('ok'), soon);
    const token = (await readFile(join(edge.data, 'admin-token'), 'utf8')).trim();
    const ask = async (path: string): Promise<unknown> =>
      (await fetch(`${edge.url}/api/v1/${path}`, { headers: { authorization: `Bearer ${token}` } })).json();
    expect(await ask('devices')).toMatchObject([
      { device: 'air-2', state: 'misconfigured', message: 'profile sensor/no-such: there is no such profile' },
    ]);
    expect(await ask('points')).toContainEqual(expect.objectContaining({ id: 'air-1/co2', reason: 'never-read' }));
  });

  // The folder of profiles is part of the product, so a running edge cannot be given another: this is what it does with it.
  test('disables the devices that name it, says why, and leaves all others', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'profiles-'));
    try {
      await cp(join(root, 'device-profiles'), folder, { recursive: true });
      const file = join(folder, 'meter/eastron-sdm630.yaml');
      await writeFile(file, (await readFile(file, 'utf8')).replace('fc: input', 'fc: inputs'));
      await mkdir(join(folder, 'lamp'));
      await writeFile(join(folder, 'lamp/half.yaml'), 'profile: half\nname: {zh: 灯');
      const demo = await loadSite(join(root, 'edge/simulators/demo-site.yaml'));
      const { devices, broken } = devicesOf(demo, await loadProfiles(folder));
      expect(broken.map(({ device: id }) => id)).toEqual(['meter-main', 'meter-canteen']);
      for (const { message } of broken) {
        expect(message).toMatch(
          /^profile meter\/eastron-sdm630: .*eastron-sdm630\.yaml is not a valid profile:\nbus\.fc: /,
        );
      }
      expect(devices).toHaveLength(demo.devices.length - 2);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

async function listener(): Promise<AsyncDisposable & { port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
