import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { ruleVersionId } from '#edge/store/documents.ts';
import type { Reader } from '#edge/store/reader.ts';
import { principalOf } from './access.ts';
import { audit } from './documents.ts';
import type { Rehearsals, RehearsalWish, RehearsedVersion } from './rehearsals.ts';
import { rehearsalBody, rehearsalSchema } from './rule-schemas.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';

const params = z.object({ id: z.uuid() });
type Wish = z.infer<typeof rehearsalBody>;

/** Longest window, ms: readings are kept for about so long. */
const longest = 400 * 86_400_000;

/** What a rule would have done in a stretch of the past. It is run elsewhere; here it is asked for and looked at. */
export function addRehearsalRoutes(app: App, { reader, rpc }: CampusView, rehearsals: Rehearsals): void {
  app.post(
    '/api/v1/rehearsals',
    {
      config: { access: 'rules', wholeCampus: true },
      schema: {
        tags: ['rules'],
        summary: 'Rehearse a draft (or a saved version) on the stored past, beside the version that runs',
        body: rehearsalBody,
        response: { ...problems(400, 404, 429), 200: rehearsalSchema },
      },
    },
    async (request) => {
      const wish = wishOf(request.body, reader);
      const view = rehearsals.start(principalOf(request).who, wish);
      const days = Math.round((wish.to - wish.from) / 8_640_000) / 10;
      await audit(rpc, request, { what: `rule.rehearse ${request.body.rule} over ${days} days`, result: 'started' });
      return view;
    },
  );

  app.get(
    '/api/v1/rehearsals/:id',
    {
      config: { access: 'rules', wholeCampus: true },
      schema: {
        tags: ['rules'],
        summary: 'How far a rehearsal is, and then what came of it',
        params,
        response: { ...problems(400, 404), 200: rehearsalSchema },
      },
    },
    (request) => rehearsals.get(request.params.id, principalOf(request).who),
  );

  app.delete(
    '/api/v1/rehearsals/:id',
    {
      config: { access: 'rules', wholeCampus: true },
      schema: {
        tags: ['rules'],
        summary: 'End a rehearsal',
        params,
        response: { ...problems(400, 404), 200: z.object({}) },
      },
    },
    (request) => {
      rehearsals.end(request.params.id, principalOf(request).who);
      return {};
    },
  );
}

function wishOf({ rule, body, version, from, to, against }: Wish, reader: Reader): RehearsalWish {
  if (from >= to) throw new CodedError('BAD_TIME', '"from" must be before "to"');
  if (to - from > longest) throw new CodedError('BAD_TIME', 'a rehearsal looks at 400 days at most');
  if ((body === undefined) === (version === undefined)) {
    throw new CodedError('BAD_REQUEST', 'either "body" (a draft) or "version" (a saved one) says what is rehearsed');
  }
  const known = reader.document('rule', rule)?.body;
  const number = against === 'active' ? (known?.active ?? null) : against;
  const draft = version === undefined ? { version: 0, body } : saved(reader, rule, version);
  return { draft, live: number === null ? null : saved(reader, rule, number), from, to };
}

function saved(reader: Reader, rule: string, version: number): RehearsedVersion {
  const found = reader.document('ruleVersion', ruleVersionId(rule, version));
  if (found === null) throw new CodedError('RULE_NOT_FOUND', `there is no version ${version} of a rule "${rule}"`);
  return { version, body: found.body.body };
}
