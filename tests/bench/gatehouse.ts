import { buildConsole } from '#edge/web/console/build.ts';
import { startBrowser } from '../e2e/browser.ts';
import type { BenchLine, BenchOptions } from './bench-line.ts';
import { measureEvents } from './gatehouse-event.ts';

/* What somebody at the gatehouse waits for. */

export async function run(options: BenchOptions): Promise<BenchLine[]> {
  await buildConsole();
  await using browser = await startBrowser();
  return await measureEvents(browser, options);
}
