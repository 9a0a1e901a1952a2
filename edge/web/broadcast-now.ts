import type { z } from 'zod';
import type { Clock } from '#edge/runtime/clock.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import { type CoreAfter, type CoreNow, nowAnswer } from './broadcast-core.ts';
import type { LiveState } from './live.ts';

/** Nothing said that anything changed: ms. Positions go on, so it is never older. */
const fresh = 1_000;
/** More would be a circle. */
const mostPages = 1_000;

/** What sounds, asked of core once for everybody who wants it at the same time. */
export interface SoundNow extends Disposable {
  ask(): Promise<Told>;
  /** Somebody changed something from here: the next question is asked. */
  forget(): void;
}

interface Told {
  readonly now: CoreNow;
  /** ms since epoch: when core was asked. */
  readonly time: number;
}

export function createSoundNow(rpc: Pick<RpcClient, 'call'>, live: LiveState, clock: Clock): SoundNow {
  let known: { readonly at: number; readonly told: Promise<Told> } | null = null;
  const forget = () => {
    known = null;
  };
  const listening = live.listen(({ kind }) => {
    if (kind === 'sound' || kind === 'core') forget();
  });
  const read = async (): Promise<Told> => {
    const time = clock.now();
    const pages: z.infer<typeof nowAnswer>[] = [];
    let after: CoreAfter | null = null;
    do {
      const page: z.infer<typeof nowAnswer> = nowAnswer.parse(
        await rpc.call('broadcast.now', after === null ? {} : { after }),
      );
      pages.push(page);
      after = page.next;
    } while (after !== null && pages.length < mostPages);
    return { now: { rooms: pages.flatMap(({ rooms }) => rooms), items: pages.flatMap(({ items }) => items) }, time };
  };
  return {
    ask() {
      const at = clock.monotonic();
      if (known !== null && at - known.at < fresh) return known.told;
      const told = read();
      const mine = { at, told };
      known = mine;
      told.catch(() => {
        if (known === mine) forget();
      });
      return told;
    },
    forget,
    [Symbol.dispose]: () => listening[Symbol.dispose](),
  };
}
