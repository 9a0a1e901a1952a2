import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with one line that any CI can read, and names every skipped test. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
    for (const test of tests) if (test.result().state === 'skipped') console.log(`skipped: ${test.fullName}`);
    const failedFiles = modules.filter(
      (module) => !module.ok() && [...module.children.allTests('failed')].length === 0,
    );
    console.log(
      `${count('passed')} passed, ${count('failed') + failedFiles.length} failed, ${count('skipped')} skipped`,
    );
  }
}
