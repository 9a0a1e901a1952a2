import { buildConsole } from '#edge/web/console/build.ts';
import { prepareChromium } from './browser.ts';

/** Once before all tests: the console is built and the browser unpacked, so that parallel files neither race nor wait. */
export default async function prepare(): Promise<void> {
  await Promise.all([buildConsole(), prepareChromium()]);
}
