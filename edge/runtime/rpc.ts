import { chmodSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { z } from 'zod';
import { CodedError, codeOf, messageOf } from './errors.ts';
import { within } from './lifecycle.ts';
import type { Log } from './log.ts';
import { loadKeys, mayCall, readKey, scopeOf } from './rpc-keys.ts';

/*
 * The local RPC between our own processes: JSON lines over a Unix socket that only this user may open, the first of
 * them `{key}` (rpc-keys.ts). A call is answered when its effect is on disk; there is no queue, and a call made while
 * the server is away fails at once.
 */

export type RpcMethod = (params: unknown) => Promise<unknown>;

const maxLine = 1_000_000;
const maxOpenCalls = 1_000;
/** Connections that have not shown their key; one more ends the oldest. Ours show it with their first bytes. */
const mostKeyless = 16;
/** How long they may take, ms. */
const keyTimeout = 2_000;

const keySchema = z.strictObject({ key: z.string().max(256) });
const callSchema = z.strictObject({ id: z.int(), method: z.string(), params: z.unknown() });
const answerSchema = z.strictObject({
  id: z.int(),
  result: z.unknown().optional(),
  error: z.strictObject({ code: z.string(), message: z.string() }).optional(),
});

export interface RpcServer extends AsyncDisposable {}

/**
 * Listens on a socket file (replaced if a dead process left one; mode 0600), with its keys in `<path>.keys`. Throws
 * RPC_SOCKET when it cannot.
 */
export async function startRpcServer(options: {
  readonly path: string;
  readonly methods: Readonly<Record<string, RpcMethod>>;
  readonly log: Log;
}): Promise<RpcServer> {
  const { path, methods, log } = options;
  const keys = openKeys(path, Object.keys(methods));
  const sockets = new Set<Socket>();
  const keyless = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    keyless.add(socket);
    const [oldest] = keyless;
    if (keyless.size > mostKeyless) oldest?.destroy();
    const late = setTimeout(() => socket.destroy(), keyTimeout);
    socket.on('close', () => {
      clearTimeout(late);
      sockets.delete(socket);
      keyless.delete(socket);
    });
    socket.on('error', () => socket.destroy());
    let scope: string | null = null;
    readLines(socket, (line) => {
      if (scope !== null) return void answer(socket, line, scope, methods, log);
      scope = scopeOf(keys, keySchema.parse(JSON.parse(line)).key);
      if (scope === null) throw new CodedError('RPC_KEY', 'this key opens nothing');
      clearTimeout(late);
      keyless.delete(socket);
    });
  });
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new CodedError('RPC_SOCKET', `cannot listen on ${path}: ${error.message}`, { cause: error })),
    );
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function openKeys(path: string, methods: readonly string[]): ReadonlyMap<string, string> {
  try {
    return loadKeys(path, methods);
  } catch (error) {
    throw new CodedError('RPC_SOCKET', `cannot keep the keys of ${path}: ${messageOf(error)}`, { cause: error });
  }
}

async function answer(
  socket: Socket,
  line: string,
  scope: string,
  methods: Readonly<Record<string, RpcMethod>>,
  log: Log,
): Promise<void> {
  let id = 0;
  try {
    const call = callSchema.parse(JSON.parse(line));
    id = call.id;
    const method = Object.hasOwn(methods, call.method) ? methods[call.method] : undefined;
    if (method === undefined) throw new CodedError('RPC_UNKNOWN_METHOD', `there is no method "${call.method}"`);
    if (!mayCall(scope, call.method)) {
      throw new CodedError('RPC_NOT_GRANTED', `this caller may not call "${call.method}"`);
    }
    const result = await method(call.params);
    socket.write(`${JSON.stringify({ id, result: result ?? {} })}\n`);
  } catch (error) {
    if (!(error instanceof CodedError)) log.error({ error }, 'rpc call failed');
    const code = error instanceof CodedError ? error.code : 'RPC_FAILED';
    if (!socket.destroyed) socket.write(`${JSON.stringify({ id, error: { code, message: messageOf(error) } })}\n`);
  }
}

export interface RpcClient extends AsyncDisposable {
  /** Rejects with the server's coded error, RPC_AWAY (nobody listens), or TIMEOUT. */
  call(method: string, params: object, timeoutMs?: number): Promise<unknown>;
}

interface OpenCall {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Connects when first called and again after a break; needs no server to be made. With `method`, that one only may be
 * called, and only its key must be readable to this process.
 */
export function connectRpc(path: string, method?: string): RpcClient {
  let socket: Socket | null = null;
  let nextId = 1;
  const open = new Map<number, OpenCall>();

  const settle = (line: string): void => {
    const parsed = answerSchema.parse(JSON.parse(line));
    const call = open.get(parsed.id);
    open.delete(parsed.id);
    if (parsed.error !== undefined) call?.reject(new CodedError(parsed.error.code, parsed.error.message));
    else call?.resolve(parsed.result);
  };

  const connect = (): Socket => {
    const key = readKey(path, method);
    const fresh = createConnection(path);
    let reason: unknown;
    fresh.on('error', (error) => {
      reason = error;
    });
    fresh.on('close', () => {
      if (socket === fresh) socket = null;
      const away = new CodedError('RPC_AWAY', `core does not answer (${codeOf(reason) || 'connection closed'})`);
      for (const call of open.values()) call.reject(away);
      open.clear();
    });
    readLines(fresh, settle);
    fresh.write(`${JSON.stringify({ key })}\n`);
    return fresh;
  };

  return {
    async call(method, params, timeoutMs = 10_000) {
      if (open.size >= maxOpenCalls) throw new CodedError('RPC_BUSY', `${maxOpenCalls} calls are already waiting`);
      socket ??= connect();
      const id = nextId++;
      const answered = new Promise<unknown>((resolve, reject) => open.set(id, { resolve, reject }));
      socket.write(`${JSON.stringify({ id, method, params })}\n`);
      try {
        return await within(timeoutMs, `the call "${method}"`, answered);
      } finally {
        open.delete(id);
      }
    },
    async [Symbol.asyncDispose]() {
      socket?.destroy();
    },
  };
}

/** Splits a stream into lines; a line over the cap, or one that throws, ends the connection. */
function readLines(socket: Socket, onLine: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    rest += chunk;
    let cut = rest.indexOf('\n');
    while (cut >= 0) {
      const line = rest.slice(0, cut);
      rest = rest.slice(cut + 1);
      try {
        onLine(line);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(messageOf(error)));
        return;
      }
      cut = rest.indexOf('\n');
    }
    if (rest.length > maxLine)
      socket.destroy(new CodedError('RPC_LINE_TOO_LONG', `a line is over ${maxLine} characters`));
  });
}
