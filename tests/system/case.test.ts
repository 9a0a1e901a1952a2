import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { Case } from '#edge/domain/case.ts';
import type { IncidentBrief } from '#edge/domain/incident.ts';
import { verifyCase } from '#edge/media/case-verify.ts';
import { footageAsker } from '#edge/processes/core/clips-media.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { camera, complaintsOf, hasFfmpeg, startRecordingCampus } from './recording-campus.ts';

/* An incident of a camera of real protocols, with footage of a real recorder, taken out by the processes of a campus. */

const patient = { timeout: 60_000, interval: 200 };
const campusCommand = join(import.meta.dirname, '../../edge/cli/campus.mjs');

function campusCli(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [campusCommand, ...args, '--lang', 'en'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, said: `${stdout}${stderr}` };
}

test.skipIf(!hasFfmpeg)(
  'an incident goes out as one file with its footage, which verifies, and does not when one byte of it was altered',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'case-out-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rmSync(folder, { recursive: true, force: true }));
    const room = stack.use(await startRecordingCampus());
    const { campus } = room;
    await vi.waitFor(async () => {
      const { ranges } = await room.footage();
      expect(Math.max(0, ...ranges.map(({ from, to }) => to - from))).toBeGreaterThan(4_000);
    }, patient);

    room.onvif.lineCrossed();
    const incident = await vi.waitFor(async () => {
      const { incidents } = await campus.get<{ incidents: IncidentBrief[] }>('incidents?state=new');
      const found = incidents.find(({ devices, picture }) => devices.includes(camera) && picture !== null);
      if (found === undefined) throw new Error('there is no incident with a picture yet');
      return found;
    }, patient);
    expect(incident).toMatchObject({ zone: 'gate', types: ['line_cross'] });
    await campus.post(`incidents/${incident.id}/note`, { note: '翻越围墙' });
    // What core asks media: there is footage of the moment.
    const range = { from: incident.from - 2_000, to: incident.from };
    expect((await footageAsker(campus.data)(camera, range)).length).toBeGreaterThan(0);

    const asked = await campus.post<Case>(`incidents/${incident.id}/case`, {
      why: 'the police asked for it',
      to: systemClock.now(),
    });
    expect(asked).toMatchObject({ state: 'building', cameras: [camera], masked: true });
    const made = await vi.waitFor(async () => {
      const one = await campus.get<Case>(`cases/${asked.id}`);
      if (one.state === 'building') throw new Error('it is still being made');
      return one;
    }, patient);
    expect(made).toMatchObject({ state: 'ready', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });

    const token = readFileSync(join(campus.data, 'admin-token'), 'utf8').trim();
    const response = await fetch(`${campus.url}/api/v1/cases/${made.id}/file`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const zip = join(folder, 'case.zip');
    writeFileSync(zip, Buffer.from(await response.arrayBuffer()));
    const { fingerprint } = await campus.get<{ fingerprint: string }>('cases/key');
    const verdict = await verifyCase(zip, fingerprint);
    expect(verdict).toMatchObject({ ok: true, sha256: made.sha256, bytes: made.bytes });
    const paths = verdict.manifest?.files.map(({ path }) => path) ?? [];
    expect(paths).toEqual(expect.arrayContaining(['timeline.json', 'timeline.html', 'audit.json', 'README.txt']));
    expect(paths.filter((path) => path.startsWith('footage/'))).toHaveLength(1);
    expect(paths.filter((path) => path.startsWith('pictures/')).length).toBeGreaterThan(0);
    expect(verdict.manifest?.made).toMatchObject({ who: 'token:local', why: 'the police asked for it' });

    if (existsSync('/usr/bin/unzip')) {
      expect(execFileSync('unzip', ['-t', zip], { encoding: 'utf8' })).toContain('No errors detected');
      execFileSync('unzip', ['-q', zip, '-d', join(folder, 'out')]);
      const [video = ''] = readdirSync(join(folder, 'out', 'footage'));
      expect(complaintsOf(join(folder, 'out', 'footage', video))).toBe('');
      expect(readFileSync(join(folder, 'out', 'timeline.html'), 'utf8')).toContain('翻越围墙');
      expect(readFileSync(join(folder, 'out', 'audit.json'), 'utf8')).toContain(`incident.note ${incident.id}`);
    } else console.warn('SKIPPED: the zip is not unpacked: unzip is not there');

    expect(campusCli('case', 'verify', zip, '--data', campus.data)).toMatchObject({
      status: 0,
      said: expect.stringContaining('signed by that campus'),
    });
    expect(campusCli('case', 'key', '--data', campus.data).said).toContain(fingerprint);
    const altered = readFileSync(zip);
    const at = Math.floor(altered.length / 2);
    altered[at] = (altered[at] ?? 0) ^ 1;
    writeFileSync(zip, altered);
    expect(campusCli('case', 'verify', zip, '--key', fingerprint)).toMatchObject({
      status: 1,
      said: expect.stringMatching(/footage\/camera-gate_\w+\.mp4: its content was altered/),
    });

    // Its footage is kept until somebody lets the case go; then the file is gone, and that it was made stays.
    await campus.post(`cases/${made.id}/release`, { reason: 'handed over on a disk' });
    expect(existsSync(join(campus.data, 'cases', `${made.id}.zip`))).toBe(false);
    expect(await campus.get(`cases/${made.id}`)).toMatchObject({
      state: 'released',
      released: { why: 'handed over on a disk' },
    });
    const { lines } = await campus.get<{ lines: { what: string; why: string; result: string }[] }>('audit?limit=200');
    const about = lines.filter(({ what }) => what.includes(made.id)).map(({ what }) => what.split(' ')[0]);
    expect(new Set(about)).toEqual(new Set(['case.export', 'case.made', 'case.fetch', 'case.release']));
  },
  300_000,
);
