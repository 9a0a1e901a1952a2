import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ZoneId } from '#edge/domain/ids.ts';
import { SchoolBook } from '#edge/processes/core/school-book.ts';
import { createSchoolMethods } from '#edge/processes/core/school-methods.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import { openReader } from '#edge/store/reader.ts';
import { jsonBody, type PlaceRoom, startPlaceRoom } from './place-room.ts';

/*
 * Two people edit, sign and take back through the routes, one after the other and at the same moment, each with what he last saw. Whatever
 * comes of it must be what one order of the same acts gives: nothing that was accepted is lost, nobody signs what he has not seen, and what
 * runs is what was signed.
 */

const clock = new ManualClock(Date.UTC(2026, 10, 23, 0, 0));
const date = '2026-11-24';
const name = { zh: '铃', en: 'bell' };
const every = { kinds: ['school', 'make-up', 'exam', 'event', 'weekend', 'holiday', 'vacation'], weekdays: [] };
const bell = (at: number) => ({
  ...{ part: 'item', name, class: 'bell', layer: 'campus', when: { at }, days: every, enabled: true },
  do: { kind: 'sound', clip: 'bell', zones: [], seconds: 10 },
});
const ids = ['one', 'two', 'three'] as const;
type Id = (typeof ids)[number];

type Act =
  | { readonly kind: 'read' }
  | { readonly kind: 'write'; readonly changes: readonly { readonly id: Id; readonly at: number | null }[] }
  | { readonly kind: 'sign' }
  | { readonly kind: 'undo'; readonly newest: number };

/** What somebody saw last. */
interface Seen {
  revs: Readonly<Record<string, number>>;
  releases: readonly string[];
}

/** What there is, as the model has it. Releases by number, the newest last. */
interface World {
  readonly draft: Readonly<Record<string, { readonly rev: number; readonly at: number }>>;
  readonly releases: readonly { readonly entries: Readonly<Record<string, number>>; readonly undone: boolean }[];
}

/** An act as it goes out: with what whoever does it has seen. */
type Sent =
  | { readonly kind: 'read' }
  | { readonly kind: 'write'; readonly changes: readonly { id: Id; at: number | null; rev: number }[] }
  | { readonly kind: 'sign'; readonly revs: Readonly<Record<string, number>> }
  | { readonly kind: 'undo'; readonly release: number | null };

let room: PlaceRoom;
let book: SchoolBook;
type Ask = (path: string, init?: RequestInit) => Promise<Response>;
let people: readonly [Ask, Ask];

beforeAll(async () => {
  const methods: Record<string, RpcMethod> = {};
  const lazily =
    (method: string): RpcMethod =>
    async (params) => {
      const found = methods[method];
      if (found === undefined) throw new Error(`no ${method}`);
      return found(params);
    };
  const names = ['put', 'sign', 'undo'].map((one) => `school.${one}`);
  room = await startPlaceRoom({ clock, methods: Object.fromEntries(names.map((one) => [one, lazily(one)])) });
  const zones = ['gate'] as unknown as readonly ZoneId[];
  const reader = openReader(room.data);
  book = new SchoolBook({
    timeZone: 'Asia/Shanghai',
    zones,
    reader,
    append: (batch) => room.open.append(batch),
    clock,
  });
  book.load();
  Object.assign(methods, createSchoolMethods({ book, desk: undefined as never, clockWatch: undefined as never }));
  const rights = ['see', 'school', 'sign'] as const;
  people = [await room.as(rights), await room.as(rights)];
}, 60_000);

afterAll(() => room[Symbol.asyncDispose]());

/** What one act makes of the world. */
function after(world: World, sent: Sent): { readonly status: number; readonly world: World } {
  switch (sent.kind) {
    case 'read':
      return { status: 200, world };
    case 'write': {
      if (sent.changes.some(({ id, rev }) => (world.draft[id]?.rev ?? 0) !== rev)) return { status: 409, world };
      const draft = { ...world.draft };
      for (const { id, at, rev } of sent.changes) {
        if (at === null) delete draft[id];
        else draft[id] = { rev: rev + 1, at };
      }
      return { status: 200, world: { ...world, draft } };
    }
    case 'sign': {
      const now = Object.fromEntries(Object.entries(world.draft).map(([id, { rev }]) => [id, rev]));
      if (text(now) !== text(sent.revs)) return { status: 409, world };
      const entries = Object.fromEntries(Object.entries(world.draft).map(([id, { at }]) => [id, at]));
      return { status: 200, world: { ...world, releases: [...world.releases, { entries, undone: false }] } };
    }
    case 'undo': {
      const { release } = sent;
      const known = release === null ? undefined : world.releases[release];
      if (release === null || known === undefined) return { status: 404, world };
      if (known.undone) return { status: 409, world };
      return { status: 200, world: { ...world, releases: world.releases.with(release, { ...known, undone: true }) } };
    }
  }
}

