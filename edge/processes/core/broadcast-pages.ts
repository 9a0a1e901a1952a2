import { z } from 'zod';
import type { Proof } from '#edge/domain/broadcast.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type { ItemAnswer, OutputAnswer } from '#edge/rules/sound.ts';

/*
 * What sounds on a large campus is more than one line of the RPC may carry, so it is told page by page: first the loudspeakers, then the
 * items. A page begins after the last one told, by name: what came or went meanwhile shifts nothing.
 */

/** Characters of one page: well below the longest line (runtime/rpc.ts), because one entry of its own may be large. */
export const longestPage = 400_000;
const mostEntries = 2_000;

/** The last one told; absent: from the beginning. */
export const pageParams = z.strictObject({
  after: z.strictObject({ kind: z.enum(['room', 'item']), id: z.string().max(200) }).optional(),
});
type Cursor = NonNullable<z.infer<typeof pageParams>['after']>;

export interface RoomNow {
  readonly output: PointRef;
  /** What happened there is asked for one by one (`broadcast.why`). */
  readonly answer: Omit<OutputAnswer, 'recent'>;
  readonly proof: Proof;
  readonly evidence: string;
}

/** Only what is looked at: an item of a whole campus has a thousand parts. */
export interface ItemNow {
  readonly item: Omit<ItemAnswer['item'], 'outputs' | 'zones'>;
  readonly state: ItemAnswer['state'];
  /** Its loudspeakers by how far they are. */
  readonly outputs: Readonly<Partial<Record<ItemAnswer['state'], readonly PointRef[]>>>;
}

export interface SoundPage {
  readonly rooms: readonly RoomNow[];
  readonly items: readonly ItemNow[];
  /** null: that was all. */
  readonly next: Cursor | null;
}

export interface SoundPagesOptions {
  readonly outputs: readonly PointRef[];
  readonly room: (output: PointRef) => RoomNow;
  readonly items: () => readonly ItemAnswer[];
}

export function soundPage({ outputs, room, items }: SoundPagesOptions, after: Cursor | undefined): SoundPage {
  const page = { rooms: [] as RoomNow[], items: [] as ItemNow[] };
  let [size, entries] = [0, 0];
  /** Each page has at least one entry, or there would be no end. */
  const fits = (entry: object): boolean => {
    size += JSON.stringify(entry).length;
    return entries++ === 0 || (size <= longestPage && entries <= mostEntries);
  };
  let last: Cursor | undefined = after;
  if (after?.kind !== 'item') {
    const from = after === undefined ? 0 : outputs.indexOf(after.id as PointRef) + 1;
    for (const output of outputs.slice(from)) {
      const entry = room(output);
      if (!fits(entry)) return { ...page, next: last ?? null };
      page.rooms.push(entry);
      last = { kind: 'room', id: output };
    }
  }
  const known = after?.kind === 'item' ? after.id : '';
  const rest = items()
    .filter(({ item }) => item.id > known)
    .toSorted((a, b) => (a.item.id < b.item.id ? -1 : 1));
  for (const one of rest) {
    const entry = itemNow(one);
    if (!fits(entry)) return { ...page, next: last ?? null };
    page.items.push(entry);
    last = { kind: 'item', id: one.item.id satisfies HappeningId };
  }
  return { ...page, next: null };
}

function itemNow({ item: { outputs: _outputs, zones: _zones, ...item }, state, parts }: ItemAnswer): ItemNow {
  const outputs: Partial<Record<ItemAnswer['state'], PointRef[]>> = {};
  for (const part of parts) {
    const same = outputs[part.state] ?? [];
    outputs[part.state] = same;
    same.push(part.output);
  }
  return { item, state, outputs };
}

/** One item with what happened to it: the latest, as much as a line may carry. */
export function boundedItem(answer: ItemAnswer | null): object | null {
  if (answer === null) return null;
  const story: ItemAnswer['story'][number][] = [];
  let size = 0;
  for (const happening of answer.story.toReversed()) {
    size += JSON.stringify(happening).length;
    if (size > longestPage) break;
    story.unshift(happening);
  }
  return { ...answer, parts: answer.parts.map(({ output, state }) => ({ output, state })), story };
}
