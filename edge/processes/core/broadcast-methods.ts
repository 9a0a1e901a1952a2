import { z } from 'zod';
import { interruptions, type Proof, proofs, type SoundSource, soundClasses } from '#edge/domain/broadcast.ts';
import {
  type HappeningId,
  type PointRef,
  slugPattern,
  splitPointRef,
  uuidPattern,
  type ZoneId,
} from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { PutAnswer, Refusal } from '#edge/rules/sound.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import type { Batch } from '#edge/store/batch.ts';
import { documentSchemas } from '#edge/store/documents.ts';
import type { BroadcastDesk } from './broadcast-desk.ts';
import { boundedItem, pageParams, type SoundPagesOptions, soundPage } from './broadcast-pages.ts';
import { type BroadcastSettings, levelsId } from './broadcast-settings.ts';
import { asked, checked } from './rpc-params.ts';

/* What web may ask of broadcast. What people change is on disk before it is answered; a sound is told before it is on disk. */

const slug = z.string().regex(slugPattern, 'must be a slug');
const itemId = z
  .string()
  .regex(uuidPattern, 'must be the id of an item')
  .transform((id) => id as HappeningId);
const ref = z
  .string()
  .refine((text) => splitPointRef(text) !== null, 'must be <device>/<point>')
  .transform((text) => text as PointRef);
const zones = z.union([z.literal('all'), z.array(slug.transform((id) => id as ZoneId)).max(500)]);
const why = z.string().min(1).max(300);
const ms = z.int().min(0);
const source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('clips'), clips: z.array(slug).min(1).max(4), loop: z.boolean() }),
  z.strictObject({ kind: z.literal('live'), session: z.string().regex(/^[a-zA-Z0-9-]{1,63}$/) }),
]);
const playParams = z.strictObject({
  class: z.enum(soundClasses),
  name: z.strictObject({ zh: z.string().max(300), en: z.string().max(300) }),
  source,
  zones,
  outputs: z.array(ref).max(2_000).default([]),
  length: ms.nullable().optional(),
  patience: ms.nullable().optional(),
  until: ms.nullable().optional(),
  interruption: z.enum(interruptions).optional(),
  level: z.number().min(0).max(100).optional(),
  drill: z.boolean().optional(),
  lease: ms.max(600_000).optional(),
  /** As `who`: a person never speaks in somebody else's name. */
  by: z.string().max(100).optional(),
  why,
  ...asked,
});
const stopParams = z.strictObject({ item: itemId, outputs: z.array(ref).max(2_000).optional(), why, ...asked });
const levelsParams = z.strictObject({
  rev: z.int().min(0),
  body: documentSchemas.soundLevels,
  why: z.string().max(300),
  ...asked,
});
const quietParams = z.strictObject({
  kind: z.enum(['exam', 'recording']),
  zones,
  devices: z.array(slug).max(2_000).default([]),
  until: ms,
  why,
  ...asked,
});
const endParams = z.strictObject({ id: z.string().max(80), why, ...asked });

export interface BroadcastMethodsOptions {
  readonly desk: BroadcastDesk;
  readonly settings: BroadcastSettings;
  readonly latest: (ref: PointRef) => Reading | undefined;
  readonly append: (batch: Batch) => Promise<void>;
  /** With an audit line of what a person did; a fault of the disk is owed, never refused. */
  readonly commit: (batch: Batch) => Promise<void>;
  readonly revOf: (kind: 'quietRooms', id: string) => number;
  readonly clock: Clock;
}

