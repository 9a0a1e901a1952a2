import { defineConfig } from 'vitest/config';

/** `npm run verify`: the tests in which processes are killed, at length. Minutes to an hour; `npm test` has the short form. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['tests/chaos/**/*.test.ts'],
    reporters: ['default', './tests/closing-line.ts'],
    provide: { kills: 50 },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 1,
  },
});
