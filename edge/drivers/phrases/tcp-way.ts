import { CodedError } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import { tcpPort } from '../ports/tcp.ts';

/** An answer is a few bytes; who says more is something else. */
const longestAnswer = 4_096;
/** A serial server drops what it has not sent down its line yet when the connection ends, ms. */
const linger = 300;

export interface TcpTalk {
  readonly host: string;
  readonly port: number;
  /** For the connection, and for the answer, ms. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/**
 * Says it on a connection of its own. With `answers`: resolves with the index of the first of them that is in what comes back, or throws
 * PHRASES_SILENT, PHRASES_OTHER (it said something else). Without: resolves with -1 once it is out. Throws PORT_*.
 */
export async function sayOverTcp(bytes: Buffer, answers: readonly Buffer[], talk: TcpTalk): Promise<number> {
  const { label, open } = tcpPort(talk);
  await using line = await open(talk.timeout, talk.signal);
  const heard: { bytes: Buffer; fault: string | null; wake: () => void } = {
    bytes: Buffer.alloc(0),
    fault: null,
    wake: () => {},
  };
  line.listen({
    data: (more) => {
      if (heard.bytes.length < longestAnswer) heard.bytes = Buffer.concat([heard.bytes, more]);
      heard.wake();
    },
    closed: (why) => {
      heard.fault ??= why;
      heard.wake();
    },
  });
  line.write(bytes);
  if (answers.length === 0) {
    await delay(linger, talk.signal);
    return -1;
  }
  const end = AbortSignal.any([talk.signal, AbortSignal.timeout(talk.timeout)]);
  while (true) {
    const found = answers.findIndex((answer) => heard.bytes.includes(answer));
    if (found >= 0) return found;
    if (end.aborted || heard.fault !== null || heard.bytes.length >= longestAnswer) break;
    await new Promise<void>((resolve) => {
      heard.wake = resolve;
      end.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  if (heard.bytes.length === 0) {
    const why = heard.fault ?? `nothing within ${talk.timeout} ms`;
    throw new CodedError('PHRASES_SILENT', `${label} did not answer: ${why}`);
  }
  throw new CodedError('PHRASES_OTHER', `${label} answers ${shown(heard.bytes)}`);
}

function shown(bytes: Buffer): string {
  const some = bytes.subarray(0, 40);
  return some.every((byte) => byte >= 0x20 && byte < 0x7f)
    ? JSON.stringify(some.toString('latin1'))
    : some.toString('hex');
}
