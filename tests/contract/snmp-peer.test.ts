import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { freeUdpPorts } from '../system/free-ports.ts';
import { openSnmp } from './snmp-rig.ts';

/* Net-SNMP's agent, which nobody here wrote: v2c and v3, the interfaces table of this machine, a value that is written. */

const program = ['/usr/sbin/snmpd', '/usr/bin/snmpd'].find((file) => existsSync(file));
if (program === undefined)
  console.warn('SKIPPED: there is no snmpd here (apt install snmpd); no foreign agent was asked');

const v3 = { user: 'campus', authPassword: 'peer-auth-password', privacyPassword: 'peer-privacy-password' };
const loopback = Number(readFileSync('/sys/class/net/lo/ifindex', 'utf8'));
const values = {
  model: { at: '1.3.6.1.2.1.1.1.0', type: 'text' },
  place: { at: '1.3.6.1.2.1.1.6.0', type: 'text' },
  uptime: { at: '1.3.6.1.2.1.1.3.0', scale: 0.01, unit: 's' },
  services: { at: '1.3.6.1.2.1.1.7.0' },
  link: { at: '1.3.6.1.2.1.2.2.1.8', rows: 'interface', type: 'text', map: { 1: 'up', 2: 'down', 4: 'unknown' } },
  speed: { at: '1.3.6.1.2.1.2.2.1.5', rows: 'interface' },
  traffic_in: { at: '1.3.6.1.2.1.31.1.1.1.6', rows: 'interface', rate: true, scale: 0.008, unit: 'kbit/s' },
  packets: { at: '1.3.6.1.2.1.2.2.1.11', rows: 'interface', rate: true },
  // snmpEnableAuthenTraps, the one value of the agent itself that may be written: 1 enabled, 2 disabled.
  traps: {
    at: '1.3.6.1.2.1.11.30.0',
    type: 'boolean',
    map: { 1: true, 2: false },
    write: { verify: { after: '20ms', within: '1s' } },
  },
  poe: {
    at: '1.3.6.1.2.1.105.1.1.1.3',
    rows: 'poe',
    count: 4,
    type: 'boolean',
    map: { 1: true, 2: false },
    optional: true,
  },
};

let folder: string;
let port: number;
let agent: ChildProcess | null = null;

beforeAll(async () => {
  if (program === undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'snmpd-'));
  [port = 0] = await freeUdpPorts(1);
  writeFileSync(
    join(folder, 'snmpd.conf'),
    [
      'rwcommunity written 127.0.0.1',
      'rocommunity demo 127.0.0.1',
      `createUser ${v3.user} SHA "${v3.authPassword}" AES "${v3.privacyPassword}"`,
      `rwuser ${v3.user} priv`,
      'sysServices 72',
      'sysDescr Campus peer 一',
    ].join('\n'),
  );
  agent = spawn(
    program,
    ['-f', '-C', '-c', join(folder, 'snmpd.conf'), '-Lf', join(folder, 'log'), `udp:127.0.0.1:${port}`],
    {
      env: { PATH: '/usr/bin:/bin', SNMP_PERSISTENT_DIR: folder, MIBS: '' },
      stdio: 'ignore',
    },
  );
  await using rig = await openSnmp(values, { host: '127.0.0.1', port, community: 'demo', timeout: '500ms' });
  await vi.waitFor(async () => expect((await rig.read()).services?.value).toBe(72), { timeout: 15_000, interval: 100 });
}, 20_000);

afterAll(async () => {
  if (agent?.exitCode === null) {
    agent.kill('SIGKILL');
    await once(agent, 'exit');
  }
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

const at = (access: object) => ({
  host: '127.0.0.1',
  port,
  timeout: '1s',
  interfaces: { first: loopback },
  ...access,
});

test.skipIf(program === undefined).each([
  ['v2c', { community: 'demo' }],
  ['v3', { v3 }],
])('values, words, counters and what it does not have, over %s', async (_, access) => {
  await using rig = await openSnmp(values, at(access));
  const first = await rig.read();
  expect(first.model).toMatchObject({ value: 'Campus peer 一', quality: 'good' });
  expect(first.services).toMatchObject({ value: 72, quality: 'good' });
  expect(first.uptime?.value).toBeGreaterThan(0);
  expect(first.link_1).toMatchObject({ value: 'up', quality: 'good' });
  expect(first.speed_1).toMatchObject({ value: 10_000_000, quality: 'good' });
  expect(first.traffic_in_1).toMatchObject({ value: null, reason: 'never-read' });
  for (const name of ['poe_1', 'poe_4'])
    expect(first[name]).toMatchObject({ value: null, reason: 'configuration-error' });
  await vi.waitFor(async () => {
    const second = await rig.read();
    expect(second.packets_1?.value).toBeGreaterThanOrEqual(0);
    expect(second.traffic_in_1).toMatchObject({ quality: 'good' });
  }, 10_000);
  // What it does not have is optional: it is well all the same.
  expect(rig.states).toEqual(['online']);
});

test.skipIf(program === undefined)(
  'a value is written and read back; the community that may only read is refused',
  async () => {
    await using rig = await openSnmp(values, at({ community: 'demo', writeCommunity: 'written' }));
    expect(await rig.write('traps', true)).toMatchObject({ outcome: 'done', value: true });
    expect(await rig.write('traps', false)).toMatchObject({ outcome: 'done', value: false });
    await using reader = await openSnmp(values, at({ community: 'demo' }));
    const refused = await reader.write('traps', true);
    expect(refused).toMatchObject({ outcome: 'failed' });
    expect(refused.message).toMatch(/NoAccess|NotWritable|AuthorizationError/i);
  },
);

test.skipIf(program === undefined)('over v3 a value is written too', async () => {
  await using rig = await openSnmp(values, at({ v3 }));
  expect(await rig.write('traps', true)).toMatchObject({ outcome: 'done', value: true });
});

test.skipIf(program === undefined)(
  'a wrong community is silence, a wrong password is said to be one, and neither is in the words',
  async () => {
    await using stranger = await openSnmp(values, { ...at({ community: 'not-the-secret' }), timeout: '100ms' });
    await stranger.read();
    expect((await stranger.read()).services).toMatchObject({ quality: 'bad', reason: 'no-communication' });
    expect(stranger.states).toEqual(['offline']);
    for (const wrong of [
      { authPassword: 'wrong-auth-password' },
      { privacyPassword: 'wrong-privacy-pass' },
      { user: 'nobody' },
    ]) {
      await using rig = await openSnmp(values, { ...at({ v3: { ...v3, ...wrong } }), timeout: '300ms' });
      const { services } = await rig.read();
      expect(services, JSON.stringify(wrong)).toMatchObject({ value: null, quality: 'bad' });
      // An agent that cannot decrypt may also say nothing.
      if (services?.reason === 'held') expect(rig.states).toEqual(['held']);
      expect(rig.messages.join()).not.toMatch(/password"|wrong-auth|wrong-priv|not-the-secret/);
    }
  },
);
