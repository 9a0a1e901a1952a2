import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ruleSchemaText } from '#edge/runtime/rule-json-schema.ts';

/* The commands about rules as a technician types them: the real bin, as a child. */

const root = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'cli-rule-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The demo's site file, with rules of its own. */
const site = join(folder, 'site.yaml');
cpSync(join(root, 'edge/simulators/demo-site.yaml'), site);
cpSync(join(root, 'edge/simulators/rules'), join(folder, 'rules'), { recursive: true });
const leak = readFileSync(join(folder, 'rules', 'leak.yaml'), 'utf8');
const template = join(root, 'edge/rules/templates/comfort/co2-ventilate.yaml');

function campus(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    const argv = [join(root, 'edge/cli/main.ts'), ...args, '--lang', 'en'];
    execFile(process.execPath, argv, { timeout: 60_000, cwd: folder }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, out, err });
    });
  });
}

function ruleFile(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('campus rule', () => {
  it('checks every rule of a site and plays its tests', async () => {
    const { code, out } = await campus('rule', 'check', '--site', site);
    expect(code).toBe(0);
    expect(out).toContain('fire.yaml: good, 5 tests played\n');
    expect(out).toContain('leak.yaml: good, 1 test played\n');
    expect(out.split('\n')).toHaveLength(12);
  });

  it('says of a wrong file the line, the column and what to write', async () => {
    const file = ruleFile('wrong.yaml', leak.replace('onBad: hold', 'onBad: maybe'));
    const { code, out, err } = await campus('rule', 'check', file);
    expect({ code, out }).toEqual({ code: 1, out: `${file}: cannot be used\n` });
    expect(err).toBe(`${file}: line 6, column 72: when.onBad: must be one of trip, hold, ignore\n`);
  });

  it('names points that the campus does not have', async () => {
    const file = ruleFile('lost.yaml', leak.replaceAll('leak-kitchen', 'leak-cellar'));
    const { code, err } = await campus('rule', 'check', file, '--site', site);
    expect(code).toBe(1);
    expect(err).toMatch(/lost\.yaml: when.*leak-cellar/);
    expect(err).toContain('after 0 s: there is no point leak-cellar/water_leak here');
  });

  it('plays the tests of one file, and shows what came out otherwise', async () => {
    const file = ruleFile('leak.yaml', leak.replace('fired: [leak], alarm: high', 'fired: [leak], alarm: low'));
    const { code, out, err } = await campus('rule', 'test', file, '--site', site);
    expect({ code, err }).toEqual({ code: 1, err: '1 of 1 tests failed\n' });
    expect(out).toContain('FAIL Water is an alarm, a dry floor ends it\n');
    expect(out).toContain('after 0 s: expected the alarm to be low, but it is high\n');
    expect(await campus('rule', 'test', template)).toMatchObject({
      code: 0,
      out: expect.stringContaining('5 tests pass\n'),
    });
    expect(await campus('rule', 'test', join(folder, 'rules', 'smoke.yaml'))).toMatchObject({ code: 2 });
  });

  it('lists rules, for people and for programs', async () => {
    const { out } = await campus('rule', 'list', '--site', site);
    expect(out).toMatch(/^fire +safety +1 +Fire evacuation$/m);
    const { rules } = JSON.parse((await campus('rule', 'list', '--site', site, '--json')).out);
    expect(rules).toHaveLength(11);
    expect(rules[0]).toMatchObject({
      file: 'after-hours-gate.yaml',
      kind: 'safety',
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('is part of what site check looks at', async () => {
    const other = mkdtempSync(join(folder, 'site-'));
    cpSync(site, join(other, 'site.yaml'));
    cpSync(join(folder, 'rules'), join(other, 'rules'), { recursive: true });
    expect((await campus('site', 'check', join(other, 'site.yaml'))).out).toMatch(/, 11 rules: well formed\n$/);
    writeFileSync(join(other, 'rules', 'leak.yaml'), 'rule: 2\n');
    const { code, err } = await campus('site', 'check', join(other, 'site.yaml'));
    expect(code).toBe(1);
    expect(err).toContain('leak.yaml: line 1, column 1: rule: must be 1, the version of this format');
  });
});

it('the schema for editors is what this code generates (npm run schemas)', async () => {
  expect(await readFile(join(root, 'edge/rules/rule.schema.json'), 'utf8')).toBe(ruleSchemaText());
});
