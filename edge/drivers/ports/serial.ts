import type { SerialPort } from 'serialport';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import type { BytePort, PortSource } from './port.ts';

export interface SerialOptions {
  readonly path: string;
  readonly baud: number;
  readonly dataBits: 7 | 8;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
}

/** Unsent bytes after which an adapter that takes nothing is given up: hundreds of requests. */
const maxUnsent = 16 * 1024;
/** An adapter whose driver hangs keeps its close waiting; the line must not wait with it, ms. */
const closePatience = 5_000;

/** A serial line, locked for us alone. Give `/dev/serial/by-id/...`: `/dev/ttyUSB0` is another device after a replug. */
export function serialPort(options: SerialOptions): PortSource {
  const letters = { none: 'N', even: 'E', odd: 'O' } as const;
  const settings = `${options.baud} ${options.dataBits}${letters[options.parity]}${options.stopBits}`;
  const label = `${options.path} at ${settings}`;
  return {
    key: `serial:${options.path}`,
    label,
    settings,
    open: (timeout, signal) => openSerial(options, label, timeout, signal),
  };
}

/** Bits of one character on the wire: start, data, parity, stop. */
export function bitsPerCharacter({ dataBits, parity, stopBits }: Omit<SerialOptions, 'path' | 'baud'>): number {
  return 1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits;
}

async function openSerial(
  options: SerialOptions,
  label: string,
  timeout: number,
  signal: AbortSignal,
): Promise<BytePort> {
  // Native code: loaded only where a site really has a serial line. SerialPort.list() is never called: on hosts without
  // udev it throws from a callback.
  const { SerialPort: Port } = await import('serialport');
  const port = new Port({
    path: options.path,
    baudRate: options.baud,
    dataBits: options.dataBits,
    parity: options.parity,
    stopBits: options.stopBits,
    autoOpen: false,
    lock: true,
  });
  await new Promise<void>((resolve, reject) => {
    const settle = (error: CodedError | null) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (error === null) resolve();
      else reject(error);
    };
    // An open that ends after we gave up must not keep the line locked.
    const giveUp = (error: CodedError) => {
      port.once('open', () => port.close());
      settle(error);
    };
    const onAbort = () => giveUp(new CodedError('PORT_ABORTED', `opening ${label} was given up`));
    const timer = setTimeout(
      () => giveUp(new CodedError('PORT_TIMEOUT', `${label} did not open in ${timeout} ms`)),
      timeout,
    );
    signal.addEventListener('abort', onAbort, { once: true });
    port.open((error) =>
      settle(error ? new CodedError('PORT_UNREACHABLE', `${label}: ${messageOf(error)}`, { cause: error }) : null),
    );
  });
  return wrapSerial(port);
}

function wrapSerial(port: SerialPort): BytePort {
  let fault = 'the port was unplugged';
  const gone = new Promise<void>((resolve) => {
    port.once('close', () => resolve());
  });
  const end = () => {
    if (port.isOpen && !port.closing) port.close();
  };
  port.on('error', (error) => {
    fault = error.message;
    end();
  });
  return {
    write(bytes) {
      if (!port.isOpen) return;
      port.write(bytes);
      if (port.writableLength <= maxUnsent) return;
      fault = 'the adapter takes no more bytes';
      end();
    },
    listen({ data, closed }) {
      port.on('data', data);
      void gone.then(() => closed(fault));
    },
    async [Symbol.asyncDispose]() {
      fault = 'closed by us';
      if (!port.isOpen) return;
      end();
      await within(closePatience, `closing ${port.path}`, gone).catch(() => {}); // its driver hangs: the next open says so
    },
  };
}

/** 3.5 characters of silence end a Modbus frame; above 19200 baud 1.75 ms do (Modbus serial line V1.02, 2.5.1.1). */
export function frameGapOf(options: Omit<SerialOptions, 'path'>): number {
  return options.baud > 19_200 ? 1.75 : (3_500 * bitsPerCharacter(options)) / options.baud;
}
