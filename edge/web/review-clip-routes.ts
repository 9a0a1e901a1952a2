import { z } from 'zod';
import { uuidPattern } from '#edge/domain/ids.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Reader } from '#edge/store/reader.ts';
import { type IncidentDesk, personOf } from './incident-routes.ts';
import { clipQuery, clipSchema, markBody, reasonBody } from './incident-schemas.ts';
import { problems } from './schemas.ts';
import type { Scope } from './scope.ts';
import type { App, CampusView } from './server.ts';

const clipList = z.object({
  clips: z.array(clipSchema),
  /** `after` of the next page; null: there is none. */
  next: z.string().nullable(),
});
const clipId = z.object({ id: z.string().regex(uuidPattern, 'must be the id of a clip') });
/** Rows looked through for those of one's zones, in one call. */
const mostScanned = 10_000;

/** Footage that is kept: what of it there is, marks of people, and letting it go. */
export function addClipRoutes(app: App, { reader, rpc }: CampusView, { scopeOf }: IncidentDesk): void {
  app.get(
    '/api/v1/clips',
    {
      config: { access: 'playback' },
      schema: {
        tags: ['incidents'],
        summary: 'Footage that is kept, beginning latest first; `next` as `after` gives the next page',
        description: '`from` and `to` bound the footage it touches.',
        querystring: clipQuery,
        response: { ...problems(400, 503), 200: clipList },
      },
    },
    (request) => clipsOf(reader, request.query, scopeOf(request)),
  );

  app.post(
    '/api/v1/clips',
    {
      config: { access: 'incidents' },
      schema: {
        tags: ['incidents'],
        summary: 'Marks footage of a camera: it is kept until somebody lets it go',
        body: markBody,
        response: { ...problems(400, 404, 409, 503), 200: clipSchema },
      },
    },
    async (request) => {
      const { camera, from, to, note } = request.body;
      if (!scopeOf(request).seesDevice(camera))
        throw new CodedError('CAMERA_NOT_FOUND', `there is no camera "${camera}"`);
      const wish = { camera, begin: from, end: to, note, ...personOf(request) };
      return clipSchema.parse(await rpc.call('clip.mark', wish));
    },
  );

  app.post(
    '/api/v1/clips/:id/unprotect',
    {
      config: { access: 'evidence' },
      schema: {
        tags: ['incidents'],
        summary: 'Lets a marked clip go: its footage is deleted when its days are over',
        params: clipId,
        body: reasonBody,
        response: { ...problems(400, 404, 409, 503), 200: clipSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const clip = reader.clip(id);
      if (clip === null || !scopeOf(request).seesDevice(clip.camera))
        throw new CodedError('CLIP_NOT_FOUND', `there is no clip ${id}`);
      return clipSchema.parse(await rpc.call('clip.unprotect', { id, ...request.body, ...personOf(request) }));
    },
  );
}

function clipsOf(
  reader: Pick<Reader, 'clips'>,
  { protected: kept, limit, ...query }: z.infer<typeof clipQuery>,
  scope: Scope,
): z.infer<typeof clipList> {
  const asked = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
  const isProtected = kept === undefined ? {} : { isProtected: kept };
  const clips: z.infer<typeof clipSchema>[] = [];
  let after = query.after;
  for (let scanned = 0; scanned < mostScanned; scanned += limit) {
    const page = reader.clips({ ...asked, ...isProtected, limit, ...(after === undefined ? {} : { after }) });
    for (const clip of page) {
      after = clip.id;
      if (scope.seesDevice(clip.camera)) clips.push(clip);
      if (clips.length === limit) return { clips, next: clip.id };
    }
    if (page.length < limit) return { clips, next: null };
  }
  return { clips, next: after ?? null };
}
