import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lookAtFfmpeg } from '#edge/cli/doctor-machine.ts';

test.each([
  ['5.1.9-0+deb12u1', 2026, 'ok'],
  ['n7.1', 2025, 'ok'],
  ['N-109000-gabcdef', 2022, 'ok'],
  ['4.4.2', 2021, 'warn'],
  ['N-47683-g0e8eb07980-static', 2018, 'warn'],
])('doctor says of ffmpeg %s of %i: %s', async (version, year, state) => {
  const folder = await mkdtemp(join(tmpdir(), 'campus-doctor-'));
  const program = join(folder, 'ffmpeg');
  await writeFile(
    program,
    `#!/bin/sh\necho "ffmpeg version ${version} Copyright (c) 2000-${year} the FFmpeg developers"\n`,
  );
  await chmod(program, 0o755);
  const finding = await lookAtFfmpeg(program);
  expect(finding).toMatchObject({ state });
  expect(JSON.stringify(finding)).toContain(version);
  await rm(folder, { recursive: true });
});

test('doctor says what to install where there is no ffmpeg', async () => {
  expect(JSON.stringify(await lookAtFfmpeg('/nowhere/ffmpeg'))).toMatch(/apt install ffmpeg/);
});
