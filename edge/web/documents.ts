import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import type { DocumentBody, DocumentKind } from '#edge/store/documents.ts';
import { actorOf } from './access.ts';

/** How somebody changes what people set: core checks, writes and audits it. */
export interface Change<K extends DocumentKind> {
  readonly kind: K;
  readonly id: string;
  /** As the caller saw it, 0 when there was none. */
  readonly rev: number;
  /** null removes it. */
  readonly body: DocumentBody<K> | null;
  readonly why?: string;
  /** The audit's words, when `<kind>.change <id>` does not say it. */
  readonly what?: string;
}

const answer = z.object({ rev: z.int() });

/** Resolves with the new revision once it is on disk. Throws DOCUMENT_CHANGED when it was changed meanwhile. */
export async function putDocument<K extends DocumentKind>(
  rpc: RpcClient,
  request: Pick<FastifyRequest, 'principal' | 'ip'>,
  { why = '', ...change }: Change<K>,
): Promise<number> {
  return answer.parse(await rpc.call('document.put', { ...change, why, ...actorOf(request) })).rev;
}

/** A line of the audit about what is not a document: an export, a try, a back-up. */
export async function audit(
  rpc: RpcClient,
  request: Pick<FastifyRequest, 'principal' | 'ip'>,
  line: { readonly what: string; readonly why?: string; readonly result: string },
): Promise<void> {
  const { what, why = '', result } = line;
  const clip = (text: string) => text.slice(0, 300);
  await rpc.call('audit', { ...actorOf(request), what: clip(what), why: clip(why), result: clip(result) });
}