export function createBroadcastMethods(options: BroadcastMethodsOptions): Readonly<Record<string, RpcMethod>> {
  const { desk, settings, append, commit, clock } = options;
  const pages: SoundPagesOptions = {
    outputs: [...desk.speakers.keys()],
    room(output) {
      const { recent: _recent, ...answer } = desk.why(output);
      return { output, answer, ...proofOf(desk.speakers.get(output)?.id ?? '', options.latest) };
    },
    items: () => desk.items(),
  };
  return {
    'broadcast.now': checked(pageParams, async ({ after }) => soundPage(pages, after)),
    'broadcast.play': checked(playParams, async ({ who, from, source: given, ...wish }) => {
      const answer = desk.play({ ...definedOf(wish), source: given satisfies SoundSource, by: who });
      const what = `broadcast.play ${wish.class} ${given.kind === 'live' ? 'live' : given.clips.join('+')}`;
      await commit({
        audit: [
          { time: clock.now(), who, from, what, why: wish.why, result: messageOfPut(answer) || `${answer.item}` },
        ],
      });
      return { ...answer, message: messageOfPut(answer) };
    }),
    'broadcast.stop': checked(stopParams, async ({ who, from, item, outputs, why: reason }) => {
      const said = { by: who, why: reason };
      const answer = desk.stop(item, outputs === undefined ? said : { ...said, outputs });
      const where = outputs === undefined ? '' : ` on ${outputs.length} loudspeakers`;
      const line = { time: clock.now(), who, from, what: `broadcast.stop ${item}${where}`, why: reason };
      await commit({ audit: [{ ...line, result: answer.outcome }] });
      return answer;
    }),
    'broadcast.renew': checked(z.strictObject({ item: itemId }), async ({ item }) => ({ goesOn: desk.renew(item) })),
    'broadcast.why': checked(z.strictObject({ output: ref }), async ({ output }) => desk.why(output)),
    'broadcast.item': checked(z.strictObject({ id: itemId }), async ({ id }) => boundedItem(desk.whyItem(id)) ?? {}),
    'broadcast.levels': checked(levelsParams, async ({ rev, body, why: reason, who, from }) => {
      const change = {
        kind: 'soundLevels' as const,
        id: levelsId,
        rev,
        time: clock.now(),
        who,
        from,
        why: reason,
        body,
      };
      await append({ documents: [change] });
      settings.tick();
      return { rev: rev + 1 };
    }),
    'broadcast.quiet': checked(quietParams, async ({ who, from, why: reason, ...wish }) => {
      const id = newHappeningId(clock);
      const body = { ...wish, from: clock.now(), why: reason };
      await append({
        documents: [{ kind: 'quietRooms', id, rev: 0, time: clock.now(), who, from, why: reason, body }],
      });
      settings.tick();
      return { id };
    }),
    'broadcast.quiet.end': checked(endParams, async ({ id, why: reason, who, from }) => {
      const rev = options.revOf('quietRooms', id);
      const change = { kind: 'quietRooms' as const, id, rev, time: clock.now(), who, from, why: reason, body: null };
      await append({ documents: [change] });
      settings.tick();
      return {};
    }),
    'broadcast.quiets': checked(z.strictObject({}), async () => settings.quiets),
  };
}

/** zod says undefined where nothing was said; what is asked of the desk has no such keys. */
function definedOf<T extends object>(wish: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function proofOf(device: string, latest: (ref: PointRef) => Reading | undefined) {
  const said = latest(`${device}/proof` as PointRef);
  const evidence = latest(`${device}/evidence` as PointRef);
  const proof: Proof = (said?.quality === 'good' && proofs.find((word) => word === said.value)) || 'none';
  return { proof, evidence: typeof evidence?.value === 'string' ? evidence.value : '' };
}

/** '' when it was taken. */
function messageOfPut({ outcome, refusal, refusedOn }: PutAnswer): string {
  if (outcome === 'joined') return 'the same emergency is at work already';
  if (refusal !== null) return words(refusal);
  return refusedOn.length === 0 ? '' : `too much waits already on ${refusedOn.length} loudspeakers`;
}

function words(refusal: Refusal): string {
  switch (refusal.code) {
    case 'no-outputs':
      return 'there is no loudspeaker where it is to be heard';
    case 'no-drill-word':
      return 'there is no clip that says that it is an exercise';
    case 'ended-before':
    case 'over':
      return 'its time is over';
    case 'bad-item':
      return `it cannot be played: its ${refusal.what} is wrong`;
    case 'duplicate':
      return 'the same was asked for a moment ago';
    case 'too-many-items':
    case 'too-many-outputs':
    case 'queue-full':
    case 'too-many-askers':
      return `there is too much to be heard already (${refusal.most})`;
  }
}
