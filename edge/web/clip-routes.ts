import { type FileHandle, open } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import { type ClipDesk, uploadBytes } from './clip-desk.ts';
import { clipId, clipsView, clipView, previewBody, speakBody, uploadQuery, voicesView } from './clip-schemas.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';
import { openSound, sendWav } from './sound-file.ts';
import { limitUploads } from './uploads.ts';

const tags = ['broadcast'];
const params = z.object({ id: clipId });
const revision = z.object({ rev: z.coerce.number().int().min(1).optional() });
const sound = { description: 'the sound', content: { 'audio/wav': { schema: z.unknown() } } };
/** What browsers call sound; what it really is ffmpeg finds out. */
const soundTypes = /^(audio\/|video\/(mp4|webm|ogg|quicktime|x-matroska)|application\/(ogg|octet-stream))/;
/** A socket on which nothing moves is closed after a minute otherwise; an hour of sound takes longer on a slow box, ms. */
const makingTime = 600_000;
/** Of clips of the site that are no WAV files. */
const typesOfFiles: Readonly<Record<string, string>> = {
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
  '.opus': 'audio/ogg',
  '.m4a': 'audio/mp4',
  '.aac': 'audio/aac',
  '.flac': 'audio/flac',
};

/** The clip library: what sounds there are, making them of files and texts, and listening to them. */
export async function addClipLibraryRoutes(
  app: App,
  campus: Pick<CampusView, 'site' | 'reader'>,
  desk: ClipDesk,
): Promise<void> {
  await desk.shelf.tidyWork();
  addListRoutes(app, desk);
  addSpeakRoutes(app, desk);
  addSoundRoute(app, campus, desk);
  // Files of sound are understood by this route and by no other.
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addHook('onRequest', limitUploads());
    scope.addContentTypeParser(soundTypes, (_, payload, done) => done(null, payload));
    addUploadRoute(scope.withTypeProvider<ZodTypeProvider>(), desk);
  });
}

function addListRoutes(app: App, desk: ClipDesk): void {
  app.get(
    '/api/v1/broadcast/clips',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary:
          'Every clip, of the site file and of people: how long it is, where it is used, and why it cannot be played',
        response: { ...problems(503), 200: clipsView },
      },
    },
    () => desk.views(),
  );

  app.delete(
    '/api/v1/broadcast/clips/:id',
    {
      config: { access: 'broadcast' },
      schema: {
        tags,
        summary: 'Removes a clip that is used nowhere; what plays it now plays it to its end',
        params,
        querystring: revision,
        response: { ...problems(400, 404, 409, 503), 204: z.null() },
      },
    },
    async (request, reply) => {
      await desk.remove(request, request.params.id, request.query.rev);
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/api/v1/voices',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'Voices that read texts; none: nothing on this box can speak',
        response: { ...problems(503), 200: voicesView },
      },
    },
    async () => [...(await desk.speech.voices())],
  );
}

function addSpeakRoutes(app: App, desk: ClipDesk): void {
  app.post(
    '/api/v1/broadcast/clips/speak',
    {
      config: { access: 'broadcast' },
      schema: {
        tags,
        summary: 'Makes a clip of a text; without `keep` it goes after a week',
        body: speakBody,
        response: { ...problems(400, 409, 429, 503), 200: clipView },
      },
    },
    (request) => desk.speak(request, request.body),
  );

  app.post(
    '/api/v1/broadcast/clips/preview',
    {
      config: { access: 'broadcast' },
      schema: {
        tags,
        summary: 'A text as it would sound; nothing is kept. The same text, voice and rate are the same bytes',
        body: previewBody,
        response: { ...problems(400, 409, 429, 503), 200: sound },
      },
    },
    async (request, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort(new CodedError('CLIP_UNHEARD', 'whoever asked is gone')));
      return sendWav(request, reply, await desk.preview(request.body, gone.signal));
    },
  );
}

function addSoundRoute(app: App, { site, reader }: Pick<CampusView, 'site' | 'reader'>, desk: ClipDesk): void {
  app.get(
    '/api/v1/broadcast/clips/:id/sound',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'The sound of a clip, whole or in ranges; of the site file’s clips too',
        params,
        response: { ...problems(400, 404, 503), 200: sound, 206: sound, 416: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const ofSite = Object.hasOwn(site.clips, id) ? site.clips[id] : undefined;
      if (ofSite !== undefined) return sendOfSite(request, reply, resolve(site.folder, ofSite.file), id);
      const clip = reader.document('clip', id);
      if (clip === null) throw new CodedError('CLIP_NOT_FOUND', `there is no clip "${id}"`);
      const handle = await openSound(desk.shelf.path(clip.body.file));
      if (handle === null) throw missing(id);
      return sendWav(request, reply, handle);
    },
  );
}

/** The file of the site may be a link, and any format that ffmpeg reads. */
async function sendOfSite(
  request: FastifyRequest,
  reply: FastifyReply,
  file: string,
  id: string,
): Promise<FastifyReply> {
  const handle = await openFile(file);
  if (handle === null) throw missing(id);
  const type = typesOfFiles[extname(file).toLowerCase()];
  if (type === undefined) return sendWav(request, reply, handle);
  return reply.type(type).header('cache-control', 'private, no-store').send(handle.createReadStream());
}

async function openFile(file: string): Promise<FileHandle | null> {
  try {
    const handle = await open(file, 'r');
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    return null;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EACCES') return null;
    throw error;
  }
}

function missing(id: string): CodedError {
  return new CodedError('CLIP_NOT_FOUND', `the sound of the clip "${id}" is not there`);
}

function addUploadRoute(app: App, desk: ClipDesk): void {
  app.post(
    '/api/v1/broadcast/clips',
    {
      config: { access: 'broadcast' },
      bodyLimit: uploadBytes,
      schema: {
        tags,
        summary:
          'A new clip of a file of sound, or with `rev` another sound for one: trimmed, mono, as loud as all others',
        consumes: [
          'audio/wav',
          'audio/mpeg',
          'audio/ogg',
          'audio/webm',
          'audio/mp4',
          'audio/flac',
          'application/octet-stream',
        ],
        querystring: uploadQuery,
        response: { ...problems(400, 409, 413, 415, 429, 503), 200: clipView },
      },
    },
    async (request) => {
      const { body } = request;
      if (!(body instanceof Readable)) throw new CodedError('BAD_SOUND', 'send the file of sound itself as the body');
      request.raw.socket.setTimeout(makingTime);
      return desk.upload(request, body, request.query);
    },
  );
}
