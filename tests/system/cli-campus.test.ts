import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadProfiles } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { verifyPersonPassword } from '#edge/runtime/password.ts';
import { startCamera } from '#edge/simulators/camera.ts';
import { type ModbusCampus, startModbusCampus } from '#edge/simulators/modbus.ts';
import { openReader } from '#edge/store/reader.ts';
import { type RunningCampus, startCampus } from './campus.ts';

/* The `campus` command against a campus that runs, as a technician sits before it. */

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'cli-campus-'));
const soon = { timeout: 30_000, interval: 100 };

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Surroundings {
  readonly input?: string;
  readonly env?: Record<string, string>;
}

function cli(args: readonly string[], surroundings: Surroundings = {}): Promise<Ended> {
  return run(process.execPath, [join(root, 'edge/cli/main.ts'), ...args], surroundings);
}

function run(program: string, args: readonly string[], options: Surroundings = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env: { PATH: process.env.PATH, ...options.env },
      timeout: 40_000,
    });
    const heard = { out: '', err: '' };
    child.stdout.on('data', (chunk) => (heard.out += String(chunk)));
    child.stderr.on('data', (chunk) => (heard.err += String(chunk)));
    child.on('close', (code) => resolve({ code: code ?? -1, ...heard }));
    child.stdin.on('error', () => {}); // it may end before it reads
    child.stdin.end(options.input ?? '');
  });
}

