import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClipFile } from '#edge/drivers/sound/clips.ts';
import type { Site } from '#edge/runtime/site.ts';
import { rulesFolder } from '#edge/runtime/site-rules.ts';

/** Rules of a campus are some dozens of small files. */
const mostFiles = 2_000;

/**
 * The site's clips, those marked that rules and one-key alarms name: they are decoded first and never leave memory. One that is only
 * mentioned in a comment is so too, which costs a little memory and no sound.
 */
export async function clipsInOrder(site: Site): Promise<Readonly<Record<string, ClipFile>>> {
  const texts = [JSON.stringify(site.panic), ...(await ruleTexts(rulesFolder(site)))];
  const words = new Set(texts.flatMap((text) => text.match(/[a-z0-9][a-z0-9_-]*/g) ?? []));
  return Object.fromEntries(
    Object.entries(site.clips).map(([name, clip]) => [name, { ...clip, emergency: words.has(name) }]),
  );
}

/** A campus without such a folder has no rules of its own; a file that cannot be read is core's to complain of. */
async function ruleTexts(folder: string): Promise<string[]> {
  try {
    const names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).slice(0, mostFiles);
    return await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  } catch {
    return [];
  }
}
