import { userInfo } from 'node:os';
import { join } from 'node:path';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import { connectRpc, type RpcClient } from '#edge/runtime/rpc.ts';

/* What only core may do is asked of core: the campus must be running. */

/**
 * Who owns the data folder owns the campus: in the audit that is the local token, and `from` tells which user of the
 * machine sat there.
 */
export function localCaller(): { readonly who: string; readonly from: string } {
  return { who: 'token:local', from: `cli ${userName()}`.slice(0, 100) };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? ''); // a user without an entry in passwd
  }
}

/** Throws CORE_AWAY with what to do when the campus does not run on this folder. */
export async function withCore<T>(data: string, use: (core: RpcClient) => Promise<T>): Promise<T> {
  await using core = connectRpc(join(data, 'core.sock'));
  try {
    return await use(core);
  } catch (error) {
    if (codeOf(error) !== 'RPC_AWAY') throw error;
    throw new CodedError(
      'CORE_AWAY',
      `no campus runs on ${data} (or this user may not speak to it): start it, or run this as its user`,
      { cause: error },
    );
  }
}
