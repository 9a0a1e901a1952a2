import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { user } from '../unit/onvif/bench.ts';

/** A client nobody here wrote: onvif-util of Debian's onvif-tools finds the simulated camera, logs in and asks it. */
const run = promisify(execFile);
const network = 'ip link set lo up multicast on && ip route add 239.0.0.0/8 dev lo';
const works = (command: string, args: string[]) => spawnSync(command, args, { timeout: 10_000 }).status === 0;
const hasPeer = works('sh', ['-c', 'command -v onvif-util']);
const canNamespace = works('unshare', ['-rn', 'sh', '-c', network]);
if (!hasPeer)
  console.warn(
    'SKIPPED: onvif-util is not installed, so no foreign ONVIF client judged the camera simulator (apt-get install onvif-tools)',
  );
if (!canNamespace)
  console.warn('SKIPPED: onvif-util finds cameras by multicast, which needs a network namespace (unshare -rn)');

const camera = new URL('./onvif-peers/camera.ts', import.meta.url).pathname;

/** Runs onvif-util with these commands beside a camera in a network of their own; what it printed and the camera saw. */
async function ask(password: string, commands: readonly string[]) {
  const typed = commands.map((command) => `sleep 0.3; echo "${command}"; `).join('');
  const script = `
    set -e
    folder=$(mktemp -d); mkfifo "$folder/stop"
    ${network}
    "$0" ${camera} ${user.username} ${user.password} < "$folder/stop" > "$folder/seen" &
    exec 9> "$folder/stop"
    for i in $(seq 100); do grep -q ready "$folder/seen" 2>/dev/null && break; sleep 0.1; done
    { sleep 1.5; ${typed}sleep 0.3; echo quit; } | timeout 15 onvif-util -u ${user.username} -p "$1" 127.0.0.1 || true
    exec 9>&-
    wait
    echo; tail -n 1 "$folder/seen"; rm -r "$folder"`;
  const { stdout } = await run('unshare', ['-rn', 'bash', '-c', script, process.execPath, password], {
    timeout: 30_000,
  });
  const lines = stdout.trim().split('\n');
  const seen: { requests: { operation: string; judgement: string }[]; passwordTries: number } = JSON.parse(
    lines.at(-1) ?? '',
  );
  return { printed: stdout, seen };
}

describe.skipIf(!hasPeer || !canNamespace)('onvif-util', () => {
  test('finds the simulated camera, logs in, and reads what it is, its profiles, its streams and its network', async () => {
    const commands = ['get profiles', 'get video 1', 'get rtsp 0', 'get rtsp 1', 'get capabilities', 'get network'];
    const { printed, seen } = await ask(user.password, commands);
    expect(printed).toMatch(/found host: 127\.0\.0\.1/);
    expect(printed).toMatch(/successfully connected to host\s+name:\s+HIKVISION SIM-360\s+serial: SIM008087/);
    expect(printed).toMatch(/Token 0: Profile_1\s+Token 1: Profile_2/);
    expect(printed).toMatch(/Profile set to Profile_2\s+Resolution: 640 x 360\s+Frame Rate: 25/);
    expect(printed).toMatch(/rtsp:\/\/127\.0\.0\.1:8554\/main/);
    expect(printed).toMatch(/rtsp:\/\/127\.0\.0\.1:8554\/sub/);
    expect(printed).toMatch(/event_service:.*\/onvif\/event_service/);
    expect(printed).toMatch(/IP Address: 127\.0\.0\.1/);
    const ok = seen.requests.filter(({ judgement }) => judgement === 'ok').map(({ operation }) => operation);
    expect(ok).toEqual(
      expect.arrayContaining(['GetDeviceInformation', 'GetProfiles', 'GetStreamUri', 'GetNetworkInterfaces']),
    );
    expect(seen.passwordTries).toBe(0);
  });

  test('reads its time and how it keeps it, and sets it', async () => {
    const { printed, seen } = await ask(user.password, ['get time', 'sync_time', 'get time']);
    expect(printed).toMatch(/Time Offset: -?\d+ seconds\s+Timezone: +CST-8\s+DST: +No\s+Time Set By: NTP/);
    expect(printed).toMatch(/Camera date and time has been synchronized/);
    expect(printed).toMatch(/Time Set By: Manual/);
    expect(seen.requests.map(({ operation }) => operation)).toContain('SetSystemDateAndTime');
  });

  test('is refused with a wrong password', async () => {
    const { printed, seen } = await ask('not-it', []);
    expect(printed).not.toMatch(/successfully connected/);
    expect(seen.passwordTries).toBeGreaterThan(0);
  });
});
