import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { principalOf } from './access.ts';
import { putDocument } from './documents.ts';
import { placeBody, planChange, planQuery, planSchema } from './place-schemas.ts';
import { PlanDesk } from './plans/desk.ts';
import { pictureBytes } from './plans/picture.ts';
import { problems } from './schemas.ts';
import { createScopes, type Scope } from './scope.ts';
import type { App, CampusView } from './server.ts';
import { limitUploads } from './uploads.ts';

const types = ['image/png', 'image/svg+xml'];
/** What is served can do nothing, even when it is opened as a page of its own. */
const picturePolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox";
const planParams = z.object({ id: z.string().regex(slugPattern, 'must be the id of a plan') });
const placeParams = planParams.extend({ device: z.string().regex(slugPattern, 'must be the id of a device') });
const revision = z.object({ rev: z.coerce.number().int().min(1).optional() });

interface Hands {
  readonly desk: PlanDesk;
  readonly campus: CampusView;
  readonly scopeOf: (request: FastifyRequest) => Scope;
}

/** Plans of floors and grounds, their pictures, and what lies on them. */
export async function addPlanRoutes(app: App, campus: CampusView): Promise<void> {
  const scopes = createScopes(campus.site.devices);
  const desk = new PlanDesk(campus);
  const hands: Hands = { desk, campus, scopeOf: (request) => scopes(principalOf(request)) };
  await desk.tidy();
  // Pictures are understood by these two routes and by no other.
  await app.register(async (scope) => {
    const parser = { parseAs: 'buffer', bodyLimit: pictureBytes } as const;
    scope.removeAllContentTypeParsers();
    scope.addHook('onRequest', limitUploads());
    scope.addContentTypeParser(types, parser, (_, body, done) => done(null, body));
    addUploadRoutes(scope.withTypeProvider<ZodTypeProvider>(), hands);
  });
  addPictureRoute(app, hands);
  addDocumentRoutes(app, hands);
  addPlaceRoutes(app, hands);
}

function addUploadRoutes(app: App, { desk, campus, scopeOf }: Hands): void {
  const { rpc, reader } = campus;

  app.post(
    '/api/v1/plans',
    {
      config: { access: 'devices' },
      bodyLimit: pictureBytes,
      schema: {
        tags: ['plans'],
        summary: 'A new plan; its picture is the body (PNG or SVG, at most 5 MB), judged strictly and never changed',
        consumes: types,
        querystring: planQuery,
        response: { ...problems(400, 409, 413, 415, 429, 503), 200: planSchema },
      },
    },
    async (request) => {
      const { id, zh, en, floor = null } = request.query;
      desk.requireFloor(floor);
      desk.requireRoom();
      const order = Math.max(0, ...reader.documents('plan').map(({ body }) => body.order + 1));
      await desk.keep(pictureIn(request), typeOf(request), (file, { width, height }) => {
        const body = { name: { zh, en }, floor, file, width, height, order };
        return putDocument(rpc, request, { kind: 'plan', id, rev: 0, body });
      });
      return desk.view(id, scopeOf(request));
    },
  );

  app.put(
    '/api/v1/plans/:id/image',
    {
      config: { access: 'devices' },
      bodyLimit: pictureBytes,
      schema: {
        tags: ['plans'],
        summary: 'Another picture for a plan, after a rebuilding; what lies on it stays where it is',
        consumes: types,
        params: planParams,
        querystring: revision,
        response: { ...problems(400, 404, 409, 413, 415, 429, 503), 200: planSchema },
      },
    },
    async (request) => {
      const { id, rev, body } = desk.plan(request.params.id);
      desk.requireOwn(id, scopeOf(request));
      await desk.keep(pictureIn(request), typeOf(request), (file, { width, height }) =>
        putDocument(rpc, request, {
          kind: 'plan',
          id,
          rev: request.query.rev ?? rev,
          body: { ...body, file, width, height },
        }),
      );
      return desk.view(id, scopeOf(request));
    },
  );
}

function addPictureRoute(app: App, { desk }: Hands): void {
  app.get(
    '/api/v1/plans/:id/image',
    {
      config: { access: 'see' },
      schema: {
        tags: ['plans'],
        summary: 'The picture of a plan, as it was sent',
        params: planParams,
        querystring: z.object({ v: z.string().max(64).optional() }),
        response: {
          ...problems(400, 404, 503),
          200: { description: 'the picture', content: { 'image/png': { schema: z.unknown() } } },
          304: z.null(),
        },
      },
    },
    async (request, reply) => {
      const { file } = desk.plan(request.params.id).body;
      const etag = `"${file.slice(0, 64)}"`;
      const isVersion = request.query.v !== undefined && file.startsWith(request.query.v) && request.query.v !== '';
      reply
        .header('content-security-policy', picturePolicy)
        .header('etag', etag)
        .header('vary', 'cookie, authorization')
        .header('cache-control', isVersion ? 'private, max-age=31536000, immutable' : 'private, no-cache');
      if (request.headers['if-none-match'] === etag) return reply.code(304).send(null);
      return sendPicture(reply, desk, file, request.params.id);
    },
  );
}

