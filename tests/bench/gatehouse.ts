import { buildConsole } from '#edge/web/console/build.ts';
import { startBrowser } from '../e2e/browser.ts';
import type { BenchLine, BenchOptions } from './bench-line.ts';
import { measureEvents } from './gatehouse-event.ts';
import { measureReview } from './gatehouse-review.ts';

/* What somebody at the gatehouse waits for. */

export async function run(options: BenchOptions): Promise<BenchLine[]> {
  const consoleFolder = await buildConsole();
  await using browser = await startBrowser();
  const events = await measureEvents(browser, options);
  return [...events, ...(await measureReview(browser, consoleFolder, options))];
}
