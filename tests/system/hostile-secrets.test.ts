import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { setClientPassword } from '#edge/bus/access.ts';
import { processNames } from '#edge/domain/health.ts';
import { freePorts } from './free-ports.ts';

/*
 * A campus with everything that has a secret, whose cameras, speakers, city and sensors all refuse or are not there:
 * errors are where secrets leak. What it says at the most talkative level, and what anybody on the machine can see.
 */

const secrets = {
  camera: 'Kamera-geheim-7f3a',
  cameraUrl: 'Kamera-im-Pfad-91bc',
  city: 'Stadt-geheim-55d0',
  sensor: 'Sensor-geheim-c0de',
  robot: 'Robot-geheim-4b1e',
  mail: 'Post-geheim-8d27',
};
const root = join(import.meta.dirname, '../..');

function writeSite(folder: string, [mqtt = 0, http = 0, flows = 0, closed = 0]: readonly number[]): string {
  const file = join(folder, 'site.yaml');
  writeFileSync(
    file,
    `site: 1
campus: {id: "2151009901", name: {zh: 青禾, en: Qinghe}, timeZone: Asia/Shanghai}
zones: [{id: z, name: {zh: 东, en: East}}]
mqtt: {hosts: [127.0.0.1], port: ${mqtt}, websocketPort: null, tls: null}
http: {host: 127.0.0.1, port: ${http}}
https: null
flows: {port: ${flows}, folder: flows}
city: {host: 127.0.0.1, port: ${closed}, shard: 55}
clients: [{id: sensor, devices: [panel]}]
notify:
  channels:
    - {id: duty, kind: wecom, name: {zh: 值班群, en: Duty}, urlFile: robot.url}
    - {id: mail, kind: email, name: {zh: 邮件, en: Mail}, host: 127.0.0.1, port: ${closed}, tls: none, user: campus, passwordFile: mail.password, from: campus@school.example}
  recipients: [{id: guard, name: {zh: 门卫, en: Guard}, email: guard@school.example}]
devices:
  - id: panel
    name: {zh: 主机, en: Panel}
    profile: sensor/json-fire-panel
    zone: z
    address: {json: true}
  - id: camera-away
    name: {zh: 相机, en: Camera}
    profile: camera/onvif-generic
    zone: z
    address: {host: 127.0.0.1, port: ${closed}, username: admin, password: ${secrets.camera}}
  - id: camera-wrong
    name: {zh: 相机, en: Camera}
    profile: camera/onvif-generic
    zone: z
    address: {host: 127.0.0.1, port: ${http}, username: admin, password: ${secrets.cameraUrl}}
  - id: camera-broken
    name: {zh: 相机, en: Camera}
    profile: camera/onvif-generic
    zone: z
    address: {host: 127.0.0.1, port: ${closed}, username: admin, password: ${secrets.camera}, nonsense: 1}
`,
  );
  return file;
}

test('nothing secret is said, shown to other users of the machine, or open to them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  const data = join(folder, 'data');
  const ports = await freePorts(4);
  const site = writeSite(folder, ports);
  const robot = `http://127.0.0.1:${ports[3]}/send?key=${secrets.robot}`;
  writeFileSync(join(folder, 'robot.url'), robot, { mode: 0o600 });
  writeFileSync(join(folder, 'mail.password'), secrets.mail, { mode: 0o600 });
  await setClientPassword(data, 'sensor', secrets.sensor);
  writeFileSync(join(data, 'city-password'), `${secrets.city}\n`, { mode: 0o600 });
  const child = spawn(
    process.execPath,
    [join(root, 'edge/main.ts'), '--site', site, '--data', data, '--log-level', 'debug'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let logged = '';
  child.stderr.on('data', (text) => {
    logged += text;
  });
  child.stdout.on('data', (text) => {
    logged += text;
  });
  try {
    const pidFiles = () => readdirSync(join(data, 'run')).filter((name) => name.endsWith('.pid'));
    const told = await vi.waitFor(
      async () => {
        const token = readFileSync(join(data, 'admin-token'), 'utf8').trim();
        const ask = async (path: string): Promise<string> => {
          const headers = { authorization: `Bearer ${token}` };
          const answer = await fetch(`http://127.0.0.1:${ports[1]}${path}`, { headers });
          return await answer.text();
        };
        const devices = await ask('/api/v1/devices');
        for (const id of ['camera-away', 'camera-wrong', 'flows']) expect(devices).toContain(`"${id}"`);
        expect(devices).not.toContain('"starting"');
        const pages = [
          '/api/v1/campus',
          '/api/v1/inbox',
          '/api/v1/audit',
          '/api/v1/alarms',
          '/api/v1/points',
          '/metrics',
        ];
        return [devices, ...(await Promise.all([...pages, '/healthz'].map(ask)))].join('\n');
      },
      { timeout: 90_000, interval: 250 },
    );
    const token = readFileSync(join(data, 'admin-token'), 'utf8').trim();
    const keys = readdirSync(join(data, 'core.sock.keys')).map((name) =>
      readFileSync(join(data, 'core.sock.keys', name), 'utf8').trim(),
    );
    const visible = pidFiles()
      .map((name) => readFileSync(join(data, 'run', name), 'utf8'))
      .flatMap((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`].map((file) => readFileSync(file, 'utf8')))
      .join('\n');
    expect(
      pidFiles()
        .map((name) => name.slice(0, -4))
        .sort(),
    ).toEqual([...processNames].sort());
    expect(logged).toContain('camera-away');
    expect(logged).toMatch(/#\/setup\/[A-Z2-7]{10}/);
    for (const secret of [...Object.values(secrets), token, ...keys]) {
      expect(told, 'the API').not.toContain(secret);
      expect(logged, 'the log').not.toContain(secret);
      expect(visible, 'arguments and environments').not.toContain(secret);
    }
    expect(statSync(data).mode & 0o777).toBe(0o700);
    const files = [
      'credentials.json',
      'admin-token',
      'city-password',
      'core.sock',
      'supervisor.lock',
      'core.sock.keys/all',
    ];
    for (const name of files) expect(statSync(join(data, name)).mode & 0o077, name).toBe(0);
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
}, 150_000);
