import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ManualClock, systemClock } from '#edge/runtime/clock.ts';
import { LogFile, longestLogLine } from '#edge/runtime/log-files.ts';
import { type LogQuestion, readLogPage } from '#edge/runtime/log-pages.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const line = (time: number, msg: string, fields: object = {}, level = 30) =>
  `${JSON.stringify({ level, time: new Date(time).toISOString(), process: 'core', ...fields, msg })}\n`;
const all: LogQuestion = { process: null, level: 'debug', limit: 100, before: null };
const messages = async (question: Partial<LogQuestion> = {}) =>
  (await readLogPage(folder, { ...all, ...question })).lines.map(({ message }) => message);

describe('writing', () => {
  test('fills three files of bounded size and drops the oldest lines', async () => {
    await using file = new LogFile({ folder, name: 'core', clock: systemClock, fileBytes: 5_000 });
    for (let round = 0; round < 12; round++) {
      for (let n = 0; n < 10; n++) file.write(line(round * 100 + n, `line ${round}-${n}`, { filler: 'x'.repeat(100) }));
      await vi.waitFor(async () => expect((await messages({ limit: 1 }))[0]).toBe(`line ${round}-9`));
    }
    expect(readdirSync(folder).sort()).toEqual(['core.log', 'core.log.1', 'core.log.2']);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).toBeLessThan(8_000);
    const kept = await messages({ limit: 1_000 });
    expect(kept[0]).toBe('line 11-9');
    expect(kept).not.toContain('line 0-0');
    expect(kept.length).toBeGreaterThan(50);
    expect(file.lost).toBe(0);
  });

  test('where the folder cannot be written costs the lines, says how many once there is room, and nothing else', async () => {
    const clock = new ManualClock(1_800_000_000_000);
    const blocked = join(folder, 'logs');
    writeFileSync(blocked, 'a file where the folder should be');
    await using file = new LogFile({ folder: blocked, name: 'core', clock });
    file.write(line(1, 'first'));
    await vi.waitFor(() => expect(file.lost).toBe(1));
    rmSync(blocked);
    mkdirSync(blocked);
    file.write(line(2, 'while it is left alone'));
    await vi.waitFor(() => expect(file.lost).toBe(2));
    clock.advance(60_000);
    file.write(line(clock.now(), 'again'));
    await vi.waitFor(() => expect(existsSync(join(blocked, 'core.log'))).toBe(true));
    await vi.waitFor(async () => {
      const { lines } = await readLogPage(blocked, all);
      expect(lines.map(({ message, fields }) => [message, fields.lost])).toEqual(
        expect.arrayContaining([
          ['again', undefined],
          ['lines are missing from the log file', 2],
        ]),
      );
    });
    expect(file.lost).toBe(2);
  });

  test('a line that is too long and a flood that the disk cannot take are counted, not kept', async () => {
    await using file = new LogFile({ folder, name: 'core', clock: systemClock });
    file.write(`${'x'.repeat(longestLogLine)}\n`);
    expect(file.lost).toBe(1);
    for (let n = 0; n < 1_000; n++) file.write(line(n, 'flood', { filler: 'x'.repeat(2_000) }));
    expect(file.lost).toBeGreaterThan(500);
    await vi.waitFor(async () => expect((await messages({ limit: 1 }))[0]).toBe('flood'));
  });

  test('a link that somebody planted is not followed', async () => {
    const target = join(folder, 'victim');
    writeFileSync(target, 'untouched');
    symlinkSync(target, join(folder, 'core.log'));
    await using file = new LogFile({ folder, name: 'core', clock: systemClock });
    file.write(line(1, 'hello'));
    await vi.waitFor(() => expect(file.lost).toBe(1));
    expect(readFileSync(target, 'utf8')).toBe('untouched');
    expect(await messages()).toEqual([]);
  });

  test('the files are for their owner only, and the last words of a process that crashes are in them', () => {
    const log = join(import.meta.dirname, '../../../edge/runtime/log.ts');
    const program = `
      import { createLog } from ${JSON.stringify(log)};
      const log = createLog('crashing', 'info', ${JSON.stringify(folder)});
      log.error({ password: 'hunter2', error: { config: { token: 'abc' } }, note: 'a\\n{"level":60}\\u001b[31m' }, 'last words');
      process.exit(1);`;
    const ended = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
    expect(ended.status).toBe(1);
    const text = readFileSync(join(folder, 'crashing.log'), 'utf8');
    for (const written of [text, ended.stderr]) {
      expect(written).toContain('last words');
      expect(written).not.toMatch(/hunter2|abc/);
      expect(written).not.toContain('\u001b');
      expect(written.trim().split('\n')).toHaveLength(1);
    }
    expect(statSync(join(folder, 'crashing.log')).mode & 0o777).toBe(0o600);
  });
});

