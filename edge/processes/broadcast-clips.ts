import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bus } from '#edge/bus/bus.ts';
import { decodeClips } from '#edge/bus/codec.ts';
import { clipFactsTopic, clipsTopic } from '#edge/bus/topics.ts';
import type { ClipFacts, ClipListing } from '#edge/domain/broadcast.ts';
import type { ClipFile, ClipLibrary } from '#edge/drivers/sound/clips.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Site } from '#edge/runtime/site.ts';
import { rulesFolder } from '#edge/runtime/site-rules.ts';

/** Rules of a campus are some dozens of small files. */
const mostFiles = 2_000;
/** The broker takes packets of 256 KB. */
const mostTold = 200_000;
/** Facts are told at most so often, ms. */
const tellEvery = 500;
/** A clip of the library is WAV of 48 kHz mono 16-bit with a header of 44 bytes: its size says its length. */
const headerBytes = 44;
const bytesPerMs = 96;

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

export interface ClipLineOptions {
  readonly bus: Pick<Bus, 'subscribe' | 'publish'> & { onConnect(listener: () => void): Disposable };
  readonly library: Pick<ClipLibrary, 'hold' | 'facts' | 'revision'>;
  /** `<data>/clips`. */
  readonly folder: string;
  readonly log: Log;
}

/**
 * Clips that people made, as core tells them, go into the library while it runs; what became of them, and of the site's, is told to core. An
 * order and its clip come over the same connection, the clip first: the library has it in the turn in which it is told.
 */
export function startClipLine({ bus, library, folder, log }: ClipLineOptions): Disposable {
  let sizes: ReadonlyMap<string, ClipFacts> = new Map();
  let told = '';
  let seen = -1;
  let turn = 0;

  function hear(listings: readonly ClipListing[]): void {
    const entries = listings.map(({ name, file, ahead }) => [
      name,
      { file: join(folder, file), loop: false, emergency: ahead },
    ]);
    library.hold(Object.fromEntries(entries));
    const mine = ++turn;
    void sizesOf(folder, listings).then((next) => {
      if (mine !== turn) return;
      sizes = next;
      seen = -1;
    });
  }

  async function tell(): Promise<void> {
    if (seen === library.revision) return;
    const revision = library.revision;
    const facts = toTell(sizes, library.facts());
    const text = JSON.stringify(facts);
    if (text !== told) await bus.publish(clipFactsTopic('broadcast'), facts, { retain: true });
    told = text;
    seen = revision;
  }

  const stack = new DisposableStack();
  // Resolves with a subscription that ends with the bus; it is made again at each connection.
  bus
    .subscribe(clipsTopic('broadcast'), (topic, payload) => {
      const decoded = decodeClips(payload);
      if (decoded.ok) hear(decoded.value);
      else log.error({ topic, problem: decoded.message }, 'the list of clips cannot be read');
    })
    .catch((error: unknown) => log.error({ problem: messageOf(error) }, 'clips of the library cannot be followed'));
  stack.use(
    bus.onConnect(() => {
      // Core may have forgotten it.
      told = '';
      seen = -1;
    }),
  );
  // What the bus does not take now is told at the next tick.
  stack.use(new Ticker(tellEvery, () => tell().catch(() => {})));
  return stack;
}

/** What is wrong first; what is well of people's clips core knows from their documents, so it may be left out. */
function toTell(sizes: ReadonlyMap<string, ClipFacts>, found: readonly ClipFacts[]): ClipFacts[] {
  const all = [...new Map([...sizes, ...found.map((fact) => [fact.name, fact] as const)]).values()];
  const isOfPeople = ({ name }: ClipFacts) => Number(sizes.has(name));
  let bytes = 0;
  return all
    .toSorted((a, b) => Number(b.problem !== null) - Number(a.problem !== null) || isOfPeople(a) - isOfPeople(b))
    .filter((fact) => {
      bytes += Buffer.byteLength(JSON.stringify(fact)) + 1;
      return bytes < mostTold;
    });
}

/** What their files say: those that are played find more. */
async function sizesOf(folder: string, listings: readonly ClipListing[]): Promise<ReadonlyMap<string, ClipFacts>> {
  const facts = new Map<string, ClipFacts>();
  for (const { name, file } of listings) {
    const size = await stat(join(folder, file)).then(
      (found) => found.size,
      () => null,
    );
    const length = size === null || size <= headerBytes ? null : Math.round((size - headerBytes) / bytesPerMs);
    facts.set(name, { name, length, problem: length === null ? 'its file is not there' : null });
  }
  return facts;
}
