import { z } from 'zod';
import type { Right, Zones } from '#edge/domain/access.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import { type DocumentKind, documentSchemas } from '#edge/store/documents.ts';
import type { Store } from '#edge/store/store.ts';
import { startWebRoom, type WebRoom, type WebRoomOptions } from './web-room.ts';

/* A web room whose core keeps documents and the audit in the real store, and people with tokens of their own. */

export interface PlaceRoom extends WebRoom {
  /** Lines of the audit, as core was asked to write them, oldest first. */
  readonly audited: { readonly who: string; readonly what: string; readonly why: string; readonly result: string }[];
  /** As a machine with these rights in these zones. */
  as(rights: readonly Right[], zones?: Zones): Promise<(path: string, init?: RequestInit) => Promise<Response>>;
  readonly open: Store;
}

const putParams = z.object({
  kind: z.string(),
  id: z.string(),
  rev: z.number(),
  body: z.record(z.string(), z.unknown()).nullable(),
  who: z.string(),
  from: z.string(),
  why: z.string(),
  what: z.string().optional(),
});

export async function startPlaceRoom(options: WebRoomOptions = {}): Promise<PlaceRoom> {
  const audited: { who: string; what: string; why: string; result: string }[] = [];
  let store: Store | null = null;
  const open = (): Store => {
    if (store === null) throw new CodedError('STORE_NOT_READY', 'the test room is not open yet');
    return store;
  };
  const methods: Record<string, RpcMethod> = {
    'document.put': async (params) => {
      const { kind, body, what, ...put } = putParams.parse(params);
      const schema = documentSchemas[kind as DocumentKind];
      const checked = body === null ? null : schema.parse(body);
      const words = what === undefined ? {} : { what };
      const change = { ...put, ...words, kind: kind as DocumentKind, body: checked, time: systemClock.now() };
      await open().append({ documents: [change] });
      return { rev: body === null ? 0 : put.rev + 1 };
    },
    audit: async (params) => {
      const line = z
        .object({ who: z.string(), from: z.string(), what: z.string(), why: z.string(), result: z.string() })
        .parse(params);
      audited.push(line);
      await open().append({ audit: [{ ...line, time: systemClock.now() }] });
      return {};
    },
    ...options.methods,
  };
  const room = await startWebRoom({ ...options, methods });
  store = room.store;
  let tokens = 0;
  return {
    ...room,
    audited,
    get open() {
      return open();
    },
    async as(scopes, zones = 'all') {
      const id = `machine-${++tokens}`;
      const answer = await room.ask('/api/v1/tokens', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id, name: id, scopes, zones }),
      });
      const { secret } = z.object({ secret: z.string() }).parse(await answer.json());
      return (path, init = {}) =>
        room.ask(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${secret}` } });
    },
    [Symbol.asyncDispose]: () => room[Symbol.asyncDispose](),
  };
}

export const jsonBody = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
