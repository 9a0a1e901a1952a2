import { setPriority } from 'node:os';
import { text } from 'node:stream/consumers';
import type { RuleVersion } from '#edge/domain/rule.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { describeMistake } from '#edge/runtime/rule-mistakes.ts';
import { parseRule } from '#edge/runtime/rule-parse.ts';
import { ruleCampus } from '#edge/runtime/rule-surroundings.ts';
import type { Site } from '#edge/runtime/site.ts';
import { describeCampus } from './campus.ts';
import { type RehearsalResult, rehearse } from './rehearsal/rehearse.ts';

/*
 * A rehearsal in a process of its own: it reads a month of the past and must slow down nobody. The job comes by standard input,
 * progress and result go out as JSON lines.
 */

export interface VersionBody {
  /** 0: it was never saved. */
  readonly version: number;
  readonly body: unknown;
}

export interface RehearseInput {
  /** The data folder. */
  readonly data: string;
  readonly site: Site;
  readonly draft: VersionBody;
  readonly live: VersionBody | null;
  readonly from: number;
  readonly to: number;
}

export type RehearseLine =
  | { readonly progress: number }
  | { readonly result: RehearsalResult }
  | { readonly error: { readonly code: string; readonly message: string } };

/** Behind everything that serves people; only flows come later. */
const niceness = 10;

async function main(): Promise<void> {
  setPriority(niceness);
  // From web, which has checked it.
  const { data, site, draft, live, from, to } = JSON.parse(await text(process.stdin)) as RehearseInput;
  const campus = ruleCampus(site, (await describeCampus(site)).devices);
  const calendar = createCalendar(site.openingHours, site.campus.timeZone);
  let said = 0;
  const onProgress = (share: number) => {
    const percent = Math.floor(share * 100);
    if (percent > said) say({ progress: percent / 100 });
    said = Math.max(said, percent);
  };
  const versions = { draft: versionOf(draft), live: live === null ? null : versionOf(live) };
  say({ result: rehearse({ folder: data, campus, calendar, ...versions, from, to, onProgress }) });
}

function versionOf({ version, body }: VersionBody): RuleVersion {
  const parsed = parseRule(body);
  if (parsed.ok) return { rule: parsed.rule, version };
  throw new CodedError('RULE_INVALID', parsed.mistakes.map(describeMistake).join('\n'));
}

function say(line: RehearseLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    say({ error: { code: codeOf(error) ?? 'REHEARSAL_FAILED', message: messageOf(error) } });
    process.exitCode = 1;
  });
}