let campus: RunningCampus;
beforeAll(async () => {
  campus = await startCampus({ city: false, simulators: false, only: [] });
  await vi.waitFor(() => expect(campus.status('core').state).toBe('ready'), soon);
}, 60_000);
afterAll(async () => {
  await campus?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe('help', () => {
  test('is in the language of the terminal, and in both where it has none', async () => {
    const help = ['backup', '--help'];
    const [zh, en, both, asked] = await Promise.all([
      cli(help, { env: { LANG: 'zh_CN.UTF-8' } }),
      cli(help, { env: { LANG: 'en_US.UTF-8' } }),
      cli(help, { env: { LANG: 'C.UTF-8' } }),
      cli([...help, '--lang', 'zh'], { env: { LANG: 'en_US.UTF-8' } }),
    ]);
    const [chinese, english] = ['备份整个校园', 'back up the whole campus'];
    expect([zh?.code, en?.code, both?.code, asked?.code]).toEqual([0, 0, 0, 0]);
    expect([zh?.out.includes(chinese), zh?.out.includes(english)]).toEqual([true, false]);
    expect([en?.out.includes(chinese), en?.out.includes(english)]).toEqual([false, true]);
    expect([both?.out.includes(chinese), both?.out.includes(english)]).toEqual([true, true]);
    expect(asked?.out).toBe(zh?.out);
  });

  test('of a word shows the commands that begin with it; an unknown language ends with 2', async () => {
    const { code, out } = await cli(['user', '--help', '--lang', 'en']);
    expect(code).toBe(0);
    expect(out.match(/^ {2}campus .*$/gm)?.every((line) => line.startsWith('  campus user '))).toBe(true);
    expect(await cli(['doctor', '--lang', 'fr'])).toMatchObject({ code: 2, out: '' });
  });
});

describe('accounts', () => {
  const data = () => ['--data', campus.data, '--lang', 'en'];
  const person = (id: string) => {
    using reader = openReader(campus.data);
    return reader.document('person', id);
  };

  test('are made with a password that was piped in, checked, and audited without it', async () => {
    const add = [
      'user',
      'add',
      'wang',
      '--name',
      '王值班',
      '--role',
      'security',
      '--zones',
      'gate',
      '--password-stdin',
    ];
    const weak = await cli([...add, ...data()], { input: 'wang1234\n' });
    expect(weak).toMatchObject({ code: 1, out: '', err: 'a password has at least 10 characters\n' });
    expect(await cli([...add, ...data()], { input: 'Lantern-7-orchard\n' })).toMatchObject({
      code: 0,
      out: 'wang: added as security\n',
    });
    const { body } = person('wang') ?? {};
    expect(body).toMatchObject({ name: '王值班', role: 'security', zones: ['gate'], expired: true });
    expect(await verifyPersonPassword(body?.password ?? '', 'Lantern-7-orchard')).toBe(true);
    using reader = openReader(campus.data);
    const lines = reader.newestAudit(20);
    expect(lines).toContainEqual(expect.objectContaining({ who: 'token:local', from: expect.stringMatching(/^cli /) }));
    expect(JSON.stringify(lines)).not.toMatch(/Lantern|scrypt/);
    expect(await cli([...add, ...data()], { input: 'Lantern-7-orchard\n' })).toMatchObject({ code: 1 });
  });

  test('are listed without what is secret, changed, unlocked and deleted', async () => {
    const { out } = await cli(['user', 'list', '--json', ...data()]);
    expect(JSON.parse(out)).toMatchObject([{ id: 'wang', role: 'security', zones: ['gate'], totp: false }]);
    expect(out).not.toContain('scrypt');
    for (const [verb, said] of [
      ['disable', 'disabled'],
      ['enable', 'enabled'],
      ['unlock', 'unlocked'],
      ['totp-off', 'second factor taken away'],
    ] as const) {
      const before = person('wang')?.rev ?? 0;
      expect(await cli(['user', verb, 'wang', ...data()])).toMatchObject({ code: 0, out: `wang: ${said}\n`, err: '' });
      expect(person('wang')?.rev).toBe(before + 1);
    }
    const limited = await cli(['user', 'role', 'wang', '--role', 'auditor', ...data()]);
    expect(limited).toMatchObject({ code: 2, err: expect.stringContaining('cannot be limited to zones') });
    expect(await cli(['user', 'delete', 'wang', ...data()])).toMatchObject({ code: 0 });
    expect(person('wang')).toBeNull();
    expect(await cli(['user', 'delete', 'wang', ...data()])).toMatchObject({
      code: 1,
      err: expect.stringContaining('no account'),
    });
  });

  test('cannot be changed while no campus runs, and never by an argument that others can see', async () => {
    const idle = mkdtempSync(join(tmpdir(), 'cli-idle-'));
    const gone = await cli(['user', 'list', '--data', idle]);
    expect(gone).toMatchObject({ code: 1, out: '' });
    const argv = [
      'user',
      'add',
      'li',
      '--name',
      'Li',
      '--role',
      'viewer',
      '--password',
      'Lantern-7-orchard',
      ...data(),
    ];
    expect(await cli(argv)).toMatchObject({ code: 2 });
    const noTerminal = await cli(['user', 'add', 'li', '--name', 'Li', '--role', 'viewer', ...data()]);
    expect(noTerminal).toMatchObject({ code: 2, err: expect.stringContaining('--password-stdin') });
    rmSync(idle, { recursive: true, force: true });
  });
});

const hasPython = spawnSync('python3', ['-c', 'import pty']).status === 0;
if (!hasPython) console.warn('skipped: typing a password on a terminal needs python3 with pty');

test.skipIf(!hasPython)(
  'a password that is typed is asked for twice and never shown',
  async () => {
    const bin = [
      process.execPath,
      join(root, 'edge/cli/main.ts'),
      'user',
      'add',
      'li',
      '--name',
      'Li',
      '--role',
      'viewer',
    ];
    const typing = String.raw`
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
out, answers, end = b'', [(b'New password', b'Lantern-7-orcharx\x7fd\r'), (b'Once more', b'Lantern-7-orchard\r')], time.time() + 25
while time.time() < end:
    if select.select([fd], [], [], 0.2)[0]:
        try: chunk = os.read(fd, 1000)
        except OSError: break
        if not chunk: break
        out += chunk
    if answers and answers[0][0] in out: os.write(fd, answers.pop(0)[1])
sys.stdout.buffer.write(out)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`;
    const args = ['-c', typing, ...bin, '--data', campus.data, '--lang', 'en'];
    // Not synchronously: the supervisor of the campus lives in this process.
    const { code, out, err } = await run('python3', args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('li: added as viewer');
    expect(out).not.toContain('orchar');
  },
  60_000,
);

describe('trying a device', () => {
  let meters: ModbusCampus;
  beforeAll(async () => {
    const { profiles } = await loadProfiles(join(root, 'device-profiles'));
    meters = await startModbusCampus({ clock: systemClock, host: '127.0.0.1', tcpPort: 0, rtuPort: 0, profiles });
  });
  afterAll(async () => await meters?.[Symbol.asyncDispose]());

  test('reads it once by its real driver: values, units and qualities', async () => {
    const address = JSON.stringify({ tcp: { host: '127.0.0.1', port: meters.tcpPort }, unit: 1 });
    const { code, out } = await cli(['device', 'try', 'meter/eastron-sdm630', '--address-stdin', '--json'], {
      input: address,
    });
    expect(code).toBe(0);
    const tried = JSON.parse(out);
    expect(tried).toMatchObject({ ok: true, message: '', ms: expect.any(Number) });
    expect(tried.points).toContainEqual({
      point: 'voltage_l1',
      label: { zh: '电压 L1', en: 'Voltage L1' },
      value: expect.closeTo(230, -1.5),
      unit: 'V',
      quality: 'good',
    });
  });

  test('a camera is asked until its events flow, its password comes by standard input; a wrong one is said', async () => {
    const options = { host: '127.0.0.1', port: 0, username: 'campus', password: 'right-5', clock: systemClock };
    const looks = { auth: 'digest', model: 'DS-GATE-4', topicDialect: 'hikvision' } as const;
    await using camera = await startCamera({ ...options, ...looks });
    const attempt = async (password: string) => {
      const input = JSON.stringify({ host: '127.0.0.1', port: camera.port, username: 'campus', password });
      const { code, out } = await cli(['device', 'try', 'camera/onvif-generic', '--address-stdin', '--json'], {
        input,
      });
      return { code, ...JSON.parse(out) };
    };
    const [right, wrong] = [await attempt('right-5'), await attempt('wrong-5')];
    expect(right).toMatchObject({ code: 0, ok: true });
    expect(right.points).toContainEqual(expect.objectContaining({ point: 'online', value: true, quality: 'good' }));
    expect(wrong).toMatchObject({ code: 1, ok: false, message: expect.stringMatching(/password|refuse|authori/i) });
  }, 60_000);

  test('says what is wrong with the address, the device, or the question', async () => {
    const attempt = async (profile: string, address: object) => {
      const { code, out } = await cli(['device', 'try', profile, '--address', JSON.stringify(address), '--json']);
      return { code, ...JSON.parse(out) };
    };
    const closed = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
      });
    });
    const [nobody, wrong, sensor] = await Promise.all([
      attempt('meter/eastron-sdm630', { tcp: { host: '127.0.0.1', port: closed } }),
      attempt('meter/eastron-sdm630', { tcp: { host: '127.0.0.1', port: 0 } }),
      attempt('sensor/zigbee-climate', { zigbee2mqtt: 'climate-9' }),
    ]);
    expect(nobody).toMatchObject({ code: 1, ok: false, message: expect.stringContaining('ECONNREFUSED') });
    expect(wrong).toMatchObject({ code: 1, ok: false, message: expect.stringContaining('address.tcp.port') });
    expect(sensor).toMatchObject({ code: 1, ok: false, message: expect.stringContaining('inbox') });
    expect(await cli(['device', 'try', 'meter/nobody', '--address', '{}'])).toMatchObject({ code: 1, out: '' });
    expect(await cli(['device', 'try', 'meter/eastron-sdm630', '--address', '{'])).toMatchObject({ code: 2 });
  });
});

