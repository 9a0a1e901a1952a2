import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import { describeIssues } from '#edge/runtime/site.ts';

/** Who asks and from which address: web has made sure of both. */
export const asked = {
  /** `process:web`: what web does by itself, e.g. tidying away. */
  who: z
    .string()
    .regex(/^((person|token):[a-z0-9_-]{1,63}|process:web)$/, 'must be person:<id>, token:<id> or process:web'),
  from: z.string().max(100),
};

/** A method whose params are what the schema says; throws RPC_PARAMS with every mistake. */
export function checked<T>(schema: z.ZodType<T>, method: (params: T) => Promise<unknown>): RpcMethod {
  return async (params) => {
    const parsed = schema.safeParse(params);
    if (!parsed.success) throw new CodedError('RPC_PARAMS', describeIssues(parsed.error));
    return method(parsed.data);
  };
}
