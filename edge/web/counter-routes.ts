import { z } from 'zod';
import type { CounterStep } from '#edge/domain/counter.ts';
import { splitPointRef, uuidPattern } from '#edge/domain/ids.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import { actorOf, principalOf } from './access.ts';
import { counterDecisionBody, counterListQuery, counterStepSchema, counterStepsSchema } from './counter-schemas.ts';
import { problems } from './schemas.ts';
import { createScopes } from './scope.ts';
import type { App, CampusView } from './server.ts';

const heldSchema = z.object({ steps: z.array(counterStepSchema) });

/** Steps of counters that wait for a person, and those that were decided. */
export function addCounterRoutes(app: App, { site, reader, rpc }: CampusView): void {
  const scopeOf = createScopes(site.devices);

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
      // The limit counts what is seen.
      for (let to = filter.to; found.length < limit; ) {
        const page = reader.counterSteps({ ...definedOf({ ...filter, to }), limit: 500 });
        found.push(...page.filter(({ ref }) => scope.seesRef(ref)));
        const last = page.at(-1);
        if (page.length < 500 || last === undefined) break;
        to = last.toTime;
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
      const [step] = reader.counterSteps({ id, limit: 1 });
      if (step === undefined || !scopeOf(principalOf(request)).seesRef(step.ref)) {
        throw new CodedError('COUNTER_STEP_NOT_FOUND', `there is no counter step ${id}`);
      }
      return counterStepSchema.parse(await rpc.call('counter.decide', { id, ...request.body, ...actorOf(request) }));
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
