import { randomBytes } from 'node:crypto';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Account } from './account.ts';
import type { SipResponse } from './message.ts';
import type { Ask, SipStack } from './stack.ts';
import type { Endpoint } from './wire.ts';
import { statusWords } from './words.ts';

/* Is it there? Asked by OPTIONS, so that it is known before it must sound (RFC 3261 section 11). */

interface ProbeFacts {
  readonly target: string;
  readonly from: string;
  readonly contact: string;
  readonly cseq: number;
  readonly account: Account;
}

export function probeAsk({ target, from, contact, cseq, account }: ProbeFacts): Ask {
  return {
    method: 'OPTIONS',
    uri: target,
    headers: [
      ['from', `${from};tag=${randomBytes(8).toString('hex')}`],
      ['to', `<${target}>`],
      ['call-id', randomBytes(16).toString('hex')],
      ['cseq', `${cseq} OPTIONS`],
      ['contact', contact],
      ...account.headers('OPTIONS', target),
      ['accept', 'application/sdp'],
    ],
  };
}

/** Whoever says one of these would not take a call either; anything else that is said, a refusal too, says that it is there. */
export const away: ReadonlySet<number> = new Set([404, 408, 410, 480, 503, 504, 604]);

/** null: it is there; else what is wrong, in words. Never rejects. */
export async function outcomeOfProbe(
  stack: SipStack,
  to: Endpoint,
  options: {
    readonly ask: (cseq: number) => Ask;
    readonly account: Account;
    readonly patience: number;
    readonly signal: AbortSignal;
  },
): Promise<string | null> {
  const { ask, account, patience, signal } = options;
  for (let cseq = 1; cseq <= 2; cseq++) {
    const answer = await answerTo(stack, to, { ask: ask(cseq), patience, signal });
    if (typeof answer === 'string') return answer;
    const { status, reason } = answer;
    if (status !== 401 && status !== 407) return away.has(status) ? statusWords(status, reason) : null;
    try {
      account.learn(answer);
    } catch (error) {
      return messageOf(error);
    }
    // With a nonce of this moment refused: it is the password.
    if (cseq === 2) return 'refuses the password';
  }
  return null;
}

/** The final answer of one request, or what became of it. */
export function answerTo(
  stack: SipStack,
  to: Endpoint,
  { ask, patience, signal }: { readonly ask: Ask; readonly patience: number; readonly signal: AbortSignal },
): Promise<SipResponse | string> {
  const { promise, resolve } = Promise.withResolvers<SipResponse | string>();
  if (signal.aborted) return Promise.resolve('is not asked any more');
  const asked = stack.ask(
    ask,
    to,
    { response: (response) => void (response.status >= 200 && resolve(response)), failed: resolve },
    patience,
  );
  const giveUp = () => {
    asked.forget();
    resolve('is not asked any more');
  };
  signal.addEventListener('abort', giveUp, { once: true });
  return promise.finally(() => signal.removeEventListener('abort', giveUp));
}
