import { z } from 'zod';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { actorOf, principalOf, requireRight } from './access.ts';
import { Pace } from './footage-pace.ts';
import { type FootageDesk, pass } from './footage-routes.ts';
import { exportBody, exportSchema } from './footage-schemas.ts';
import { problems } from './schemas.ts';
import type { App } from './server.ts';

/** Whose export it is: an id that was seen over somebody's shoulder opens nothing. */
const mostRemembered = 200;
const id = z.uuid();

/** Footage as files: asked for with a reason, masked unless somebody may and wants otherwise, in the audit before it begins. */
export function addFootageExportRoutes(app: App, desk: FootageDesk, clock: Clock): void {
  const pace = new Pace(clock, { perSecond: 0.1, burst: 6 });
  const owners = new Map<string, string>();
  const own = (who: string, job: string) => {
    if (owners.get(job) !== who) throw new CodedError('EXPORT_NOT_FOUND', `there is no export ${job} (any more)`);
    return `/exports/${job}`;
  };

  app.post(
    '/api/v1/footage/exports',
    {
      config: { access: 'evidence' },
      schema: {
        tags: ['cameras'],
        summary: 'Takes a time of up to 12 h of up to 16 cameras out, one MP4 each',
        description:
          'Ask GET at least every 30 s while it runs: an export nobody asks for ends. Files stay for 15 min.',
        body: exportBody,
        response: { ...problems(400, 404, 409, 429, 503), 202: exportSchema },
      },
    },
    async (request, reply) => {
      const { cameras, from, to, unmasked, why } = request.body;
      if (unmasked) requireRight(principalOf(request), 'unmasked');
      for (const camera of cameras) desk.cameraOf(request, camera);
      const { who } = principalOf(request);
      pace.take(who);
      const iso = (time: number) => new Date(time).toISOString();
      const span = `${iso(from)} to ${iso(to)}${unmasked ? ', unmasked' : ''}`;
      // A line for each: that is how somebody looks for what was taken of a camera.
      for (const camera of cameras) await desk.looks.export(actorOf(request), camera, why, span);
      const body = JSON.stringify({ cameras, from, to, masked: !unmasked });
      const headers = { 'content-type': 'application/json' };
      const said = await desk.media.json({ method: 'POST', path: '/exports', headers, body });
      const job = exportSchema.parse(said);
      owners.set(job.id, who);
      const [oldest] = owners.keys();
      if (owners.size > mostRemembered && oldest !== undefined) owners.delete(oldest);
      return reply.code(202).send(job);
    },
  );

  app.get(
    '/api/v1/footage/exports/:id',
    {
      config: { access: 'evidence' },
      schema: {
        tags: ['cameras'],
        summary: 'How an export goes, and its files once it is ready',
        params: z.object({ id }),
        response: { ...problems(400, 404, 503), 200: exportSchema },
      },
    },
    async (request) => {
      const path = own(principalOf(request).who, request.params.id);
      return exportSchema.parse(await desk.media.json({ path }));
    },
  );

  app.get(
    '/api/v1/footage/exports/:id/files/:index',
    {
      config: { access: 'evidence' },
      schema: {
        tags: ['cameras'],
        summary: 'One of its files, by its place in `files`',
        params: z.object({ id, index: z.coerce.number().int().min(0).max(999) }),
        response: {
          ...problems(400, 404, 503),
          200: { description: 'the file', content: { 'video/mp4': { schema: z.unknown() } } },
        },
      },
    },
    async (request, reply) => {
      const path = own(principalOf(request).who, request.params.id);
      const { index } = request.params;
      const { files } = exportSchema.parse(await desk.media.json({ path }));
      const file = files[index];
      if (file === undefined) throw new CodedError('EXPORT_NOT_FOUND', `this export has no file ${index} (yet)`);
      desk.cameraOf(request, file.camera);
      // The right may have been taken from him since.
      if (!file.isMasked && desk.isMasked(request, file.camera)) requireRight(principalOf(request), 'unmasked');
      const { range } = request.headers;
      const answer = await desk.media.ask({
        path: `${path}/files/${index}`,
        ...(range === undefined ? {} : { headers: { range } }),
      });
      const stamp = new Date(file.from).toISOString().replaceAll(/[-:]|\.\d+/g, '');
      void reply.header('content-disposition', `attachment; filename="${file.camera}_${stamp}.mp4"`);
      return pass(reply, answer, 'video/mp4', 'no-store');
    },
  );

  app.delete(
    '/api/v1/footage/exports/:id',
    {
      config: { access: 'evidence' },
      schema: {
        tags: ['cameras'],
        summary: 'Ends an export and removes its files',
        params: z.object({ id }),
        response: { ...problems(400, 404, 503), 200: z.object({}) },
      },
    },
    async (request) => {
      await desk.media.json({ method: 'DELETE', path: own(principalOf(request).who, request.params.id) });
      owners.delete(request.params.id);
      return {};
    },
  );
}
