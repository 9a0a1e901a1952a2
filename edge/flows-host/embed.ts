import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import RED from 'node-red';
import waitForFlows from 'node-red-embedded-start';
import type { Bus } from '#edge/bus/bus.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { readIfThere, writeAtomically } from './atomic-file.ts';
import { openGuest } from './guest.ts';
import { registerGuest } from './registry.ts';
import { editorRoot, nodeRedSettings, tokenHeader, tokenReader } from './settings.ts';
import { type Deployment, openStorage } from './storage.ts';

export interface FlowsOptions {
  /** Loopback addresses; default 127.0.0.1. One that this machine does not have is left out if there is another. */
  readonly hosts?: readonly string[];
  /** 0 takes a free one. */
  readonly port: number;
  readonly flowsFolder: string;
  readonly stateFolder: string;
  /** Connected as the client `flows`. */
  readonly bus: Bus;
  /** New at each start; the web process sends it as `x-campus-token: <secret>:<user>`. */
  readonly proxySecret: string;
  readonly log: Log;
  readonly clock: Clock;
  /** The editor opens, the flows do not run: after a crash loop. */
  readonly safeMode: boolean;
  /** Seconds after which a function node's endless loop is broken; default 2, 0 = never. Does not see asynchronous loops. */
  readonly functionTimeout?: number;
  readonly onDeploy?: (deployment: Deployment) => void;
}

export interface FlowsHost extends AsyncDisposable {
  readonly port: number;
  /** Why the flows do not run though the editor is there (missing node types, safe mode); null when they run. */
  readonly problem: string | null;
}

const startTimeout = 30_000;
let isUsed = false;

/**
 * Starts Node-RED in this process and waits until its flows run, or until it says why they do not: then `problem` says so,
 * because only the editor can mend them. Throws FLOWS_START_TIMEOUT, FLOWS_PORT_TAKEN, FLOWS_HOST_MISSING, FLOWS_ONCE, and what the bus throws.
 * Node-RED can be started once in the life of a process.
 */
