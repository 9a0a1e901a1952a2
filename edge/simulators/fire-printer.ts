import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/** What a panel prints of one happening, its lines in order; its own clock is in front of them. */
export interface PrintedRecord {
  readonly time?: string;
  /** Loop and part, `004-004`; absent: the panel names none. */
  readonly part?: string;
  readonly lines: readonly string[];
}

/** The printer port of a fire panel behind a serial server: GBK text as a GST9000 prints it, one-way. Whatever is written to it is lost. */
export interface FirePrinter extends AsyncDisposable {
  readonly port: number;
  /** Who listens now. */
  readonly listeners: number;
  print(record: PrintedRecord): void;
  fire(place: string, part?: string): void;
  reset(): void;
  /** Bytes as they are: noise, half a record. */
  raw(bytes: Uint8Array): void;
}

const escapeByte = 0x1b;

export async function startFirePrinter(options: {
  readonly host: string;
  readonly port: number;
}): Promise<FirePrinter> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    socket.resume();
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const address = server.address();
  const raw = (bytes: Uint8Array) => {
    for (const socket of sockets) socket.write(bytes);
  };
  const print = ({ time = '26/11/23  10:15', part = '', lines }: PrintedRecord) =>
    // ESC 6 chooses the small letters, ESC 9 the Chinese ones; a blank line ends the record.
    raw(
      Buffer.concat([
        Buffer.from([escapeByte, 0x36]),
        gbk(`${time}\n  ${part}\n`),
        Buffer.from([escapeByte, 0x39]),
        gbk(`${lines.join('\n')}\n\n`),
      ]),
    );
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    get listeners() {
      return sockets.size;
    },
    raw,
    print,
    fire: (place, part = '004-004') => print({ part, lines: ['首次火警', place, '感烟探测器'] }),
    reset: () => print({ lines: ['系统复位'] }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Bytes of each character, from the decoder of the platform: the driver's own table is not asked. */
let table: ReadonlyMap<string, readonly number[]> | undefined;

function gbk(text: string): Buffer {
  table ??= gbkTable();
  const bytes = [...text].flatMap((letter) => {
    const code = letter.codePointAt(0) ?? 0;
    return code < 0x80 ? [code] : (table?.get(letter) ?? [0x3f]);
  });
  return Buffer.from(bytes);
}

function gbkTable(): Map<string, readonly number[]> {
  const decoder = new TextDecoder('gbk');
  const found = new Map<string, readonly number[]>();
  for (let lead = 0x81; lead <= 0xfe; lead++)
    for (let trail = 0x40; trail <= 0xfe; trail++) {
      const letter = decoder.decode(Uint8Array.of(lead, trail));
      if ([...letter].length === 1 && letter !== '\uFFFD' && !found.has(letter)) found.set(letter, [lead, trail]);
    }
  return found;
}
