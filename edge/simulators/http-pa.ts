import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export const httpPaLogin = { username: 'campus', password: 'kept-in-a-file' };

/** `lies`: says yes and plays nothing; `mute`: takes requests and never answers; `torn`: half an answer; `moved`: sends elsewhere. */
export type HttpPaFault = 'none' | 'lies' | 'mute' | 'torn' | 'garbage' | 'huge' | 'moved' | 'refuses' | 'busy';

export interface HttpPaServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  fault: HttpPaFault;
  /** What it plays by zone; absent: nothing. */
  readonly playing: ReadonlyMap<string, string>;
  /** Requests that it carried out, as `play <zone> <clip> <level> <repeat>`, `stop <zone>`. */
  readonly done: readonly string[];
  /** As many answers of 401 as it gave. */
  readonly challenges: number;
  /** Its clip came to its end. */
  finish(zone: string): void;
  /** Nonces that were given until now are too old. */
  forgetNonces(): void;
}

/**
 * A loudspeaker with the words of the VAPIX Media clip API (digest, zone ''), and a server of several zones with a JSON envelope
 * `{successful, data}` at /zones/<zone>.
 */
export async function startHttpPa({ port = 0 }: { readonly port?: number } = {}): Promise<HttpPaServer> {
  const playing = new Map<string, string>();
  const done: string[] = [];
  const nonces = new Set<string>();
  let challenges = 0;

  const reply = (response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}) => {
    response.writeHead(status, { connection: 'close', ...headers }).end(text);
  };

  function isKnown({ headers, method = '', url = '' }: IncomingMessage): boolean {
    const said = new Map(
      [...(headers.authorization ?? '').matchAll(/(\w+)="?([^",]*)"?/g)].map(([, k = '', v = '']) => [k, v]),
    );
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    if (!nonces.has(said.get('nonce') ?? '') || said.get('uri') !== url) return false;
    const ha1 = md5(`${httpPaLogin.username}:loudspeaker:${httpPaLogin.password}`);
    const middle = ['nonce', 'nc', 'cnonce', 'qop'].map((key) => said.get(key)).join(':');
    return said.get('response') === md5(`${ha1}:${middle}:${md5(`${method}:${url}`)}`);
  }

  function play(zone: string, clip: string, query: URLSearchParams): void {
    done.push(`play ${zone} ${clip} ${query.get('volume') ?? ''} ${query.get('repeat') ?? ''}`.trim());
    if (self.fault !== 'lies') playing.set(zone, clip);
  }

  function carryOut(url: URL, response: ServerResponse): void {
    const query = url.searchParams;
    const zone = /^\/zones\/([^/]+)$/.exec(url.pathname)?.[1];
    if (zone === undefined && !url.pathname.startsWith('/axis-cgi/')) {
      reply(response, 404, 'not found');
      return;
    }
    const name = decodeURIComponent(zone ?? '');
    const action = query.get('action');
    if (action === 'play') play(name, query.get('clip') ?? '', query);
    if (action === 'stop') {
      done.push(`stop ${name}`.trim());
      playing.delete(name);
    }
    if (zone !== undefined)
      reply(response, 200, JSON.stringify({ successful: true, data: { playing: playing.has(name) } }));
    else reply(response, 200, action === 'play' ? `OK\nplaying=${query.get('clip')}` : 'OK\nstopping');
  }

  const faults: Partial<Record<HttpPaFault, (response: ServerResponse) => void>> = {
    mute: () => {},
    torn: (response) => {
      response.writeHead(200, { 'content-length': '500' }).write('{"succ');
      setImmediate(() => response.destroy());
    },
    garbage: (response) => reply(response, 200, '<html>{{{'),
    huge: (response) => reply(response, 200, 'x'.repeat(1_000_000)),
    moved: (response) => reply(response, 302, '', { location: '/elsewhere' }),
    refuses: (response) => reply(response, 200, JSON.stringify({ successful: false, msg: 'terminal offline' })),
    busy: (response) => reply(response, 503, 'busy'),
  };

  const server = createServer((request, response) => {
    request.resume();
    if (!isKnown(request)) {
      challenges++;
      const nonce = randomBytes(8).toString('hex');
      nonces.add(nonce);
      const header = `Digest realm="loudspeaker", nonce="${nonce}", qop="auth", algorithm=MD5`;
      return reply(response, 401, '', { 'www-authenticate': header });
    }
    const fault = faults[self.fault];
    if (fault !== undefined) return fault(response);
    carryOut(new URL(request.url ?? '/', 'http://localhost'), response);
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', listening);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  const self: HttpPaServer = {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    fault: 'none',
    playing,
    done,
    get challenges() {
      return challenges;
    },
    finish: (zone) => void playing.delete(zone),
    forgetNonces: () => nonces.clear(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((closed) => server.close(() => closed()));
    },
  };
  return self;
}