async function sendPicture(reply: FastifyReply, desk: PlanDesk, file: string, id: string): Promise<FastifyReply> {
  const handle = await desk.shelf.open(file);
  if (handle === null) throw new CodedError('PICTURE_NOT_FOUND', `the picture of plan "${id}" is not there`);
  const isPng = file.endsWith('.png');
  return reply
    .type(isPng ? 'image/png' : 'image/svg+xml; charset=utf-8')
    .header('content-disposition', `inline; filename="plan.${isPng ? 'png' : 'svg'}"`)
    .send(handle.createReadStream());
}

function addDocumentRoutes(app: App, { desk, campus, scopeOf }: Hands): void {
  app.get(
    '/api/v1/plans',
    {
      config: { access: 'see' },
      schema: {
        tags: ['plans'],
        summary: 'Every plan with what lies on it, as far as one may see it, in the order that people gave them',
        response: { ...problems(503), 200: z.array(planSchema) },
      },
    },
    (request) => desk.views(scopeOf(request)),
  );

  app.patch(
    '/api/v1/plans/:id',
    {
      config: { access: 'devices' },
      schema: {
        tags: ['plans'],
        summary: 'Another name, floor or place in the order',
        params: planParams,
        body: planChange,
        response: { ...problems(400, 404, 409, 503), 200: planSchema },
      },
    },
    async (request) => {
      const { id, body } = desk.plan(request.params.id);
      const { rev, name = body.name, floor = body.floor, order = body.order } = request.body;
      desk.requireFloor(floor);
      await putDocument(campus.rpc, request, { kind: 'plan', id, rev, body: { ...body, name, floor, order } });
      return desk.view(id, scopeOf(request));
    },
  );

  app.delete(
    '/api/v1/plans/:id',
    {
      config: { access: 'devices' },
      schema: {
        tags: ['plans'],
        summary: 'Removes a plan, its picture and what lies on it; the devices themselves stay',
        params: planParams,
        querystring: revision,
        response: { ...problems(400, 404, 409, 503), 204: z.null() },
      },
    },
    async (request, reply) => {
      const plan = desk.plan(request.params.id);
      desk.requireOwn(plan.id, scopeOf(request));
      await desk.remove(request, plan, request.query.rev ?? plan.rev);
      return reply.code(204).send(null);
    },
  );
}

function addPlaceRoutes(app: App, { desk, campus, scopeOf }: Hands): void {
  const { reader, rpc, site } = campus;
  const known = new Set<string>(site.devices.map(({ id }) => id));

  /** A device elsewhere is answered like one that is not there. */
  const placementOf = (request: FastifyRequest, device: string) => {
    if (!known.has(device) || !scopeOf(request).seesDevice(device)) {
      throw new CodedError('DEVICE_NOT_FOUND', `there is no device "${device}"`);
    }
    return reader.document('placement', device);
  };

  app.put(
    '/api/v1/plans/:id/places/:device',
    {
      config: { access: 'devices' },
      schema: {
        tags: ['plans'],
        summary: 'Puts a device on a plan, or elsewhere on it; it lies on one plan only',
        params: placeParams,
        body: placeBody,
        response: { ...problems(400, 404, 409, 503), 200: planSchema },
      },
    },
    async (request) => {
      const { id } = desk.plan(request.params.id);
      const before = placementOf(request, request.params.device);
      const { x, y, view = before?.body.plan === id ? before.body.view : undefined } = request.body;
      const body = { plan: id, x, y, ...(view === undefined || view === null ? {} : { view }) };
      await putDocument(rpc, request, {
        kind: 'placement',
        id: request.params.device,
        rev: before?.rev ?? 0,
        body,
      });
      return desk.view(id, scopeOf(request));
    },
  );

  app.delete(
    '/api/v1/plans/:id/places/:device',
    {
      config: { access: 'devices' },
      schema: {
        tags: ['plans'],
        summary: 'Takes a device off the plan',
        params: placeParams,
        response: { ...problems(400, 404, 409, 503), 200: planSchema },
      },
    },
    async (request) => {
      const { id, device } = request.params;
      const before = placementOf(request, device);
      if (before?.body.plan !== id) throw new CodedError('PLACE_NOT_FOUND', `"${device}" does not lie on plan "${id}"`);
      await putDocument(rpc, request, { kind: 'placement', id: device, rev: before.rev, body: null });
      return desk.view(id, scopeOf(request));
    },
  );
}

function pictureIn({ body }: FastifyRequest): Buffer {
  if (Buffer.isBuffer(body)) return body;
  throw new CodedError('BAD_PICTURE', 'send the picture itself as the body, as image/png or image/svg+xml');
}

function typeOf({ headers }: FastifyRequest): string {
  return headers['content-type'] ?? '';
}
