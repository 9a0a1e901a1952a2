import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/** An LED board that shows each line as it comes: GBK over TCP, nothing is ever answered. */
export interface TextBoard extends AsyncDisposable {
  readonly port: number;
  /** What it shows now. */
  readonly text: string;
  /** Lines so far. */
  readonly lines: number;
  /** Its supply fails: what it showed is gone, and nobody answers. */
  dark(on: boolean): void;
}

const longest = 4_096;

export async function startTextBoard(options: { readonly host: string; readonly port: number }): Promise<TextBoard> {
  const state = { text: '', lines: 0, isDark: false };
  const sockets = new Set<Socket>();
  const decoder = new TextDecoder('gbk');
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (state.isDark) return void socket.destroy();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    let bytes = Buffer.alloc(0);
    socket.on('data', (more) => {
      bytes = Buffer.concat([bytes, more]);
      for (let cut = bytes.indexOf('\r\n'); cut >= 0; cut = bytes.indexOf('\r\n')) {
        state.text = decoder.decode(bytes.subarray(0, cut));
        state.lines++;
        bytes = bytes.subarray(cut + 2);
      }
      if (bytes.length > longest) socket.destroy();
    });
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    get text() {
      return state.text;
    },
    get lines() {
      return state.lines;
    },
    dark(on) {
      state.isDark = on;
      if (on) state.text = '';
      if (on) for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
