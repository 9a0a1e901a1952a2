import { z } from 'zod';
import { type CounterStep, rawRefOf } from '#edge/domain/counter.ts';
import { type PointRef, splitPointRef, uuidPattern } from '#edge/domain/ids.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import { actorOf, principalOf } from './access.ts';
import {
  counterDecisionBody,
  counterDecisionsBody,
  counterListQuery,
  counterStepSchema,
  counterStepsSchema,
  shownQuery,
} from './counter-schemas.ts';
import { readHistory, settleStep, visibleRef } from './history.ts';
import { createLocalTime } from './local-time.ts';
import { historySchema, problems } from './schemas.ts';
import { createScopes, type Scope } from './scope.ts';
import type { App, CampusView } from './server.ts';

const heldSchema = z.object({ steps: z.array(counterStepSchema) });
const pageSize = 500;

/** Steps of counters that wait for a person, and those that were decided. */
export function addCounterRoutes(app: App, { site, reader, rpc }: CampusView): void {
  const scopeOf = createScopes(site.devices);
  const localTime = createLocalTime(site.campus.timeZone);
  /** Throws COUNTER_STEP_NOT_FOUND, for one that lies elsewhere too. */
  const requireStep = (id: string, scope: Scope): void => {
    const [step] = reader.counterSteps({ id, limit: 1 });
    if (step !== undefined && scope.seesRef(step.ref)) return;
    throw new CodedError('COUNTER_STEP_NOT_FOUND', `there is no counter step ${id}`);
  };

  app.get(
    '/api/v1/counters',
    {
      config: { access: 'see' },
      schema: {
        tags: ['energy'],
        summary:
          'Steps of counters that their meters cannot make by counting, newest first; open ones wait for a person',
        description:
          'Until a step is decided its point stands at `from`, uncertain; `to` and `last` are what the meter showed first and shows now.',
        querystring: counterListQuery,
        response: { ...problems(400, 503), 200: counterStepsSchema },
      },
    },
    async (request) => {
      const scope = scopeOf(principalOf(request));
      const { limit, ...filter } = request.query;
      const now = new Map((await heldNow(rpc)).map((step) => [step.id, step]));
      const found: CounterStep[] = [];
      const looked = new Set<string>();
      // The limit counts what is seen.
      for (let to = filter.to, size = pageSize; found.length < limit; ) {
        const page = reader.counterSteps({ ...definedOf({ ...filter, to }), limit: size });
        const news = page.filter(({ id }) => !looked.has(id));
        for (const { id } of news) looked.add(id);
        found.push(...news.filter(({ ref }) => scope.seesRef(ref)));
        const last = page.at(-1);
        if (page.length < size || last === undefined) break;
        // A campus that had no power has many in one moment: what lies at the edge of a page comes again with the next, which is larger
        // where one moment fills it.
        to = last.toTime + 1;
        size = news.length < pageSize ? size + pageSize : pageSize;
      }
      return { steps: found.slice(0, limit).map((step) => now.get(step.id) ?? step) };
    },
  );

  app.post(
    '/api/v1/counters/:id/decide',
    {
      config: { access: 'devices' },
      schema: {
        tags: ['energy'],
        summary: 'Accepts or rejects what a meter shows after a step; 409 says why it cannot be',
        description:
          '`accept`: history goes on from the new course, and `between` (what the old meter counted last; null: nothing) is all that is counted across the step. ' +
          '`reject`: the course never was. An accepted step may be accepted again with another `between`; one that was rejected while its meter still shows it.',
        params: z.object({ id: z.string().regex(uuidPattern, 'must be the id of a counter step') }),
        body: counterDecisionBody,
        response: { ...problems(400, 404, 409, 503), 200: counterStepSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      requireStep(id, scopeOf(principalOf(request)));
      return counterStepSchema.parse(await rpc.call('counter.decide', { id, ...request.body, ...actorOf(request) }));
    },
  );

  app.post(
    '/api/v1/counters/decide',
    {
      config: { access: 'devices' },
      schema: {
        tags: ['energy'],
        summary:
          'The same for several steps at once, as the counters of a meter that was swapped: all of them, or none',
        body: counterDecisionsBody,
        response: { ...problems(400, 404, 409, 503), 200: counterStepsSchema },
      },
    },
    async (request) => {
      const scope = scopeOf(principalOf(request));
      for (const { id } of request.body.steps) requireStep(id, scope);
      return counterStepsSchema.parse(await rpc.call('counter.decide', { ...request.body, ...actorOf(request) }));
    },
  );

  app.get(
    '/api/v1/counters/:device/:point/shown',
    {
      config: { access: 'see' },
      schema: {
        tags: ['energy'],
        summary: 'What a meter really showed while its counter was not believed, from (included) to (excluded)',
        description:
          'As the history of a point. Raw samples are `good` where they lie on the new course, `uncertain` where they fit nothing. Empty where it was always believed.',
        params: z.object({ device: z.string(), point: z.string() }),
        querystring: shownQuery,
        response: { ...problems(400, 404, 503), 200: historySchema },
      },
    },
    (request): z.infer<typeof historySchema> => {
      const { params, query } = request;
      const ref = visibleRef(params.device, params.point, scopeOf(principalOf(request)));
      const raw = rawRefOf(ref as PointRef);
      const { unit, step, samples, buckets, more } = readHistory(
        { reader },
        localTime,
        raw,
        settleStep(query),
        query.limit,
      );
      // It stands as long as nothing else is shown.
      const head = { id: ref, unit, step, staleAfter: 0, truncated: more };
      return step === 'raw' ? { ...head, samples: [...samples] } : { ...head, buckets: [...buckets] };
    },
  );
}

/** How they stand this moment; what is stored is shown while core is away. */
async function heldNow(rpc: RpcClient): Promise<readonly z.infer<typeof counterStepSchema>[]> {
  try {
    return heldSchema.parse(await rpc.call('counter.list', {})).steps;
  } catch (error) {
    if (['RPC_AWAY', 'RPC_BUSY', 'TIMEOUT'].includes(codeOf(error))) return [];
    throw error;
  }
}

type Filter = z.infer<typeof counterListQuery>;

function definedOf({ ref, state, from, to }: Omit<Filter, 'limit'>) {
  return {
    ...(ref === undefined || splitPointRef(ref) === null ? {} : { ref }),
    ...(state === undefined ? {} : { state }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}
