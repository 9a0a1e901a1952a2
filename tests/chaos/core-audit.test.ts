import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verifyAudit } from '#edge/store/audit-chain.ts';
import { temporaryFolder } from '../fixtures/store/site.ts';

/* Core is killed between a commit and the anchor outside the database: no line is missed, and no alarm is false. */

const anchorIn = (folder: string) => Number(readFileSync(join(folder, 'audit-head'), 'utf8').split(' ')[0]);

/** Starts a writer and kills it once `isTime`; returns how many lines it had acknowledged. */
async function killWhen(folder: string, isTime: (acknowledged: number) => boolean): Promise<number> {
  const script = join(import.meta.dirname, 'core-audit-appender.ts');
  const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let acknowledged = 0;
  child.stdout.on('data', (data: Buffer) => {
    acknowledged += data.length;
    if (isTime(acknowledged)) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return acknowledged;
}

describe('an audit whose writer is killed again and again', () => {
  test('verifies each time, has every acknowledged line, and its anchor is never ahead of it', {
    timeout: 60_000,
  }, async () => {
    await using folder = await temporaryFolder();
    let acknowledged = 0;
    let behind = 0;
    const anchored = () => anchorIn(folder.path);
    // Early, long before an anchor is due, and just after one was written.
    const moments: ((count: number, before: number) => boolean)[] = [
      (count) => count >= 1,
      (count) => count >= 40,
      (_, before) => anchored() > before,
      (count) => count >= 7,
      (count) => count >= 200,
      (_, before) => anchored() > before,
    ];
    for (const isTime of moments) {
      const before = acknowledged === 0 ? 0 : anchored();
      acknowledged += await killWhen(folder.path, (count) => isTime(count, before));
      const verdict = await verifyAudit(folder.path);
      expect(verdict.faults).toEqual([]);
      expect(verdict.lines).toBeGreaterThanOrEqual(acknowledged);
      expect(anchored()).toBeLessThanOrEqual(verdict.lines);
      if (anchored() < verdict.lines) behind++;
    }
    // The kills did fall between commits and their anchor.
    expect(behind).toBeGreaterThan(0);
  });
});
