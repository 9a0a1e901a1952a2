import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { createServer as createTcp, type Socket } from 'node:net';

export const tokenPaLogin = { username: 'campus', password: 'kept-in-a-file' };

/**
 * What goes wrong with the requests after the login. `cut`: carried out, and the connection ends without an answer; `half`: half an answer;
 * `page`: a page to log in, with 200; `moved`: to another host; `error`: 500 before anything is done; `denied`: 401 whatever the token.
 */
export type TokenPaFault =
  | 'cut'
  | 'half'
  | 'page'
  | 'moved'
  | 'error'
  | 'denied'
  | 'huge'
  | 'slow'
  | 'mute'
  | 'offline';

interface Terminal {
  task: string | null;
  muted: boolean;
  busy: boolean;
  volume: number;
}

export interface TokenPa extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Of all requests but logins. */
  fault: TokenPaFault | null;
  /** One for each request to play, in turn; before `fault`. */
  readonly next: TokenPaFault[];
  /** Tasks that were begun: a task of an id that it knows is not begun again. */
  readonly begun: readonly string[];
  readonly terminal: Terminal;
  readonly media: Map<string, Buffer>;
  /** Names, as they were put there. */
  readonly uploads: readonly string[];
  /** A store that keeps something else than it was given. */
  spoils: boolean;
  readonly logins: number;
  readonly requests: number;
  /** Requests with a token that it does not know. */
  readonly denied: number;
  forgetTokens(): void;
}

/** A server with an envelope `{successful, data}`, a token by a login, terminals, tasks with ids, and a store of clips. */
export async function startTokenPa(
  options: {
    readonly port?: number;
    readonly tls?: { key: string; cert: string };
    readonly media?: string;
    readonly seconds?: number;
  } = {},
): Promise<TokenPa> {
  const tokens = new Set<string>();
  const known = new Set<string>();
  const begun: string[] = [];
  const uploads: string[] = [];
  const { seconds = 600 } = options;
  const counts = { logins: 0, requests: 0, denied: 0 };

  const say = (response: ServerResponse, status: number, data: unknown, more: object = {}) =>
    response
      .writeHead(status, { 'content-type': 'application/json', connection: 'close' })
      .end(JSON.stringify({ successful: status === 200, data, ...more }));

  function logIn(body: string, response: ServerResponse): void {
    counts.logins++;
    const { username, password } = JSON.parse(body);
    if (username !== tokenPaLogin.username || password !== tokenPaLogin.password) return void say(response, 403, null);
    const token = randomBytes(12).toString('hex');
    tokens.add(token);
    say(response, 200, { token, seconds });
    setTimeout(() => tokens.delete(token), seconds * 1_000).unref();
  }

  function play(body: string): string | null {
    const { id, media, terminal } = JSON.parse(body);
    if (options.media !== undefined && !self.media.has(media)) return `there is no ${media}`;
    if (known.has(id)) return null;
    known.add(id);
    begun.push(`${terminal} ${media}`);
    if (!self.terminal.busy) self.terminal.task = id;
    return null;
  }

  function carryOut(method: string, path: string, body: Buffer): [number, unknown, object?] {
    const text = body.toString('utf8');
    const clip = /^\/api\/media\/([^/]+)$/.exec(path)?.[1];
    if (path === '/api/media') {
      const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
      return [200, [...self.media].map(([name, bytes]) => ({ name, size: bytes.length, sha256: sha256(bytes) }))];
    }
    if (clip !== undefined && method === 'PUT') {
      uploads.push(decodeURIComponent(clip));
      self.media.set(decodeURIComponent(clip), self.spoils ? body.subarray(1) : body);
      return [200, null];
    }
    if (path === '/api/tasks') {
      const no = play(text);
      return no === null ? [200, null] : [404, null, { msg: no }];
    }
    if (path === '/api/tasks/stop') self.terminal.task = null;
    if (path.endsWith('/volume')) self.terminal.volume = JSON.parse(text).volume;
    const { task, muted, busy } = self.terminal;
    return [200, { online: self.fault !== 'offline', playing: task !== null || busy, muted, busy, task }];
  }

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    const { method = '', url = '/' } = request;
    if (url === '/api/login') return logIn(body.toString('utf8'), response);
    counts.requests++;
    const fault = (url === '/api/tasks' ? self.next.shift() : undefined) ?? self.fault;
    if (fault === 'denied' || !tokens.has(String(request.headers.token))) {
      counts.denied++;
      return void say(response, 401, null);
    }
    if (fault === 'mute') return;
    if (fault === 'error') return void response.writeHead(500, { connection: 'close' }).end('it hurts');
    if (fault === 'page')
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<form><input type="password"></form>');
    if (fault === 'moved') return void response.writeHead(307, { location: 'http://192.0.2.66/steal?token=x' }).end();
    if (fault === 'huge') return void response.writeHead(200).end(Buffer.alloc(10_000_000, 'x'));
    const [status, data, more] = carryOut(method, url, body);
    if (fault === 'cut') return void response.destroy();
    if (fault === 'half') {
      response.writeHead(200, { 'content-length': '500' }).write('{"successful":true,');
      return void setImmediate(() => response.destroy());
    }
    if (fault === 'slow') return void setTimeout(() => say(response, status, data, more), 600);
    say(response, status, data, more);
  }

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    take(request, response).catch(() => response.destroy());
  };
  const { tls } = options;
  const server = tls === undefined ? createServer(onRequest) : createSecure(tls, onRequest);
  const port = await listening(server, options.port ?? 0);
  const self: TokenPa = {
    ...{
      url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
      port,
      fault: null,
      next: [],
      begun,
      uploads,
    },
    ...{ terminal: { task: null, muted: false, busy: false, volume: 50 }, media: new Map(), spoils: false },
    get logins() {
      return counts.logins;
    },
    get requests() {
      return counts.requests;
    },
    get denied() {
      return counts.denied;
    },
    forgetTokens: () => tokens.clear(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((closed) => server.close(() => closed()));
    },
  };
  return self;
}

