import { defineConfig } from 'vitest/config';

/** `npm run verify`: processes killed and meters spoiled, at length. Minutes to an hour; `npm test` has the short form. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['tests/chaos/**/*.test.ts', 'tests/contract/meter-faults*.test.ts'],
    reporters: ['default', './tests/closing-line.ts'],
    provide: { kills: 50, answers: 100_000 },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 1,
  },
});
