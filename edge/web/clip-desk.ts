import { createWriteStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { ClipFacts } from '#edge/domain/broadcast.ts';
import type { Name } from '#edge/domain/place.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { findClipFfmpeg } from '#edge/speech/clip-ffmpeg.ts';
import { type MadeClip, makeClip } from '#edge/speech/clip-make.ts';
import { openSpeech, type Speech, type Spoken } from '#edge/speech/speech.ts';
import { SpeechQueue } from '#edge/speech/speech-queue.ts';
import type { DocumentBody, StoredDocument } from '#edge/store/documents.ts';
import type { clipView, previewBody, speakBody, uploadQuery } from './clip-schemas.ts';
import { ClipShelf } from './clip-shelf.ts';
import { clipUses } from './clip-uses.ts';
import { putDocument } from './documents.ts';
import type { CampusView } from './server.ts';

type Asking = Pick<FastifyRequest, 'principal' | 'ip'>;
type ClipBody = DocumentBody<'clip'>;
type ClipView = z.infer<typeof clipView>;

/** Largest file that is taken, bytes. */
export const uploadBytes = 64_000_000;
/** Each step of making one: an hour of sound takes half a minute on a slow box, ms. */
const stepTime = 180_000;
const day = 86_400_000;
/** What was said once stays so long, and is said longer when it is said again. */
const onceStays = 7 * day;
const tidyEvery = 600_000;

export interface ClipDeskOptions {
  readonly campus: Pick<CampusView, 'site' | 'reader' | 'rpc' | 'data'>;
  /** What `broadcast` found clips to be, as it was told last. */
  readonly facts: () => ReadonlyMap<string, ClipFacts>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The clip library: documents of the store, and their sounds on the disk; texts that become clips. */
export class ClipDesk implements AsyncDisposable {
  readonly shelf: ClipShelf;
  readonly speech: Speech;
  readonly #options: ClipDeskOptions;
  readonly #queue = new SpeechQueue();
  readonly #ending = new AbortController();
  readonly #ticker: Ticker;

  constructor(options: ClipDeskOptions) {
    const { campus, clock, log } = options;
    this.#options = options;
    this.shelf = new ClipShelf(campus.data, clock);
    this.speech = openSpeech({ folder: join(campus.data, 'speech'), log });
    this.#ticker = new Ticker(tidyEvery, async () => {
      try {
        await this.tidy();
      } catch (error) {
        // Core is away, the disk is full: another time.
        log.warn({ problem: messageOf(error) }, 'old clips could not be tidied away');
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ticker[Symbol.dispose]();
    this.#ending.abort(new CodedError('CLIPS_ENDED', 'the programme is ending'));
    await this.speech[Symbol.asyncDispose]();
  }

  views(): ClipView[] {
    const { campus, facts, clock } = this.#options;
    const [known, uses] = [facts(), clipUses(campus, clock.now())];
    const ofSite = Object.entries(campus.site.clips).map(([id, { loop }]): ClipView => {
      const { length = null, problem = null } = known.get(id) ?? {};
      const fixed = { rev: 0, source: 'site', text: null, loudness: null, ahead: false, time: null, by: '' } as const;
      return { ...fixed, id, name: { zh: id, en: id }, length, endless: loop, problem, usedBy: uses.get(id) ?? [] };
    });
    const ofPeople = this.#clips().map((clip) => describe(clip, known.get(clip.id), uses.get(clip.id) ?? []));
    return [...ofSite, ...ofPeople.filter(({ id }) => !Object.hasOwn(campus.site.clips, id))];
  }

  view(id: string): ClipView {
    const found = this.views().find((clip) => clip.id === id);
    if (found === undefined) throw new CodedError('CLIP_NOT_FOUND', `there is no clip "${id}"`);
    return found;
  }

  /** Throws BAD_SOUND, CLIP_TAKEN, DOCUMENT_CHANGED, CLIPS_FULL, TIMEOUT. */
  async upload(request: Asking, body: Readable, query: z.infer<typeof uploadQuery>): Promise<ClipView> {
    const { id, zh, en, ahead, rev } = query;
    this.#requireFree(id, rev);
    await this.shelf.requireRoom(uploadBytes);
    await using work = await this.shelf.work();
    const source = join(work.path, 'upload');
    await pipeline(body, atMost(uploadBytes), createWriteStream(source, { mode: 0o600 }), {
      signal: this.#ending.signal,
    });
    const made = await this.#make(source, work.path);
    await this.#keep(request, id, rev ?? 0, made, {
      name: { zh, en },
      source: 'upload',
      text: null,
      ahead,
      until: null,
    });
    return this.view(id);
  }

  /** Makes a clip of a text. Throws as `upload` and `Speech.speak` do. */
  async speak(request: Asking, body: z.infer<typeof speakBody>): Promise<ClipView> {
    const { id, name, text, voice, rate, keep, ahead } = body;
    if (id !== undefined) this.#requireFree(id, undefined);
    const spoken = await this.speech.speak({ text, voice, rate, signal: this.#ending.signal });
    return this.view(await this.#shelve(request, spoken, { id, name, text, keep, ahead }));
  }

  /** For one announcement: a clip of the text, which goes after a week. The same text again is the same clip. */
  async speakOnce(text: string, voice: string | undefined, request: Asking): Promise<string> {
    const spoken = await this.speech.speak({ text, voice, signal: this.#ending.signal });
    return this.#shelve(request, spoken, { text, keep: false, ahead: false });
  }

  /** The sound as its clip would be; whoever is given it closes it. */
  async preview({ text, voice, rate }: z.infer<typeof previewBody>, signal: AbortSignal): Promise<FileHandle> {
    const spoken = await this.speech.speak({ text, voice, rate, signal });
    await using work = await this.shelf.work();
    const { file } = await this.#make(spoken.file, work.path);
    // Its name goes with the folder, its content with the last who reads it.
    return open(file, 'r');
  }

  /** Throws CLIP_NOT_FOUND, CLIP_OF_SITE, CLIP_USED. */
  async remove(request: Asking, id: string, rev: number | undefined): Promise<void> {
    const { campus, clock } = this.#options;
    this.#requireOurs(id);
    const clip = campus.reader.document('clip', id);
    if (clip === null) throw new CodedError('CLIP_NOT_FOUND', `there is no clip "${id}"`);
    const users = clipUses(campus, clock.now()).get(id) ?? [];
    if (users.length > 0)
      throw new CodedError('CLIP_USED', `"${id}" is used, so it stays: ${users.slice(0, 20).join(', ')}`);
    await putDocument(campus.rpc, request, { kind: 'clip', id, rev: rev ?? clip.rev, body: null });
    await this.#sweep();
  }

  /** Removes what was said once a week ago, and sounds that no clip names any more. */
  async tidy(): Promise<void> {
    const { campus, clock } = this.#options;
    const now = clock.now();
    const over = this.#clips().filter(({ body }) => body.until !== null && body.until < now);
    const uses = over.length === 0 ? new Map<string, string[]>() : clipUses(campus, clock.now());
    for (const { id, rev } of over) {
      if (uses.has(id)) continue;
      const change = { kind: 'clip', id, rev, body: null, why: 'it was for one announcement, a week ago' };
      await campus.rpc.call('document.put', { ...change, who: 'process:web', from: '' });
    }
    await this.#sweep();
  }

  async #shelve(
    request: Asking,
    spoken: Spoken,
    {
      id: wanted,
      name,
      text,
      keep,
      ahead,
    }: { id?: string | undefined; name?: Name | undefined; text: string; keep: boolean; ahead: boolean },
  ): Promise<string> {
    const { campus, clock } = this.#options;
    const id = wanted ?? `say-${spoken.key.slice(0, 20)}`;
    const until = keep ? null : clock.now() + onceStays;
    const before = campus.reader.document('clip', id);
    const isThere = before !== null && (await this.shelf.has(before.body.file));
    if (before !== null && isThere && staysAs(before.body, until)) return id;
    const rev = before?.rev ?? 0;
    if (before !== null && isThere) {
      const body = { ...before.body, until, ahead: ahead || before.body.ahead };
      await putDocument(campus.rpc, request, { kind: 'clip', id, rev, body });
      return id;
    }
    await using work = await this.shelf.work();
    const made = await this.#make(spoken.file, work.path);
    const label = name ?? { zh: text.slice(0, 30), en: text.slice(0, 30) };
    await this.#keep(request, id, rev, made, { name: label, source: 'speech', text, ahead, until });
    return id;
  }

  async #keep(
    request: Asking,
    id: string,
    rev: number,
    made: MadeClip,
    about: Pick<ClipBody, 'name' | 'source' | 'text' | 'ahead' | 'until'>,
  ): Promise<void> {
    const file = await this.shelf.put(made);
    try {
      const body = { ...about, file, length: made.length, loudness: made.loudness };
      await putDocument(this.#options.campus.rpc, request, { kind: 'clip', id, rev, body });
    } finally {
      this.shelf.settle(file);
    }
    await this.#sweep();
  }

  async #make(source: string, folder: string): Promise<MadeClip> {
    const ffmpeg = await findClipFfmpeg(join(this.#options.campus.data, 'speech'));
    const { signal } = this.#ending;
    return this.#queue.run(signal, () => makeClip({ source, folder, ffmpeg, patience: stepTime, signal }));
  }

  /** Throws CLIP_OF_SITE, CLIP_TAKEN, DOCUMENT_CHANGED: before anybody has to wait for it. */
  #requireFree(id: string, rev: number | undefined): void {
    this.#requireOurs(id);
    const before = this.#options.campus.reader.document('clip', id);
    if (before === null || before.rev === rev) return;
    if (rev === undefined) throw new CodedError('CLIP_TAKEN', `there is a clip "${id}" already`);
    throw new CodedError('DOCUMENT_CHANGED', `the clip "${id}" was changed meanwhile`);
  }

  #requireOurs(id: string): void {
    if (!Object.hasOwn(this.#options.campus.site.clips, id)) return;
    throw new CodedError('CLIP_OF_SITE', `"${id}" is a clip of the site file: it is changed there`);
  }

  #clips(): StoredDocument<'clip'>[] {
    return this.#options.campus.reader.documents('clip');
  }

  /** Where no clip is known at all, nothing is removed: the database may have been lost, and is brought back from a back-up. */
  async #sweep(): Promise<void> {
    const named = new Set(this.#clips().map(({ body }) => body.file));
    if (named.size > 0) await this.shelf.sweep(named);
  }
}

/** Nothing is written for a text that is said every hour. */
function staysAs(body: ClipBody, until: number | null): boolean {
  if (body.until === null) return true;
  return until !== null && body.until > until - day;
}

function describe(
  { id, rev, time, who, body }: StoredDocument<'clip'>,
  fact: ClipFacts | undefined,
  usedBy: string[],
): ClipView {
  const { name, source, text, length, loudness, ahead } = body;
  const problem = fact?.problem ?? null;
  return { id, rev, name, source, text, length, loudness, endless: false, ahead, problem, time, by: who, usedBy };
}

function atMost(bytes: number): Transform {
  let heard = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      heard += chunk.length;
      if (heard <= bytes) done(null, chunk);
      else done(new CodedError('BAD_SOUND', `the file is larger than ${bytes / 1e6} MB`));
    },
  });
}