function text(record: object): string {
  return JSON.stringify(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Plays acts on the real routes, and keeps what each of the two has seen. */
class Play {
  readonly seen: [Seen, Seen] = [
    { revs: {}, releases: [] },
    { revs: {}, releases: [] },
  ];
  /** Real ids by number. */
  releases: string[] = [];
  world: World = { draft: {}, releases: [] };

  /** The stage is swept: an empty draft, nothing signed. */
  async begin(): Promise<void> {
    const [ask] = people;
    const { entries } = await this.#json<{ entries: { id: string; rev: number }[] }>(ask('/api/v1/school/entries'));
    const changes = entries.map(({ id, rev }) => ({ id, rev, body: null }));
    if (changes.length > 0) await ask('/api/v1/school/entries', jsonBody('POST', { changes }));
    for (const { id, undone } of await this.#signed())
      if (undone === null) await ask(`/api/v1/school/releases/${id}/undo`, jsonBody('POST', { why: 'swept' }));
  }

  /** Alone, or both at the same moment. */
  async step(acts: readonly (readonly [0 | 1, Act])[]): Promise<void> {
    const sent = acts.map(([who, act]) => [who, this.#send(who, act)] as const);
    const statuses = await Promise.all(sent.map(([who, one]) => this.#do(who, one)));
    const orders =
      sent.length === 1
        ? [[0]]
        : [
            [0, 1],
            [1, 0],
          ];
    const there = await this.#there();
    const possible = orders.map((order) => {
      let world = this.world;
      const said: number[] = [];
      for (const n of order) {
        const [, one] = sent[n] ?? [0, { kind: 'read' } as const];
        const next = after(world, one);
        said[n] = next.status;
        world = next.world;
      }
      return { world, text: `${said.join()} ${worldText(world)}` };
    });
    const real = `${statuses.join()} ${there}`;
    expect(possible.map((one) => one.text)).toContain(real);
    this.world = possible.find((one) => one.text === real)?.world ?? this.world;
    this.#checkRuns();
  }

  #send(who: 0 | 1, act: Act): Sent {
    const { revs, releases } = this.seen[who];
    switch (act.kind) {
      case 'read':
        return act;
      case 'write': {
        const changes = act.changes.map(({ id, at }) => ({ id, at, rev: revs[id] ?? 0 }));
        // Nobody removes what he does not see.
        const some = changes.filter(({ at, rev }) => at !== null || rev > 0);
        return some.length === 0 ? { kind: 'read' } : { kind: 'write', changes: some };
      }
      case 'sign':
        return { kind: 'sign', revs };
      case 'undo': {
        const id = releases.at(-1 - act.newest);
        return id === undefined ? { kind: 'read' } : { kind: 'undo', release: this.releases.indexOf(id) };
      }
    }
  }

  async #do(who: 0 | 1, sent: Sent): Promise<number> {
    const ask = people[who];
    const seen = this.seen[who];
    switch (sent.kind) {
      case 'read': {
        const { entries } = await this.#json<{ entries: { id: string; rev: number }[] }>(ask('/api/v1/school/entries'));
        seen.revs = Object.fromEntries(entries.map(({ id, rev }) => [id, rev]));
        seen.releases = (await this.#signed()).map(({ id }) => id).filter((id) => this.releases.includes(id));
        return 200;
      }
      case 'write': {
        const changes = sent.changes.map(({ id, at, rev }) => ({ id, rev, body: at === null ? null : bell(at) }));
        const answer = await ask('/api/v1/school/entries', jsonBody('POST', { changes }));
        const body = (await answer.json()) as { revs?: Record<string, number>; others?: { id: string; rev: number }[] };
        if (answer.status === 200) {
          const revs = { ...seen.revs, ...body.revs };
          seen.revs = Object.fromEntries(Object.entries(revs).filter(([, rev]) => rev > 0));
        } else {
          // Whoever is refused is told what the other has made of it.
          const refused = changes.filter(({ id, rev }) => body.others?.some((one) => one.id === id && one.rev !== rev));
          expect(refused.length).toBeGreaterThan(0);
        }
        return answer.status;
      }
      case 'sign': {
        const words = { from: '2026-11-23', to: '2026-11-30', why: 'ready', accept: [] };
        return (await ask('/api/v1/school/releases', jsonBody('POST', { ...words, revs: sent.revs }))).status;
      }
      case 'undo': {
        const id = this.releases[sent.release ?? -1] ?? 'none';
        return (await ask(`/api/v1/school/releases/${id}/undo`, jsonBody('POST', { why: 'no' }))).status;
      }
    }
  }

  /** What the routes say there is. */
  async #there(): Promise<string> {
    const [ask] = people;
    const { entries } = await this.#json<{ entries: { id: string; rev: number; body: { when: { at: number } } }[] }>(
      ask('/api/v1/school/entries'),
    );
    const draft = Object.fromEntries(entries.map(({ id, rev, body }) => [id, { rev, at: body.when.at }]));
    const signed = (await this.#signed()).filter(({ id, why }) => why === 'ready' && !before.has(id));
    this.releases = signed.map(({ id }) => id);
    const releases = await Promise.all(
      signed.map(async ({ id, undone }) => {
        const full = await this.#json<{ entries: Record<string, { when: { at: number } }> }>(
          ask(`/api/v1/school/releases/${id}`),
        );
        const times = Object.entries(full.entries).map(([entry, { when }]) => [entry, when.at] as const);
        return { entries: Object.fromEntries(times), undone: undone !== null };
      }),
    );
    return worldText({ draft, releases });
  }

  /** Oldest first. */
  async #signed(): Promise<readonly { id: string; undone: object | null; why: string; time: number }[]> {
    const [ask] = people;
    const all = await this.#json<{ id: string; undone: object | null; why: string; time: number }[]>(
      ask('/api/v1/school/releases'),
    );
    return all.toSorted((a, b) => a.time - b.time);
  }

  /** Core rings what the newest signature that stands says, and never the draft. */
  #checkRuns(): void {
    const standing = this.world.releases.findLast(({ undone }) => !undone);
    const wanted = Object.entries(standing?.entries ?? {}).map(([id, at]) => `${id} ${at}`);
    const runs = book.occurrences(date).map(({ entry, second }) => `${entry} ${second}`);
    expect(runs.sort()).toEqual(wanted.sort());
  }

  async #json<T>(answer: Promise<Response>): Promise<T> {
    return (await (await answer).json()) as T;
  }
}