describe('the doctor', () => {
  test('looks at a campus that runs, and at what is not there', async () => {
    const site = join(folder, 'site.yaml');
    writeFileSync(
      site,
      `site: 1
campus: {id: "2151009901", name: {zh: 校, en: School}, timeZone: Asia/Shanghai}
zones: [{id: hall, name: {zh: 厅, en: Hall}}]
mqtt: {hosts: [127.0.0.1], port: ${campus.site.mqtt.port}, websocketPort: null, tls: null}
https: null
http: {host: 127.0.0.1, port: 0}
flows: {enabled: false}
devices:
  - {id: meter-x, name: {zh: 表, en: Meter}, profile: meter/eastron-sdm630, zone: hall, address: {tcp: {host: 127.0.0.1, port: 1}}}
`,
    );
    const { code, out } = await cli(['doctor', '--data', campus.data, '--site', site, '--json']);
    const findings: { check: string; state: string; found: { en: string }; next: { zh: string; en: string } | null }[] =
      JSON.parse(out);
    const of = (check: string) => findings.filter((finding) => finding.check === check);
    for (const check of ['node', 'core', 'ports', 'database', 'audit', 'site']) {
      expect(of(check), check).toMatchObject([{ state: 'ok', next: null }]);
    }
    expect(of('devices')).toContainEqual(
      expect.objectContaining({
        state: 'fail',
        found: expect.objectContaining({ en: 'meter-x: no connection to 127.0.0.1:1' }),
      }),
    );
    for (const { state, next } of findings) {
      if (state !== 'ok') expect(next?.zh.length && next.en.length).toBeGreaterThan(0);
    }
    expect(code).toBe(1);
  });

  test('works where nothing is yet', async () => {
    const { code, out } = await cli(['doctor', '--lang', 'en']);
    expect(code).toBe(0);
    expect(out).toMatch(/^\[ ok \] node /m);
    const none = await cli(['doctor', '--data', join(folder, 'nowhere'), '--lang', 'en']);
    expect(none).toMatchObject({ code: 1, out: expect.stringContaining('[FAIL] data') });
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
  });
});

