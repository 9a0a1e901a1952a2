import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { closingLine, type Outcome } from './closing-line.ts';

/*
 * The test command: `npm test -- <what vitest takes>`. Real processes, sockets and browsers share the machine with each other, and a
 * busy one makes some of them late. A file that failed beside others is therefore run once more, alone: there it has to pass, and
 * the end of the run names it. More than a few are no matter of a busy machine.
 */

const mostAgain = 8;
const root = new URL('..', import.meta.url).pathname;
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const folder = mkdtempSync(join(tmpdir(), 'tests-'));

/** null: it ended without an outcome, or for another reason than a failed file. */
async function run(name: string, given: readonly string[]): Promise<{ code: number; outcome: Outcome | null }> {
  const file = join(folder, `${name}.json`);
  const args = [vitest, 'run', '--config', join(root, 'tests/vitest.config.ts'), ...given];
  const child = spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, TEST_OUTCOME: file } });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGTERM', pass).on('SIGINT', () => {});
  const [code] = (await once(child, 'exit')) as [number | null];
  process.off('SIGTERM', pass);
  try {
    return { code: code ?? 1, outcome: JSON.parse(readFileSync(file, 'utf8')) };
  } catch {
    return { code: code ?? 1, outcome: null };
  }
}

async function main(): Promise<number> {
  const first = await run('first', process.argv.slice(2));
  const { outcome } = first;
  if (outcome === null) return first.code === 0 ? 1 : first.code;
  const { failedFiles } = outcome;
  const isAlone =
    outcome.passed + outcome.failed === failedFiles.reduce((sum, file) => sum + file.passed + file.failed, 0);
  if (failedFiles.length === 0 || failedFiles.length > mostAgain || isAlone) {
    console.log(closingLine(outcome));
    return first.code;
  }
  const names = failedFiles.map(({ file }) => relative(root, file));
  console.log(`\nfailed beside others, now once more alone: ${names.join(', ')}\n`);
  const second = await run('second', [...names, '--no-file-parallelism']);
  if (second.outcome === null) return 1;
  for (const name of names) {
    const failsAgain = second.outcome.failedFiles.some(({ file }) => relative(root, file) === name);
    console.log(failsAgain ? `failed twice: ${name}` : `UNSTEADY, failed beside others and passed alone: ${name}`);
  }
  const sum = (pick: (file: Outcome['failedFiles'][number]) => number) =>
    failedFiles.reduce((all, file) => all + pick(file), 0);
  console.log(
    closingLine({
      ...outcome,
      passed: outcome.passed - sum(({ passed }) => passed) + second.outcome.passed,
      failed: second.outcome.failed,
    }),
  );
  return second.code;
}

try {
  process.exitCode = await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
