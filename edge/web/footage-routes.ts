import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { actorOf, principalOf } from './access.ts';
import { Looks } from './footage-looks.ts';
import { MediaClient } from './footage-media.ts';
import { Pace } from './footage-pace.ts';
import { cameraId, footageSchema, momentQuery } from './footage-schemas.ts';
import { problems } from './schemas.ts';
import { createScopes } from './scope.ts';
import type { App, CampusView } from './server.ts';

/** What the routes of pictures share. */
export interface FootageDesk {
  readonly media: MediaClient;
  readonly looks: Looks;
  /** The camera, if it is one and in his zones. Throws CAMERA_NOT_FOUND. */
  cameraOf(request: FastifyRequest, id: string): string;
  /** What he may see of this camera only with its masks burnt in. */
  isMasked(request: FastifyRequest, camera: string): boolean;
}

const span = z.object({
  from: momentQuery,
  to: momentQuery,
  /** `no`: only the ranges, for a timeline of a whole day. */
  segments: z.stringbool().default(true),
});
const video = { description: 'fragmented MP4; Range is understood', content: { 'video/mp4': { schema: z.unknown() } } };
const jpeg = { description: 'the picture', content: { 'image/jpeg': { schema: z.unknown() } } };
/** Recoding a file for its masks takes some seconds, ms. */
const recodePatience = 60_000;

export function createFootageDesk({ site, devices, rpc, data }: CampusView, clock: Clock): FootageDesk {
  const scopeOf = createScopes(site.devices);
  const cameras = new Set(devices.filter(({ protocol }) => protocol === 'onvif').map(({ id }) => String(id)));
  const masks = new Map(Object.entries(site.cameras.byCamera).map(([id, camera]) => [id, camera.masks.length]));
  return {
    media: new MediaClient(data),
    looks: new Looks(rpc, clock),
    cameraOf(request, id) {
      if (cameras.has(id) && scopeOf(principalOf(request)).seesDevice(id)) return id;
      throw new CodedError('CAMERA_NOT_FOUND', `there is no camera "${id}"`);
    },
    isMasked: (request, camera) => (masks.get(camera) ?? 0) > 0 && !principalOf(request).rights.has('unmasked'),
  };
}

/** Footage of cameras in one's zones: what there is, its files, pictures of its moments. Each look is in the audit first. */
export function addFootageRoutes(app: App, desk: FootageDesk, clock: Clock): void {
  const files = new Pace(clock, { perSecond: 20, burst: 200 });
  const pictures = new Pace(clock, { perSecond: 10, burst: 120 });

  app.get(
    '/api/v1/cameras/:id/footage',
    {
      config: { access: 'playback' },
      schema: {
        tags: ['cameras'],
        summary: 'What footage there is of a camera in a time: ranges for a timeline, files to play',
        params: z.object({ id: cameraId }),
        querystring: span,
        response: { ...problems(400, 404, 503), 200: footageSchema },
      },
    },
    async (request) => {
      const camera = desk.cameraOf(request, request.params.id);
      const { from, to, segments } = request.query;
      const path = `/footage/${camera}?from=${from}&to=${to}&segments=${segments ? '1' : '0'}`;
      const said = await desk.media.json({ path });
      const isMasked = desk.isMasked(request, camera);
      return footageSchema.parse({ ...footageSchema.omit({ isMasked: true }).parse(said), isMasked });
    },
  );

  app.get(
    '/api/v1/cameras/:id/footage/segments/:segment',
    {
      config: { access: 'playback' },
      schema: {
        tags: ['cameras'],
        summary: 'One file of footage; it begins with a key frame and plays by itself',
        description:
          'Its own clock begins at 0 where `from` of the segment is. One line of the audit stands for 15 min.',
        params: z.object({ id: cameraId, segment: z.string().regex(/^\d{1,15}$/, 'must be the id of a segment') }),
        response: { ...problems(400, 404, 429, 503), 200: video, 206: video },
      },
    },
    async (request, reply) => {
      const camera = desk.cameraOf(request, request.params.id);
      files.take(principalOf(request).who);
      const { segment } = request.params;
      await desk.looks.note(actorOf(request), camera, 'footage', Number(segment));
      const masked = desk.isMasked(request, camera) ? '?masked=1' : '';
      const { range } = request.headers;
      const answer = await desk.media.ask({
        path: `/footage/${camera}/segments/${segment}${masked}`,
        patience: recodePatience,
        ...(range === undefined ? {} : { headers: { range } }),
      });
      const isOpen = answer.headers['x-footage-open'] === '1';
      return pass(reply, answer, 'video/mp4', isOpen ? 'no-store' : 'private, max-age=600');
    },
  );

  app.get(
    '/api/v1/cameras/:id/footage/picture',
    {
      config: { access: 'playback' },
      schema: {
        tags: ['cameras'],
        summary: 'The picture of a moment; the header x-footage-time says when it was really taken',
        params: z.object({ id: cameraId }),
        querystring: z.object({ at: momentQuery, width: z.coerce.number().int().min(64).max(3_840).default(480) }),
        response: { ...problems(400, 404, 429, 503), 200: jpeg },
      },
    },
    async (request, reply) => {
      const camera = desk.cameraOf(request, request.params.id);
      pictures.take(principalOf(request).who);
      const { at, width } = request.query;
      await desk.looks.note(actorOf(request), camera, 'moments', at);
      const masked = desk.isMasked(request, camera) ? '1' : '0';
      const answer = await desk.media.ask({
        path: `/footage/${camera}/picture?at=${at}&width=${width}&masked=${masked}`,
      });
      return pass(reply, answer, 'image/jpeg', 'private, max-age=600');
    },
  );
}

const passed = ['content-length', 'content-range', 'accept-ranges', 'x-footage-from', 'x-footage-to', 'x-footage-time'];

/** Media's answer as ours: of this session only, for the next person at the same screen may not see it. */
export function pass(reply: FastifyReply, answer: IncomingMessage, type: string, cache: string): FastifyReply {
  for (const name of passed) {
    const value = answer.headers[name];
    if (typeof value === 'string') void reply.header(name, value);
  }
  return reply
    .code(answer.statusCode ?? 200)
    .type(type)
    .header('vary', 'cookie, authorization')
    .header('cache-control', cache)
    .send(answer);
}