describe('audit', () => {
  test('is verified and exported as CSV that no spreadsheet takes for a formula', async () => {
    const data = ['--data', campus.data];
    expect(await cli(['audit', 'verify', ...data, '--lang', 'en'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^whole: \d+ lines/),
    });
    const { code, out } = await cli(['audit', 'export', ...data]);
    expect(code).toBe(0);
    expect(out.split('\n')[0]).toBe('seq,time,who,from,what,why,result');
    expect(out).toMatch(/^\d+,\d{4}-\d\d-\d\dT[^,]+Z,token:local,/m);
  });
});

describe('the service', () => {
  const site = join(root, 'edge/simulators/demo-site.yaml');
  const print = (...more: string[]) =>
    cli(['service', 'install', '--site', site, '--data', '/var/lib/campus edge', '--print', ...more]);

  test('is a unit with its own user, least rights and a watchdog', async () => {
    const { code, out } = await print('--user', 'campus');
    expect(code).toBe(0);
    for (const line of [
      'Type=notify',
      'User=campus',
      'WatchdogSec=60',
      'NoNewPrivileges=yes',
      'ProtectSystem=strict',
      'CapabilityBoundingSet=',
      'SystemCallFilter=@system-service',
      'PrivateDevices=yes',
    ]) {
      expect(out.split('\n')).toContain(line);
    }
    expect(out).toMatch(/^ReadWritePaths="\/var\/lib\/campus edge" /m);
  });

  test('asks for a port below 1024 and a serial line only where the site has one', async () => {
    const file = join(folder, 'serial.yaml');
    writeFileSync(
      file,
      `site: 1
campus: {id: "2151009901", name: {zh: 校, en: School}, timeZone: Asia/Shanghai}
zones: [{id: hall, name: {zh: 厅, en: Hall}}]
http: {host: 127.0.0.1, port: 80}
devices:
  - {id: meter-x, name: {zh: 表, en: Meter}, profile: meter/eastron-sdm630, zone: hall, address: {serial: {path: /dev/ttyUSB0}, unit: 1}}
`,
    );
    const { out } = await cli(['service', 'install', '--site', file, '--data', '/srv/campus', '--print']);
    expect(out).toContain('CapabilityBoundingSet=CAP_NET_BIND_SERVICE\n');
    expect(out).toContain('DeviceAllow=/dev/ttyUSB0 rw\n');
    expect(out).not.toContain('PrivateDevices');
  });

  test('a name that is none is refused', async () => {
    expect(await print('--user', 'root; rm')).toMatchObject({ code: 2, out: '' });
  });
});
