import { z } from 'zod';
import type { SoundClass, soundClasses } from '#edge/domain/broadcast.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';

/* Core's broadcast desk for tests of the web process: it answers what the test says, and remembers what it was asked. */

export interface SoundStandIn {
  readonly methods: Readonly<Record<string, RpcMethod>>;
  /** By method, in order. */
  readonly asked: { readonly method: string; readonly params: Record<string, unknown> }[];
  rooms: unknown[];
  items: unknown[];
  quiets: unknown[];
  /** What play answers. */
  put: unknown;
  stop: unknown;
}

const asRecord = z.record(z.string(), z.unknown());

export function soundStandIn(): SoundStandIn {
  const asked: { method: string; params: Record<string, unknown> }[] = [];
  const state: Omit<SoundStandIn, 'methods' | 'asked'> = {
    ...{ rooms: [], items: [], quiets: [] },
    put: { outcome: 'taken', item: itemId(1), refusal: null, refusedOn: [], message: '' },
    stop: { outcome: 'stopped', item: itemId(1), askers: [] },
  };
  const answers: Record<string, (params: Record<string, unknown>) => unknown> = {
    now: () => ({ rooms: state.rooms, items: state.items.map(itemNow), next: null }),
    why: ({ output }) => state.rooms.map((room) => asRecord.parse(room)).find((room) => room.output === output)?.answer,
    item: ({ id }) => state.items.find((one) => asRecord.parse(asRecord.parse(one).item).id === id) ?? null,
    play: () => state.put,
    stop: () => state.stop,
    levels: () => ({ rev: 1 }),
    quiet: () => ({ id: 'quiet-1' }),
    'quiet.end': () => ({}),
    quiets: () => state.quiets,
  };
  const methods = Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => [
      `broadcast.${name}`,
      async (params: unknown) => {
        const read = asRecord.parse(params);
        asked.push({ method: name, params: read });
        return answer(read);
      },
    ]),
  );
  return Object.assign(state, { methods, asked });
}

export const itemId = (n: number): string => `01939d5e-0000-7000-8000-${String(n).padStart(12, '0')}`;

/** A part of an item as core tells it. */
export function part(n: number, soundClass: SoundClass, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    ...{
      item: itemId(n),
      class: soundClass,
      name: { zh: `声音${n}`, en: `sound ${n}` },
      state: 'playing',
      position: 1_500,
    },
    ...{ blocker: null, cutAt: null, patience: null, until: null, by: 'schedule:bell', why: 'bell', isDrill: false },
    ...more,
  };
}

/** A room as core tells it. */
export function room(output: string, answer: Record<string, unknown> = {}): Record<string, unknown> {
  const silent = { reason: 'nothing-asked', playing: null, level: null, outside: null, quiet: null };
  return {
    ...{ output, proof: 'sent', evidence: 'packets' },
    answer: { output, ...silent, waiting: [], recent: [], ...answer },
  };
}

export function item(
  n: number,
  soundClass: (typeof soundClasses)[number],
  parts: readonly { readonly output: string; readonly state: string }[],
): Record<string, unknown> {
  return {
    item: {
      ...{ id: itemId(n), class: soundClass, name: { zh: `声音${n}`, en: `sound ${n}` }, zones: [], patience: null },
      ...{ source: { kind: 'clips', clips: ['bell'], loop: false }, outputs: parts.map(({ output }) => output) },
      ...{
        since: n,
        length: 4_000,
        until: null,
        interruption: 'resume',
        drill: false,
        by: 'schedule:bell',
        why: 'bell',
      },
    },
    ...{ state: 'playing', askers: [], story: [], parts: parts.map((one) => ({ ...part(n, soundClass), ...one })) },
  };
}

/** As `broadcast.now` tells an item: its loudspeakers by how far they are. */
function itemNow(told: unknown): object {
  const { item, state, parts } = toldItem.parse(told);
  const outputs: Record<string, string[]> = {};
  for (const { output, state: of } of parts) outputs[of] = [...(outputs[of] ?? []), output];
  return { item, state, outputs };
}

const toldItem = z.object({
  ...{ item: asRecord, state: z.string() },
  parts: z.array(z.object({ output: z.string(), state: z.string() })),
});
