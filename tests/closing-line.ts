import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** What a run came to; read by tests/run.ts from the file that `TEST_OUTCOME` names. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failedFiles: readonly { readonly file: string; readonly passed: number; readonly failed: number }[];
}

/** Ends a run with one line that any CI can read, and names every skipped test. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) console.log(`skipped: ${test.fullName}`);
    }
    const outcome = outcomeOf(modules);
    const { TEST_OUTCOME: file } = process.env;
    if (file === undefined) console.log(closingLine(outcome));
    else writeFileSync(file, JSON.stringify(outcome));
  }
}

export function closingLine({ passed, failed, skipped }: Outcome): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function outcomeOf(modules: readonly TestModule[]): Outcome {
  const files = modules.map((module) => {
    const count = (state: 'passed' | 'failed' | 'skipped'): number => [...module.children.allTests(state)].length;
    // A file may fail as a whole, before or after its tests.
    const failed = module.ok() ? 0 : Math.max(1, count('failed'));
    return { file: module.moduleId, passed: count('passed'), failed, skipped: count('skipped') };
  });
  const sum = (pick: (file: (typeof files)[number]) => number) => files.reduce((all, file) => all + pick(file), 0);
  return {
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    skipped: sum(({ skipped }) => skipped),
    failedFiles: files.filter(({ failed }) => failed > 0).map(({ file, passed, failed }) => ({ file, passed, failed })),
  };
}
