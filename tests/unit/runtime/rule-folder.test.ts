import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOf } from '#edge/runtime/errors.ts';
import { readRule, readRuleFolder, removeRuleFile, writeRuleFile } from '#edge/runtime/rule-folder.ts';

const words = { zh: '漏水', en: 'Leak' };
const leak = (id = 'leak') => ({
  rule: 1,
  id,
  name: words,
  kind: 'safety',
  priority: 5,
  when: { kind: 'point', points: 'leak-kitchen/water_leak', test: { is: true }, onBad: 'hold' },
  then: [{ kind: 'alarm', class: 'high', message: words, next: words }],
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rules-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a rules folder', () => {
  it('that is not there holds no rules', async () => {
    expect(await readRuleFolder(join(folder, 'none'))).toEqual({ rules: [], broken: [] });
  });

  it('gives back what was written, by file name', async () => {
    for (const id of ['leak', 'leak-2', 'a-leak']) await writeRuleFile(join(folder, 'rules'), id, leak(id));
    const { rules, broken } = await readRuleFolder(join(folder, 'rules'));
    expect(broken).toEqual([]);
    expect(rules.map(({ file }) => file)).toEqual(['a-leak.yaml', 'leak-2.yaml', 'leak.yaml']);
    expect(rules[2]).toMatchObject({ body: leak(), rule: { id: 'leak', priority: 5 } });
    expect(rules[2]?.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(readdirSync(join(folder, 'rules'))).toHaveLength(3);
    expect(statSync(join(folder, 'rules', 'leak.yaml')).mode & 0o777).toBe(0o644 & ~process.umask());
  });

  it('forgets what was removed, and minds nothing twice', async () => {
    await writeRuleFile(folder, 'leak', leak());
    expect(await readRule(folder, 'leak')).toMatchObject({ file: 'leak.yaml' });
    await removeRuleFile(folder, 'leak');
    await removeRuleFile(folder, 'leak');
    expect(await readRule(folder, 'leak')).toBeNull();
  });

  it('names every file that cannot be used, and reads the others', async () => {
    await writeRuleFile(folder, 'leak', leak());
    const text = readFileSync(join(folder, 'leak.yaml'), 'utf8');
    writeFileSync(join(folder, 'README.md'), 'about the rules');
    writeFileSync(join(folder, '.leak.yaml.swp'), 'an editor');
    writeFileSync(join(folder, 'other.yaml'), text);
    writeFileSync(join(folder, 'short.yml'), text);
    writeFileSync(join(folder, 'Gross.yaml'), text);
    writeFileSync(join(folder, 'wrong.yaml'), text.replace('priority: 5', 'priority: 7'));
    writeFileSync(join(folder, 'large.yaml'), '#'.repeat(64_001));
    writeFileSync(join(folder, 'bytes.yaml'), Buffer.from([0xff, 0xfe, 0x41]));
    mkdirSync(join(folder, 'folder.yaml'));
    symlinkSync(join(folder, 'leak.yaml'), join(folder, 'link.yaml'));
    execFileSync('mkfifo', [join(folder, 'pipe.yaml')]);
    const { rules, broken } = await readRuleFolder(folder);
    expect(rules.map(({ file }) => file)).toEqual(['leak.yaml']);
    expect(Object.fromEntries(broken.map(({ file, message }) => [file, message]))).toMatchObject({
      'Gross.yaml': expect.stringContaining('must be named <id>.yaml'),
      'bytes.yaml': expect.stringContaining('cannot be read'),
      'folder.yaml': 'cannot be read: it is no file',
      'large.yaml': expect.stringContaining('it has 64001 bytes'),
      'link.yaml': 'cannot be read: it is a link, and only files are read',
      'other.yaml': 'id: says "leak", but the file is named "other.yaml"',
      'pipe.yaml': 'cannot be read: it is no file',
      'short.yml': expect.stringContaining('must be named <id>.yaml'),
      'wrong.yaml': 'line 5, column 1: priority: must be 1 (life safety) or 5 (critical equipment)',
    });
    expect(broken).toHaveLength(9);
  });

  it('reads 2,000 rules and says how many it left out', async () => {
    await writeRuleFile(folder, 'leak', leak());
    const text = readFileSync(join(folder, 'leak.yaml'), 'utf8');
    for (let n = 0; n < 2_005; n++) writeFileSync(join(folder, `r${n}.yaml`), text.replace('id: leak', `id: r${n}`));
    const { rules, broken } = await readRuleFolder(folder);
    expect(rules).toHaveLength(2_000);
    expect(broken).toEqual([
      { file: expect.any(String), message: expect.stringContaining('this and 5 more are left out') },
    ]);
  }, 60_000);

  it.each(['../leak', 'a/b', '', 'Leak', `${'x'.repeat(64)}`])('makes no path of "%s"', async (id) => {
    await expect(writeRuleFile(folder, id, leak())).rejects.toMatchObject({ code: 'RULES_UNWRITABLE' });
    await expect(removeRuleFile(folder, id)).rejects.toMatchObject({ code: 'RULES_UNWRITABLE' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that is a file is said to be unreadable, and cannot be written', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(readRuleFolder(file)).rejects.toSatisfy((error) => codeOf(error) === 'RULES_UNREADABLE');
    await expect(writeRuleFile(file, 'leak', leak())).rejects.toMatchObject({ code: 'RULES_UNWRITABLE' });
  });
});
