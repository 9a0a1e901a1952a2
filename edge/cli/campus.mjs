#!/usr/bin/env node
// `npx campus ...`: the launcher, told which script to run.
process.argv.splice(2, 0, 'edge/cli/main.ts');
await import('../run.mjs');
