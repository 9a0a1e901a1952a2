import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { within } from '#edge/runtime/lifecycle.ts';
import { account, tempFolder } from '../../fixtures/bridge/campus.ts';

const main = join(import.meta.dirname, '../../../cloud-bridge/city/main.ts');

function run(...args: string[]): { child: ChildProcess; said: Promise<string>; complaint: () => string } {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr?.on('data', (bytes) => {
    complaint += String(bytes);
  });
  const said = new Promise<string>((resolve) => child.stdout?.once('data', (bytes) => resolve(String(bytes))));
  return { child, said, complaint: () => complaint };
}

describe('the city by itself', () => {
  it('starts from arguments, serves, and ends on SIGTERM', async () => {
    await using folder = await tempFolder();
    await writeFile(join(folder.path, 'campuses.json'), JSON.stringify([account]), { mode: 0o600 });
    const { child, said } = run('--data', folder.path, '--mqtt-port', '0', '--http-port', '0');
    const gone = once(child, 'exit');
    try {
      const { url } = JSON.parse(await within(15_000, 'the start', said));
      expect(await (await fetch(`${url}healthz`)).json()).toMatchObject({ status: 'ok', campuses: 1, online: 0 });
      child.kill('SIGTERM');
      expect(await within(10_000, 'the end', gone)).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it.each([
    ['a port that is none', '[]', ['--http-port', '99999'], ['--http-port: "99999" is not a port']],
    ['a campus that is none', '[{"id": "12"}]', [], ['campuses.json', '10-digit school code', 'name']],
  ])('says what is wrong with %s and ends', async (_, campuses, args, parts) => {
    await using folder = await tempFolder();
    await writeFile(join(folder.path, 'campuses.json'), campuses);
    const { child, complaint } = run('--data', folder.path, ...args);
    expect(await within(15_000, 'the end', once(child, 'close'))).toEqual([1, null]);
    for (const part of parts) expect(complaint()).toContain(part);
  });
});
