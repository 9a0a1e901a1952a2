import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { principalOf } from './access.ts';
import { audit } from './documents.ts';
import type { FlowsAddress } from './flows-editor.ts';
import {
  flowDiffSchema,
  flowRestartAnswer,
  flowRestartBody,
  flowRollbackAnswer,
  flowRollbackBody,
  flowsSchema,
  flowVersionBodySchema,
} from './flows-schemas.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';

/** A deploy stops and starts nodes: each may take its time. */
const timeout = 40_000;
/** Everything that it says of a hundred tabs with fifty versions each is well below. */
const largestAnswer = 8_000_000;
const problemSchema = z.object({ error: z.string().max(100), message: z.string().max(2_000) });
const tab = z.string().min(1).max(200);
const version = z.coerce.number().int().min(1);

/** Flows as people look after them: how each tab fares, what it was, going back to it. The editor itself is flows-editor.ts. */
export function addFlowsRoutes(app: App, { flows, rpc }: Pick<CampusView, 'flows' | 'rpc'>): void {
  const tags = ['flows'];

  app.get(
    '/api/v1/flows',
    {
      config: { access: 'flows-view', wholeCampus: true },
      schema: {
        tags,
        summary: 'Every tab with its state, what it takes, and its versions; why flows do not run',
        response: { ...problems(404, 503), 200: flowsSchema },
      },
    },
    (request) => ask(flows, request, 'GET', '/state', flowsSchema),
  );

  app.get(
    '/api/v1/flows/:tab/versions/:version',
    {
      config: { access: 'flows-view', wholeCampus: true },
      schema: {
        tags,
        summary: 'An earlier state of a tab, as Node-RED imports it',
        params: z.object({ tab, version }),
        response: { ...problems(400, 404, 503), 200: flowVersionBodySchema },
      },
    },
    (request) => {
      const { params } = request;
      return ask(flows, request, 'GET', `${pathOf(params.tab)}/versions/${params.version}`, flowVersionBodySchema);
    },
  );

  app.get(
    '/api/v1/flows/:tab/diff',
    {
      config: { access: 'flows-view', wholeCampus: true },
      schema: {
        tags,
        summary: 'Which nodes differ between two versions of a tab',
        params: z.object({ tab }),
        querystring: z.object({ from: version, to: version }),
        response: { ...problems(400, 404, 503), 200: flowDiffSchema },
      },
    },
    (request) => {
      const { from, to } = request.query;
      return ask(flows, request, 'GET', `${pathOf(request.params.tab)}/diff?from=${from}&to=${to}`, flowDiffSchema);
    },
  );

  app.post(
    '/api/v1/flows/:tab/rollback',
    {
      config: { access: 'flows-edit', wholeCampus: true },
      schema: {
        tags,
        summary: 'Deploys an earlier version of a tab, as a new version; a removed tab comes back',
        description: '403 for a locked tab. Passwords of nodes that were removed meanwhile must be entered again.',
        params: z.object({ tab }),
        body: flowRollbackBody,
        response: { ...problems(400, 404, 409, 503), 200: flowRollbackAnswer },
      },
    },
    async (request) => {
      const { body, params } = request;
      const what = `flows.rollback ${params.tab} to ${body.version}`;
      await audit(rpc, request, { what, why: body.why, result: 'begun' });
      return ask(flows, request, 'POST', `${pathOf(params.tab)}/rollback`, flowRollbackAnswer, body);
    },
  );

  app.post(
    '/api/v1/flows/restart',
    {
      config: { access: 'flows-edit', wholeCampus: true },
      schema: {
        tags,
        summary: 'Starts all flows anew from their files: ends safe mode, and gives disabled tabs another chance',
        body: flowRestartBody,
        response: { ...problems(400, 404, 503), 200: flowRestartAnswer },
      },
    },
    async (request) => {
      await audit(rpc, request, { what: 'flows.restart', why: request.body.why, result: 'begun' });
      return ask(flows, request, 'POST', '/restart', flowRestartAnswer, request.body);
    },
  );
}

function pathOf(id: string): string {
  return `/tabs/${encodeURIComponent(id)}`;
}

/** Asks the flows process beside its editor, in the name of whoever asks us. Throws FLOWS_AWAY and what it answers. */
async function ask<T>(
  flows: FlowsAddress | null,
  request: Pick<FastifyRequest, 'principal'>,
  method: 'GET' | 'POST',
  path: string,
  schema: z.ZodType<T>,
  body?: object,
): Promise<T> {
  if (flows === null) throw new CodedError('FLOWS_NOT_FOUND', 'flows are off in the site file (flows.enabled)');
  const { role, id, who, rights } = principalOf(request);
  const mode = rights.has('flows-edit') ? 'edit' : 'view';
  const headers: Record<string, string> = { [flows.header]: `${flows.secret}:${mode}:${role === null ? who : id}` };
  const answer = await call(`http://127.0.0.1:${flows.port}/flows-control${path}`, method, headers, body);
  if (answer.ok) return checked(schema, answer.body);
  const { error, message } = checked(problemSchema, answer.body);
  throw new CodedError(codes[error] ?? 'FLOWS_REFUSED', message);
}

const codes: Readonly<Record<string, string>> = {
  'version-not-found': 'VERSION_NOT_FOUND',
  'tab-locked': 'FORBIDDEN',
  forbidden: 'FORBIDDEN',
  'bad-request': 'BAD_REQUEST',
  'bad-tab': 'BAD_REQUEST',
  'no-such-route': 'FLOWS_NOT_FOUND',
};

async function call(
  url: string,
  method: 'GET' | 'POST',
  headers: Record<string, string>,
  body: object | undefined,
): Promise<{ readonly ok: boolean; readonly body: unknown }> {
  try {
    const answer = await fetch(url, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeout),
    });
    return { ok: answer.ok, body: JSON.parse(await textOf(answer)) };
  } catch (error) {
    throw new CodedError('FLOWS_AWAY', `the flows do not answer: ${messageOf(error)}`, { cause: error });
  }
}

/** What people write in flows can answer in its place: it gets no more of our memory than this. */
async function textOf(answer: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > largestAnswer) throw new Error(`an answer of more than ${largestAnswer} characters`);
  }
  return text;
}

function checked<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new CodedError('FLOWS_AWAY', 'the flows answer what cannot be understood');
}
