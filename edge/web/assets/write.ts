import type { FastifyRequest } from 'fastify';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import type { StoredDocument } from '#edge/store/documents.ts';
import { putDocument } from '../documents.ts';
import type { Planned } from './import.ts';

/** So many calls wait for core's commits at the same time; they share them. */
const atOnce = 32;

interface Written {
  readonly device: string;
  readonly rev: number;
}

/**
 * All or nothing: when one change is refused (somebody else changed that device meanwhile, core went away), those already
 * made are taken back. Throws what the first refused one threw, or IMPORT_HALF naming what could not be taken back.
 */
export async function writeChanges(
  rpc: RpcClient,
  request: Pick<FastifyRequest, 'principal' | 'ip'>,
  changes: readonly Planned[],
  stored: ReadonlyMap<string, StoredDocument<'asset'>>,
): Promise<void> {
  const written: Written[] = [];
  const write = async ({ device, body, line }: Planned): Promise<void> => {
    const change = { kind: 'asset', id: device, rev: stored.get(device)?.rev ?? 0, body } as const;
    const rev = await putDocument(rpc, request, { ...change, why: `line ${line} of an imported table` });
    written.push({ device, rev });
  };
  try {
    await inTurns(changes, write);
  } catch (error) {
    await takeBack(rpc, request, written, stored);
    throw error;
  }
}

async function takeBack(
  rpc: RpcClient,
  request: Pick<FastifyRequest, 'principal' | 'ip'>,
  written: readonly Written[],
  stored: ReadonlyMap<string, StoredDocument<'asset'>>,
): Promise<void> {
  const left: string[] = [];
  let why = '';
  await inTurns(written, async ({ device, rev }) => {
    try {
      const body = stored.get(device)?.body ?? null;
      await putDocument(rpc, request, { kind: 'asset', id: device, rev, body, why: 'the import was not completed' });
    } catch (error) {
      left.push(device);
      why = messageOf(error);
    }
  });
  if (left.length === 0) return;
  const some = left.slice(0, 10).join(', ');
  throw new CodedError(
    'IMPORT_HALF',
    `the import ended in the middle, and ${left.length} lines stay (${some}): ${why}`,
  );
}

/** Waits for every call that was begun, then throws what the first failed one threw; after it none is begun. */
async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  let next = 0;
  const run = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined && failures.length === 0; item = items[next++]) {
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, run));
  if (failures.length > 0) throw failures[0];
}
