import { createServer, type Server, type Socket } from 'node:net';

/** `mute`: takes what it is asked and never answers; `garbage`: lines that are no JSON; `endless`: a line without an end. */
export type SnapcastFault = 'none' | 'mute' | 'garbage' | 'endless';

export interface SimulatedClient {
  isConnected: boolean;
  isMuted: boolean;
  volume: number;
  /** The stream of its group; each client is a group of its own. */
  stream: string;
}

export interface SnapcastServer extends AsyncDisposable {
  readonly controlPort: number;
  readonly streamPort: number;
  readonly clients: ReadonlyMap<string, SimulatedClient>;
  fault: SnapcastFault;
  /** Somebody turned a knob, a client went: tells whoever listens. */
  change(client: string, change: Partial<SimulatedClient>): void;
  /** Bytes of sound that came in. */
  readonly bytes: number;
  /** The last of them: 48 kHz, 16 bit, little-endian, two channels. */
  recording(): Buffer;
  /** Methods that it carried out. */
  readonly done: readonly string[];
}

export interface SnapcastOptions {
  readonly controlPort?: number;
  readonly streamPort?: number;
  readonly stream?: string;
  readonly clients?: readonly string[];
}

const longestRecording = 48_000 * 4 * 30;
const idleAfter = 200;

/** What our driver needs of a Snapcast server: a TCP stream source in server mode, and JSON-RPC over TCP. Plays to nobody. */
export async function startSnapcast(options: SnapcastOptions = {}): Promise<SnapcastServer> {
  const stream = options.stream ?? 'hall';
  const clients = new Map<string, SimulatedClient>(
    (options.clients ?? ['left']).map((id) => [
      id,
      { isConnected: true, isMuted: false, volume: 100, stream: 'default' },
    ]),
  );
  const sockets = new Set<Socket>();
  const listeners = new Set<Socket>();
  const done: string[] = [];
  let recording = Buffer.alloc(0);
  let bytes = 0;
  let lastAt = Number.NEGATIVE_INFINITY;

  const status = () => ({
    server: {
      groups: [...clients].map(([id, one]) => ({
        ...{ id: `group-${id}`, muted: false, name: '', stream_id: one.stream },
        clients: [
          {
            ...{ id, connected: one.isConnected, host: { name: id } },
            config: { name: '', latency: 0, volume: { muted: one.isMuted, percent: one.volume } },
          },
        ],
      })),
      server: { snapserver: { name: 'Snapserver', version: 'simulated' } },
      streams: [
        { id: 'default', status: 'idle' },
        { id: stream, status: performance.now() - lastAt < idleAfter ? 'playing' : 'idle' },
      ],
    },
  });

  function notify(method: string): void {
    const line = `${JSON.stringify({ jsonrpc: '2.0', method, params: {} })}\r\n`;
    for (const socket of listeners) socket.write(line);
  }

  interface Params {
    readonly id?: string;
    readonly stream_id?: string;
    readonly volume?: { readonly muted: boolean; readonly percent: number };
  }
  function carryOut(method: string, params: Params): unknown {
    const client = clients.get((params.id ?? '').replace(/^group-/, ''));
    if (method === 'Server.GetStatus') return status();
    if (client === undefined) return null;
    done.push(method);
    if (method === 'Group.SetStream') client.stream = params.stream_id ?? '';
    if (method === 'Client.SetVolume' && params.volume !== undefined)
      Object.assign(client, { isMuted: params.volume.muted, volume: params.volume.percent });
    queueMicrotask(() => notify('Server.OnUpdate'));
    return {};
  }

  function answer(socket: Socket, line: string): void {
    const { id, method, params = {} } = JSON.parse(line) as { id: number; method: string; params?: Params };
    if (self.fault === 'mute') return;
    if (self.fault === 'garbage') socket.write('<html>\r\n');
    else if (self.fault === 'endless') socket.write('x'.repeat(3_000_000));
    else socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: carryOut(method, params) })}\r\n`);
  }

  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      listeners.delete(socket);
    });
  };
  const control = createServer((socket) => {
    keep(socket);
    listeners.add(socket);
    let rest = '';
    socket.on('data', (data) => {
      const lines = (rest + String(data)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) answer(socket, line);
    });
  });
  const source = createServer((socket) => {
    keep(socket);
    socket.on('data', (data: Buffer) => {
      bytes += data.length;
      lastAt = performance.now();
      recording = Buffer.concat([recording, data]).subarray(-longestRecording);
    });
  });
  const controlPort = await listen(control, options.controlPort ?? 0);
  const streamPort = await listen(source, options.streamPort ?? 0);
  const self: SnapcastServer = {
    ...{ controlPort, streamPort, clients, done, fault: 'none' as SnapcastFault },
    get bytes() {
      return bytes;
    },
    change(id, change) {
      Object.assign(clients.get(id) ?? {}, change);
      notify('Client.OnVolumeChanged');
    },
    recording: () => recording,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([control, source].map((one) => new Promise<void>((resolve) => one.close(() => resolve()))));
    },
  };
  return self;
}

async function listen(server: Server, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
