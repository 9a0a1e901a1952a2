import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkProfile } from '#edge/profiles/check.ts';
import { profilePaths } from '#edge/profiles/load.ts';

const guide = new URL('../../../edge/docs/adding-a-profile.md', import.meta.url);

it('every whole profile in the guide is one, and decodes its vectors', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'guide-'));
  await mkdir(join(folder, 'meter'));
  const text = await readFile(guide, 'utf8');
  for (const [, block = ''] of text.matchAll(/```yaml\n([\s\S]*?)```/g)) {
    const name = /^profile: (\S+)$/m.exec(block)?.[1];
    if (name !== undefined) await writeFile(join(folder, `meter/${name}.yaml`), block);
  }
  const paths = await profilePaths(folder);
  expect(paths).toEqual(['meter/demo-1', 'meter/demo-188', 'meter/demo-2', 'meter/demo-645']);
  for (const path of paths) {
    const { passed, failures } = await checkProfile(folder, path);
    expect([path, failures]).toEqual([path, []]);
    expect(passed).toBeGreaterThan(0);
  }
});
