import type { ChildProcess } from 'node:child_process';

/** Bytes in one second; all that a child has to say is below 1 kB a second. */
const mostBytes = 1_000_000;

export interface ChannelGuard {
  /** A new second begins. */
  reset(): void;
}

interface ChannelHandle {
  onread: ((...input: [ArrayBuffer | undefined]) => void) | null;
  /** An open file that came with the bytes. */
  pendingHandle?: { close(): void } | null;
}

/**
 * Node parses what comes over the IPC channel inside a callback of the socket: a line that is not JSON, or one longer
 * than a string can be, ends the *parent*, and no event lets it be caught. A flow needs one `fs.writeSync(3, 'x\n')` for
 * that. Its own words (`NODE_HANDLE_ACK`) end the parent as well when nobody asked for them, and open files that are
 * passed on would fill our table. The handle is reached through Node's own symbol, for want of a documented way; the
 * supervisor's tests with children that try each of these tell when that has changed.
 */
export function guardChannel(child: ChildProcess, onBroken: (why: string) => void): ChannelGuard {
  let bytes = 0;
  const reset = (): void => {
    bytes = 0;
  };
  child.removeAllListeners('internalMessage'); // only for passing open files, which nobody here does
  const handle = handleOf(child);
  const read = handle?.onread;
  if (handle === undefined || typeof read !== 'function') return { reset };
  const stop = (why: string): void => {
    handle.onread = () => {};
    onBroken(why);
    setImmediate(() => {
      if (child.connected) child.disconnect();
    });
  };
  handle.onread = function onRead(this: unknown, ...input) {
    bytes += input[0]?.byteLength ?? 0;
    if (bytes > mostBytes) return stop('a flood of messages');
    if (handle.pendingHandle) {
      handle.pendingHandle.close();
      handle.pendingHandle = null;
      return stop('an open file that nobody asked for');
    }
    try {
      // Errors of the listeners are thrown elsewhere (process.nextTick): what is caught here is Node's parser.
      Reflect.apply(read, this, input);
    } catch {
      stop('a message that is not JSON');
    }
  };
  return { reset };
}

function handleOf(child: ChildProcess): ChannelHandle | undefined {
  const symbol = Object.getOwnPropertySymbols(child).find(({ description }) => description === 'kChannelHandle');
  return symbol === undefined ? undefined : Reflect.get(child, symbol);
}