export async function startFlows(options: FlowsOptions): Promise<FlowsHost> {
  if (isUsed) throw new CodedError('FLOWS_ONCE', 'Node-RED can be started only once in a process');
  const { bus, clock, log, proxySecret, flowsFolder, stateFolder } = options;
  if (proxySecret.length < 16)
    throw new CodedError('FLOWS_SECRET', 'the proxy secret must have at least 16 characters');
  await using stack = new AsyncDisposableStack();
  await prepareFolder(stateFolder);
  const guest = stack.use(await openGuest({ bus, client: 'flows', clock, log }));
  const { onDeploy } = options;
  const storage = openStorage({ flowsFolder, stateFolder, log, ...(onDeploy === undefined ? {} : { onDeploy }) });
  const readToken = tokenReader(proxySecret);
  const settings = nodeRedSettings({
    stateFolder,
    storage,
    credentialSecret: await credentialSecret(stateFolder),
    readToken,
    guestToken: registerGuest(guest),
    log,
    clock,
    safeMode: options.safeMode,
    functionTimeout: options.functionTimeout ?? 2,
  });
  // Node-RED listens for upgrades on this one, which itself never listens: only what the gate lets through reaches it.
  const inner = createServer();
  isUsed = true;
  RED.init(inner, settings);
  const front = await listenAll(() => gate(readToken, inner), options.hosts ?? ['127.0.0.1'], options.port, stack);
  stack.defer(() => within(5000, 'stopping Node-RED', RED.stop()));
  const running = flowsStarted();
  await within(startTimeout, 'starting Node-RED', RED.start());
  const problem = await running.then(confirmLoaded, (error: unknown) => {
    if (codeOf(error) !== 'FLOWS_NOT_RUNNING') throw error;
    return messageOf(error);
  });
  if (problem !== null) log.error({ problem }, 'flows do not run');
  const owned = stack.move();
  return {
    port: front,
    problem,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Resolves when the flows run; rejects with FLOWS_NOT_RUNNING or FLOWS_START_TIMEOUT. Must be called before RED.start(). */
function flowsStarted(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = `flows did not start within ${startTimeout / 1000} s`;
  const timer = setTimeout(() => reject(new CodedError('FLOWS_START_TIMEOUT', late)), startTimeout);
  const onState = (event: { id?: string; payload?: { error?: string; types?: unknown; modules?: unknown } }) => {
    const error = event.id === 'runtime-state' ? event.payload?.error : undefined;
    if (error === undefined) return;
    const detail = event.payload?.types ?? event.payload?.modules;
    const what = detail === undefined ? error : `${error}: ${JSON.stringify(detail)}`;
    reject(new CodedError('FLOWS_NOT_RUNNING', what));
  };
  RED.events.once('flows:started', resolve);
  RED.events.on('runtime-event', onState);
  // RED.start() may fail first, and then nobody waits for this.
  promise.catch(() => undefined);
  return promise.finally(() => {
    clearTimeout(timer);
    RED.events.off('flows:started', resolve);
    RED.events.off('runtime-event', onState);
  });
}

/**
 * node-red-embedded-start 1.0.1 waits in a way that no Node-RED since 1.0 has, but it looks whether flows are loaded first: after
 * our own wait that is a confirmation, and a contradiction would be an error here.
 */
async function confirmLoaded(): Promise<null> {
  return waitForFlows(RED, startTimeout, null);
}

/** Nothing of Node-RED, not even its static files, is seen without the token; the editor's own check comes after. */
function gate(readToken: ReturnType<typeof tokenReader>, inner: Server): Server {
  const isAllowed = (request: IncomingMessage) => {
    const header = request.headers[tokenHeader];
    return readToken(typeof header === 'string' ? header : undefined) !== null;
  };
  const refuse = (response: ServerResponse, status: number, error: string) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
  };
  const server = createServer((request, response) => {
    if (!isAllowed(request)) return refuse(response, 401, `${tokenHeader} is missing or wrong`);
    const url = request.url ?? '/';
    const rest = url.slice(editorRoot.length);
    if (!url.startsWith(editorRoot) || !/^([/?]|$)/.test(rest))
      return refuse(response, 404, `only ${editorRoot} is here`);
    // What Express does for an application that is mounted below a path.
    const mounted = Object.assign(request, { originalUrl: url, baseUrl: editorRoot });
    mounted.url = rest.startsWith('/') ? rest : `/${rest}`;
    RED.httpAdmin(mounted, response);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (isAllowed(request) && request.url?.split('?')[0] === `${editorRoot}/comms`) {
      inner.emit('upgrade', request, socket, head);
    } else {
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n');
    }
  });
  return server;
}

/** The port on which all of them listen. */
async function listenAll(
  create: () => Server,
  hosts: readonly string[],
  port: number,
  stack: AsyncDisposableStack,
): Promise<number> {
  let taken = port;
  let missing: unknown = null;
  let count = 0;
  for (const host of hosts) {
    try {
      const server = await listen(create(), host, taken);
      stack.defer(() => closeServer(server));
      const address = server.address();
      if (typeof address === 'object' && address !== null) taken = address.port;
      count++;
    } catch (error) {
      if (codeOf(error) !== 'FLOWS_HOST_MISSING') throw error;
      missing = error;
    }
  }
  if (count === 0) throw missing;
  return taken;
}

async function listen(server: Server, host: string, port: number): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (cause) => {
    const isMissing = ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(cause));
    const what = `the flow editor cannot listen on ${host} port ${port} (flows.port in the site file): ${cause.message}`;
    reject(new CodedError(isMissing ? 'FLOWS_HOST_MISSING' : 'FLOWS_PORT_TAKEN', what, { cause }));
  });
  server.listen(port, host, resolve);
  await promise;
  return server;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Node-RED logs an error at each start when its folder has no package.json. */
async function prepareFolder(stateFolder: string): Promise<void> {
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  const file = join(stateFolder, 'package.json');
  if ((await readIfThere(file)) === null) {
    await writeAtomically(file, '{ "name": "campus-flows-state", "private": true, "version": "0.0.1" }\n');
  }
}

/** Losing it loses every password that is in a flow, so it is made once and kept beside them, readable to this user only. */
async function credentialSecret(stateFolder: string): Promise<string> {
  const file = join(stateFolder, 'credential-secret');
  const known = (await readIfThere(file))?.trim();
  if (known !== undefined && known !== '') return known;
  const fresh = randomBytes(32).toString('hex');
  await writeAtomically(file, `${fresh}\n`, 0o600);
  return fresh;
}