/** Releases of plays before this one. */
const before = new Set<string>();

function worldText({ draft, releases }: World): string {
  const entries = Object.entries(draft).map(([id, { rev, at }]) => [id, `${rev} ${at}`]);
  const signed = releases.map((one) => `${text(one.entries)} ${one.undone}`);
  return `${text(Object.fromEntries(entries))} ${signed.join(' | ')}`;
}

const time = fc.integer({ min: 480, max: 489 }).map((minute) => minute * 60);
const change = fc.record({ id: fc.constantFrom(...ids), at: fc.option(time, { freq: 6 }) });
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Act>({ kind: 'read' }) },
  {
    weight: 6,
    arbitrary: fc
      .uniqueArray(change, { minLength: 1, maxLength: 2, selector: ({ id }) => id })
      .map((changes): Act => ({ kind: 'write', changes })),
  },
  { weight: 3, arbitrary: fc.constant<Act>({ kind: 'sign' }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 1 }).map((newest): Act => ({ kind: 'undo', newest })) },
);
const who = fc.constantFrom<0 | 1>(0, 1);
const step = fc.oneof(
  fc.tuple(who, act).map((one): (readonly [0 | 1, Act])[] => [one]),
  fc.tuple(act, act).map(([a, b]): (readonly [0 | 1, Act])[] => [
    [0, a],
    [1, b],
  ]),
);

test('whatever two people do at once is what one order of the same acts gives, and what runs was signed', {
  timeout: 180_000,
}, async () => {
  const figures = { steps: 0, signed: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      const play = new Play();
      await play.begin();
      for (const acts of steps) await play.step(acts);
      figures.steps += steps.length;
      figures.signed += play.releases.length;
      for (const id of play.releases) before.add(id);
    }),
    { numRuns: 25, seed: 20_261_124, endOnFailure: true },
  );
  expect(figures.steps).toBeGreaterThan(120);
  expect(figures.signed).toBeGreaterThan(8);
});
