import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockDataFolder } from '#edge/runtime/data-lock.ts';

const folder = () => join(mkdtempSync(join(tmpdir(), 'lock-')), 'data');

/** A process that holds the folder's lock until it is killed. */
async function holder(data: string) {
  const script = `import { lockDataFolder } from '#edge/runtime/data-lock.ts';
    lockDataFolder(${JSON.stringify(data)}); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('a second supervisor on the same folder is told which process has it, and a dead one gives it up', async () => {
  const data = folder();
  const child = await holder(data);
  expect(() => lockDataFolder(data)).toThrow(`the data folder ${data} is in use by process ${child.pid}`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  using _lock = lockDataFolder(data);
  expect(readFileSync(join(data, 'supervisor.lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
});

test('a lock of another life of the same process number is taken over', () => {
  const data = folder();
  mkdirSync(data);
  for (const left of [`${process.pid} 1 of-another-boot`, '1 1 of-another-boot', '', 'nonsense', '99999999999']) {
    writeFileSync(join(data, 'supervisor.lock'), left);
    lockDataFolder(data)[Symbol.dispose]();
    expect(existsSync(join(data, 'supervisor.lock'))).toBe(false);
  }
});

test('the folder is made for this user alone, also when it was open to others', () => {
  const data = folder();
  mkdirSync(data, { mode: 0o755 });
  using _lock = lockDataFolder(data);
  expect(statSync(data).mode & 0o777).toBe(0o700);
});

test('a folder that cannot be used is named with the reason and the option', () => {
  const file = `${folder()}-file`;
  writeFileSync(file, '');
  expect(() => lockDataFolder(join(file, 'data'))).toThrow(
    new RegExp(`^cannot use the data folder ${file}/data: ENOTDIR.*choose another folder with --data$`),
  );
});