describe('reading', () => {
  test('goes newest first over all processes, page by page, without losing or repeating a line', async () => {
    const said: string[] = [];
    for (const [name, older] of [
      ['core', '.2'],
      ['core', '.1'],
      ['core', ''],
      ['web', ''],
    ]) {
      const lines = Array.from({ length: 40 }, () => {
        const message = `${name}${older} ${said.length}`;
        const time = 1_000 * (name === 'web' ? said.length * 2 - 260 : said.length);
        said.push(message);
        return { time, message };
      });
      writeFileSync(
        join(folder, `${name}.log${older}`),
        lines.map(({ time, message }) => line(time, message)).join(''),
      );
    }
    const seen: string[] = [];
    const times: number[] = [];
    let before: string | null = null;
    do {
      const page = await readLogPage(folder, { ...all, limit: 7, before });
      seen.push(...page.lines.map(({ message }) => message));
      times.push(...page.lines.map(({ time }) => time));
      before = page.before;
    } while (before !== null);
    expect([...seen].sort()).toEqual([...said].sort());
    expect(times).toEqual([...times].sort((a, b) => b - a));
  });

  test('goes on in the right place after the files were renamed and more was written between two pages', async () => {
    writeFileSync(join(folder, 'core.log'), [1, 2, 3, 4].map((n) => line(n, `old ${n}`)).join(''));
    const first = await readLogPage(folder, { ...all, limit: 2 });
    renameSync(join(folder, 'core.log'), join(folder, 'core.log.1'));
    writeFileSync(join(folder, 'core.log'), line(9, 'new'));
    expect(await messages({ limit: 9, before: first.before })).toEqual(['old 2', 'old 1']);
    rmSync(join(folder, 'core.log.1'));
    expect(await readLogPage(folder, { ...all, before: first.before })).toEqual({ lines: [], before: null });
  });

  test('filters by process and level', async () => {
    writeFileSync(join(folder, 'core.log'), line(1, 'told') + line(2, 'wrong', {}, 50) + line(3, 'odd', {}, 40));
    writeFileSync(join(folder, 'web.log'), line(4, 'web told'));
    expect(await messages({ level: 'warn' })).toEqual(['odd', 'wrong']);
    expect(await messages({ level: 'error' })).toEqual(['wrong']);
    expect(await messages({ process: 'web' })).toEqual(['web told']);
    expect(await messages({ process: '../web' })).toEqual([]);
  });

  test('takes half lines, binary, enormous lines and files that are none for what they are', async () => {
    writeFileSync(
      join(folder, 'core.log'),
      `{"half":\n${line(1, 'good')}\u0000\u0001\n${line(2, 'x'.repeat(200_000))}[]\nnull\n${line(3, 'after')}{"time":"never","msg":"x"}\n{"cut`,
    );
    mkdirSync(join(folder, 'folder.log'));
    symlinkSync('/etc/hostname', join(folder, 'link.log'));
    writeFileSync(join(folder, 'Evil name.log'), line(1, 'evil'));
    expect(await messages()).toEqual(['after', 'good']);
    expect(await readLogPage(join(folder, 'nothing'), all)).toEqual({ lines: [], before: null });
  });

  test('the file says which process spoke; a line that claims another does not change that', async () => {
    const lie = JSON.stringify({ level: 'x', time: '2026-01-01T00:00:00Z', process: 'core', msg: { not: 'text' } });
    writeFileSync(
      join(folder, 'flows.log'),
      `${lie}\n${line(1.9e12, '<script>alert(1)</script>\u001b[2J\n{"level":60}')}`,
    );
    const { lines } = await readLogPage(folder, { ...all, limit: 10 });
    expect(lines.map(({ process, message, level }) => ({ process, message, level }))).toEqual([
      { process: 'flows', message: '<script>alert(1)</script>\u001b[2J\n{"level":60}', level: 'info' },
      { process: 'flows', message: '', level: 'error' },
    ]);
  });

  test('a search for what is not there ends, and says where to go on', async () => {
    const text = Array.from({ length: 60_000 }, (_, n) => line(n, 'dull', { filler: 'x'.repeat(300) })).join('');
    writeFileSync(join(folder, 'core.log'), line(0, 'wanted', {}, 50) + text);
    const first = await readLogPage(folder, { ...all, level: 'error' });
    expect(first.lines).toEqual([]);
    expect(first.before).not.toBeNull();
    const second = await readLogPage(folder, { ...all, level: 'error', before: first.before });
    expect(second.lines.map(({ message }) => message)).toEqual(['wanted']);
    expect(second.before).toBeNull();
  });

  test.each([
    '',
    'x',
    'core.1',
    'core.1.2~',
    '../core.1.2',
    'core.1.9999999999999999',
    `${'core.1.2~'.repeat(40)}core.1.2`,
  ])('the cursor %j is refused', async (before) => {
    await expect(readLogPage(folder, { ...all, before })).rejects.toMatchObject({ code: 'BAD_CURSOR' });
  });

  test('a file that may not be read has no lines', async () => {
    writeFileSync(join(folder, 'core.log'), line(1, 'secret'));
    writeFileSync(join(folder, 'web.log'), line(1, 'open'));
    chmodSync(join(folder, 'core.log'), 0o000);
    // root may read everything
    expect(await messages()).toEqual(process.getuid?.() === 0 ? expect.arrayContaining(['open']) : ['open']);
  });
});
