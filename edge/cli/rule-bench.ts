import { readFile, stat } from 'node:fs/promises';
import type { Device } from '#edge/domain/device.ts';
import type { Rule } from '#edge/domain/rule.ts';
import { devicesOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { problemsOf } from '#edge/rules/check-rule.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { type RuleTestResult, runRuleTests } from '#edge/rules/rule-tests.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { readRuleFile } from '#edge/runtime/rule-file.ts';
import { type RuleFolder, readRuleFolder } from '#edge/runtime/rule-folder.ts';
import { describeMistake } from '#edge/runtime/rule-mistakes.ts';
import { ruleLimits } from '#edge/runtime/rule-schema.ts';
import { ruleCampus, ruleSurroundings } from '#edge/runtime/rule-surroundings.ts';
import { exampleRule, readTemplate, templateHours } from '#edge/runtime/rule-template.ts';
import { loadSite, type Site } from '#edge/runtime/site.ts';
import { rulesFolder } from '#edge/runtime/site-rules.ts';
import { profileFolder } from './profile.ts';

/* Rule files on the workbench: looked at, and their tests played, without a running campus. */

/** A site with its devices and its rules. */
export interface Bench {
  readonly site: Site;
  readonly devices: readonly Device[];
  readonly folder: RuleFolder;
}

/** What was found in one file. */
export interface Looked {
  readonly file: string;
  /** It cannot be used. */
  readonly mistakes: readonly string[];
  /** It can be used, but not as it is meant: a point that is not there ... */
  readonly problems: readonly string[];
  /** null: there is no campus on which they could be played. */
  readonly tests: readonly RuleTestResult[] | null;
}

export async function openBench(siteFile: string): Promise<Bench> {
  const site = await loadSite(siteFile);
  return benchOf(site, devicesOf(site, await loadProfiles(profileFolder)).devices);
}

export async function benchOf(site: Site, devices: readonly Device[]): Promise<Bench> {
  return { site, devices, folder: await readRuleFolder(rulesFolder(site)) };
}

/** Every rule of a folder; by default that of the site. */
export async function lookAtFolder(bench: Bench | null, path: string | null): Promise<readonly Looked[]> {
  const folder = path === null ? (bench?.folder ?? { rules: [], broken: [] }) : await readRuleFolder(path);
  const others = folder.rules.map(({ rule }) => rule);
  const good = folder.rules.map(({ file, rule }) => lookAtRule(file, rule, bench, others));
  const broken = folder.broken.map(({ file, message }) => ({
    file,
    mistakes: message.split('\n'),
    problems: [],
    tests: null,
  }));
  return [...good, ...broken].sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** A rule or a template. Throws RULE_UNREADABLE. */
export async function lookAtFile(bench: Bench | null, path: string): Promise<Looked> {
  const text = await readText(path);
  if (/^template:/m.test(text)) return lookAtTemplate(path, text);
  const read = readRuleFile(text);
  if (!read.ok) return { file: path, mistakes: read.mistakes.map(describeMistake), problems: [], tests: null };
  return lookAtRule(path, read.rule, bench, bench?.folder.rules.map(({ rule }) => rule) ?? []);
}

function lookAtRule(file: string, rule: Rule, bench: Bench | null, all: readonly Rule[]): Looked {
  if (bench === null) return { file, mistakes: [], problems: [], tests: null };
  const { site, devices } = bench;
  const campus = ruleCampus(site, devices);
  const others = [rule, ...all.filter(({ id }) => id !== rule.id)];
  const calendar = createCalendar(site.openingHours, site.campus.timeZone);
  return {
    file,
    mistakes: [],
    problems: problemsOf(rule, campus, { ...ruleSurroundings(site, devices), rules: others }),
    tests: runRuleTests({ rule, campus, calendar, others }),
  };
}

/** On the campus that it brings with it. */
function lookAtTemplate(file: string, text: string): Looked {
  const read = readTemplate(text);
  if (!read.ok) return { file, mistakes: read.mistakes.map(describeMistake), problems: [], tests: null };
  const { rule } = exampleRule(read.template);
  const calendar = createCalendar(templateHours.openingHours, templateHours.timeZone);
  const tests = rule === null ? [] : runRuleTests({ rule, campus: read.template.campus, calendar });
  return { file, mistakes: [], problems: [], tests };
}

async function readText(path: string): Promise<string> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error('it is no file');
    if (found.size > ruleLimits.bytes)
      throw new Error(`it has ${found.size} bytes, and at most ${ruleLimits.bytes} are read`);
    return await readFile(path, { encoding: 'utf8', signal: AbortSignal.timeout(10_000) });
  } catch (error) {
    throw new CodedError('RULE_UNREADABLE', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new CodedError('RULE_UNREADABLE', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}
