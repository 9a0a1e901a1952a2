import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/** A Samsung display on its network socket, as its MDC protocol says: it takes its time to come on, and answers every frame. */
export interface MdcDisplay extends AsyncDisposable {
  readonly port: number;
  readonly isOn: boolean;
  readonly input: number;
  deaf(on: boolean): void;
  /** It refuses everything (NAK). */
  stubborn(on: boolean): void;
}

const sumOf = (bytes: readonly number[]) => bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0);

export async function startMdcDisplay(options: { readonly host: string; readonly port: number }): Promise<MdcDisplay> {
  const state = { isOn: false, input: 0x14, isDeaf: false, isStubborn: false };
  const sockets = new Set<Socket>();
  const answer = (command: number, data: readonly number[]): number[] | null => {
    const [value] = data;
    if (command === 0x11) {
      if (value !== undefined && !state.isStubborn) state.isOn = value === 1;
      return [state.isOn ? 1 : 0];
    }
    if (command !== 0x14 || (value !== undefined && !state.isOn)) return null;
    if (value !== undefined) state.input = value;
    return [state.input];
  };
  const frame = (command: number, data: readonly number[]): Buffer => {
    const said = state.isStubborn ? null : answer(command, data);
    const body = said === null ? [0xff, 1, 3, 0x4e, command, 0] : [0xff, 1, 3, 0x41, command, ...said];
    return Buffer.from([0xaa, ...body, sumOf(body)]);
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (state.isDeaf) return void socket.destroy();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    let bytes: number[] = [];
    socket.on('data', (more) => {
      bytes.push(...more);
      while (bytes.length >= 5 && bytes.length >= 5 + (bytes[3] ?? 0)) {
        const length = 5 + (bytes[3] ?? 0);
        const [head, command = 0, , , ...rest] = bytes.slice(0, length);
        const isGood = head === 0xaa && sumOf(bytes.slice(1, length - 1)) === bytes[length - 1];
        bytes = bytes.slice(length);
        // A frame with a wrong sum is not heard at all.
        if (isGood) socket.write(frame(command, rest.slice(0, -1)));
      }
    });
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    get isOn() {
      return state.isOn;
    },
    get input() {
      return state.input;
    },
    deaf(on) {
      state.isDeaf = on;
      if (on) for (const socket of sockets) socket.destroy();
    },
    stubborn(on) {
      state.isStubborn = on;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
