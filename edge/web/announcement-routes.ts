import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { clipId, templateBody, templateView } from './clip-schemas.ts';
import { putDocument } from './documents.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';

const tags = ['broadcast'];
const params = z.object({ id: clipId });
/** As it was seen; absent: there was none. */
const putQuery = z.object({ rev: z.coerce.number().int().min(0).default(0) });
const removeQuery = z.object({ rev: z.coerce.number().int().min(1).optional() });

type Template = z.infer<typeof templateBody>;

/** Texts with fields that are spoken again and again. */
export function addAnnouncementRoutes(
  app: App,
  { reader, rpc, site }: Pick<CampusView, 'reader' | 'rpc' | 'site'>,
): void {
  const one = (id: string) => {
    const found = reader.document('announcement', id);
    if (found === null) throw new CodedError('TEMPLATE_NOT_FOUND', `there is no announcement template "${id}"`);
    return { id, rev: found.rev, body: found.body };
  };

  app.get(
    '/api/v1/announcement-templates',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'Texts with fields in braces that are spoken again and again',
        response: { ...problems(503), 200: z.array(templateView) },
      },
    },
    () => reader.documents('announcement').map(({ id, rev, body }) => ({ id, rev, body })),
  );

  app.get(
    '/api/v1/announcement-templates/:id',
    {
      config: { access: 'see' },
      schema: { tags, summary: 'One of them', params, response: { ...problems(400, 404, 503), 200: templateView } },
    },
    (request) => one(request.params.id),
  );

  app.put(
    '/api/v1/announcement-templates/:id',
    {
      config: { access: 'broadcast' },
      schema: {
        tags,
        summary: 'A new one, or with `rev` another text for one; 409 when somebody changed it meanwhile',
        params,
        querystring: putQuery,
        body: templateBody,
        response: { ...problems(400, 409, 503), 200: templateView },
      },
    },
    async (request) => {
      const { id } = request.params;
      requireSense(request.body);
      const { chime } = request.body;
      const isThere = chime === null || Object.hasOwn(site.clips, chime) || reader.document('clip', chime) !== null;
      if (!isThere) throw new CodedError('BAD_TEMPLATE', `body.chime: there is no clip "${chime}"`);
      await putDocument(rpc, request, { kind: 'announcement', id, rev: request.query.rev, body: request.body });
      return one(id);
    },
  );

  app.delete(
    '/api/v1/announcement-templates/:id',
    {
      config: { access: 'broadcast' },
      schema: {
        tags,
        summary: 'Removes one',
        params,
        querystring: removeQuery,
        response: { ...problems(400, 404, 409, 503), 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id, rev } = one(request.params.id);
      await putDocument(rpc, request, { kind: 'announcement', id, rev: request.query.rev ?? rev, body: null });
      return reply.code(204).send(null);
    },
  );
}

/** Throws BAD_TEMPLATE when text and fields do not fit. */
function requireSense({ text, fields }: Template): void {
  const wrong = (message: string) => new CodedError('BAD_TEMPLATE', `body.${message}`);
  const keys = fields.map(({ key }) => key);
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) throw wrong(`fields: "${twice}" is there twice`);
  const named = [...text.matchAll(/\{([^{}]*)\}/g)].map(([, key = '']) => key);
  const unknown = named.find((key) => !keys.includes(key));
  if (unknown !== undefined) throw wrong(`text: {${unknown}} is no field of it`);
  const unused = keys.find((key) => !named.includes(key));
  if (unused !== undefined) throw wrong(`fields: the text does not say {${unused}}`);
  if (/[{}]/.test(text.replace(/\{[^{}]*\}/g, ''))) throw wrong('text: a brace has no other');
}
