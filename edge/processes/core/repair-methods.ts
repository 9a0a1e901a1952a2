import { z } from 'zod';
import { repairSteps } from '#edge/rules/repair-plan.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import { describeIssues } from '#edge/runtime/site.ts';
import type { Repairs } from './repair.ts';

const nothing = z.strictObject({});
const actParams = z.strictObject({
  device: z.string().max(63),
  step: z.enum(repairSteps),
  who: z.string().regex(/^(person|token):[a-z0-9_-]{1,63}$/, 'must be person:<id> or token:<id>'),
  from: z.string().max(100),
});

/** `repair.list` and `network.list` -> what is; `repair.act` {device, step, who, from} -> the repair as it is then, or REPAIR_REFUSED. */
export function createRepairMethods(repairs: Repairs): Readonly<Record<string, RpcMethod>> {
  return {
    'repair.list': checked(nothing, () => repairs.list()),
    'network.list': checked(nothing, () => repairs.network()),
    'repair.act': checked(actParams, ({ device, step, who, from }) => repairs.act(device, step, { who, from })),
  };
}

function checked<T>(schema: z.ZodType<T>, method: (params: T) => unknown): RpcMethod {
  return async (params) => {
    const parsed = schema.safeParse(params);
    if (!parsed.success) throw new CodedError('RPC_PARAMS', describeIssues(parsed.error));
    return method(parsed.data);
  };
}