export interface TcpPa extends AsyncDisposable {
  readonly url: string;
  readonly lines: readonly string[];
  playing: string | null;
  muted: boolean;
  /** `half`: a line without its end; `deaf`: no answer; `cut`: carried out, and hung up on, once. */
  fault: 'half' | 'deaf' | 'cut' | 'garbage' | null;
}

/** A loudspeaker that takes lines of JSON over TCP, with numbers for its clips. */
export async function startTcpPa(): Promise<TcpPa> {
  const lines: string[] = [];
  const ids = new Set<string>();
  const sockets = new Set<Socket>();

  function carryOut(line: string): void {
    const { cmd, id, clip, volume } = JSON.parse(line);
    if (cmd === 'stop') self.playing = null;
    if (cmd !== 'status' && !ids.has(id)) lines.push(`${cmd} ${clip ?? ''} ${volume ?? ''}`.trim());
    if (cmd !== 'play') return;
    ids.add(id);
    self.playing = id;
  }

  function answer(socket: Socket, line: string): void {
    const { fault } = self;
    const isPlay = line.includes('"play"');
    if (fault === 'deaf') return;
    if (fault === 'garbage') return void socket.write('ERR 5\n');
    carryOut(line);
    if (fault === 'cut' && isPlay) {
      self.fault = null;
      return void socket.destroy();
    }
    const { playing, muted } = self;
    const text = JSON.stringify({ ok: true, playing: playing !== null, id: playing, muted, busy: false });
    if (fault === 'half') return void socket.end(text.slice(0, 12));
    socket.write(`${text}\r\n`);
  }

  const server = createTcp((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (part) => {
      text += part.toString('utf8');
      const cut = text.indexOf('\n');
      if (cut !== -1) answer(socket, text.slice(0, cut));
    });
  });
  const port = await listening(server, 0);
  const self: TcpPa = {
    ...{ url: `tcp://127.0.0.1:${port}`, lines, playing: null, muted: false, fault: null },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((closed) => server.close(() => closed()));
    },
  };
  return self;
}

async function listening(server: ReturnType<typeof createTcp>, port: number): Promise<number> {
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', done);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
