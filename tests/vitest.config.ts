import { defineConfig } from 'vitest/config';

/** The one test command. Files run in parallel forks; system tests start real processes and take real time. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['tests/{architecture,unit,contract,system,chaos,e2e}/**/*.test.ts'],
    globalSetup: ['tests/e2e/prepare.ts'],
    reporters: ['default', './tests/closing-line.ts'],
    testTimeout: 90_000,
    hookTimeout: 90_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
