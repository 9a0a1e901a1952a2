import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Site } from '#edge/runtime/site.ts';
import { rulesFolder } from '#edge/runtime/site-rules.ts';

/** The demo's rules, where a test may change them. */
export function placeRules(demo: Site, data: string): string {
  const folder = join(data, 'rules');
  if (!existsSync(folder)) cpSync(rulesFolder(demo), folder, { recursive: true });
  return folder;
}
