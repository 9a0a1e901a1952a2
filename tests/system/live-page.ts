import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Builds the page of players (`tests/unit/console/live-page`) as the console is built; the folder is removed at the end. */
export async function buildLivePage(): Promise<{ readonly folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'campus-live-page-'));
  const { build } = await import('vite');
  await build({
    root: join(import.meta.dirname, '../unit/console/live-page'),
    base: './',
    publicDir: join(import.meta.dirname, '../../edge/web/console/public'),
    configFile: false,
    envDir: false,
    logLevel: 'error',
    mode: 'production',
    oxc: { jsx: { runtime: 'automatic' } },
    build: { outDir: folder, emptyOutDir: false, modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  });
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
