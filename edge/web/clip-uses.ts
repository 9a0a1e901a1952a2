import { parseOrder } from '#edge/domain/broadcast.ts';
import type { Site } from '#edge/runtime/site.ts';
import type { Reader } from '#edge/store/reader.ts';

/*
 * Where clips are used: whoever removes one that a rule plays would find out when it is needed. What is only similar (a word that is also the name
 * of a clip) counts as used: then one more thing cannot be removed, and nothing falls silent.
 */

/** Fields that name clips: of the site file, of rules, of the school day. */
const clipField = /clip|chime|siren|word|message|countdown|value/i;
const deepest = 20;
/** Somewhere on earth it is still yesterday, ms. */
const day = 86_400_000;

/** Clip -> `rule:<id>`, `school:<entry>` (of the draft, or `school:release` of what is signed), `panic:<id>`, `emergency:<kind>`, `template:<id>`. */
export function clipUses(
  { site, reader }: { readonly site: Site; readonly reader: Reader },
  now: number,
): Map<string, string[]> {
  const uses = new Map<string, Set<string>>();
  const note = (user: string) => (clip: string) => {
    const users = uses.get(clip) ?? new Set();
    uses.set(clip, users.add(user));
  };
  for (const { id, body } of reader.documents('rule')) {
    for (const version of new Set([body.active, body.shadow, body.proposal?.version ?? null, body.latest])) {
      const found = version === null ? null : reader.document('ruleVersion', `${id}-v${version}`);
      if (found !== null) collect(found.body.body, false, note(`rule:${id}`));
    }
  }
  for (const { id, body } of reader.documents('school')) collect(body, false, note(`school:${id}`));
  const today = new Date(now - day).toISOString().slice(0, 10);
  for (const { body } of reader.documents('schoolRelease'))
    if (body.undone === null && body.to >= today) collect(body.entries, false, note('school:release'));
  for (const { id, body } of reader.documents('announcement'))
    collect({ chime: body.chime }, false, note(`template:${id}`));
  const { clips: _, folder: __, ...sections } = site;
  for (const [section, body] of Object.entries(sections)) collectSection(section, body, note);
  return new Map([...uses].map(([clip, users]) => [clip, [...users].toSorted()]));
}

/** A section is a list of things with ids, or one thing whose parts have names. */
function collectSection(section: string, body: unknown, note: (user: string) => (clip: string) => void): void {
  if (typeof body !== 'object' || body === null) return;
  for (const [key, part] of Object.entries(body)) {
    const named =
      typeof part === 'object' && part !== null && 'id' in part && typeof part.id === 'string' ? part.id : key;
    collect({ [key]: part }, false, note(`${section}:${named}`));
  }
}

function collect(value: unknown, isClip: boolean, note: (clip: string) => void, depth = 0): void {
  if (depth > deepest) return;
  if (typeof value === 'string') {
    if (isClip) for (const clip of clipsIn(value)) note(clip);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    collect(part, Array.isArray(value) ? isClip : isClip || clipField.test(key), note, depth + 1);
  }
}

function clipsIn(text: string): readonly string[] {
  const order = parseOrder(text);
  return order?.source.kind === 'clips' ? order.source.clips : [];
}
