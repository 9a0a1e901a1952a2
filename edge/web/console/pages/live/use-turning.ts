import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { ApiError, api, errorText } from '../../api.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { useLink } from '../../use-live.tsx';
import { type Move, TurnHold, type Velocity } from './turn-hold.ts';
import { words } from './words.ts';

export type Turn = { readonly preset: string } | { readonly home: true } | { readonly move: Velocity };

/** What came of it, in words. */
export interface Said {
  readonly kind: 'none' | 'done' | 'refused';
  readonly text: string;
  /** The preset that it goes to. */
  readonly preset?: string;
}

interface Answer {
  readonly outcome: string;
  readonly message?: string;
}

export interface LastTurn {
  readonly who: string;
  readonly name: string;
  readonly time: number;
  readonly how: 'preset' | 'home' | 'hand';
  readonly preset?: string;
}

const askAgain = 5_000;

/** Who last turned this camera; null: nobody, as far as is known. */
export function useLastTurn(camera: string): LastTurn | null {
  const { data } = useQuery({
    queryKey: ['camera-turn', camera],
    queryFn: ({ signal }) => api.get<{ readonly last: LastTurn | null }>(`cameras/${camera}/turn`, signal),
    refetchInterval: askAgain,
  });
  return data?.last ?? null;
}

/** Asks for one turn; `done`: what to say when it was done. True: it was. */
export type AskTurn = (turn: Turn, done: string) => Promise<boolean>;

export function useTurning(camera: string): { readonly ask: AskTurn; readonly said: Said } {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const [said, setSaid] = useState<Said>({ kind: 'none', text: '' });
  const ask: AskTurn = async (turn, done) => {
    const refuse = (why: string) => {
      setSaid({ kind: 'refused', text: say.refusedAs(why) });
      return false;
    };
    try {
      const { outcome, message = '' } = await api.post<Answer>(`cameras/${camera}/turn`, turn);
      if (outcome !== 'done' && outcome !== 'sent') return refuse(say[whyNot(outcome, message)]);
      setSaid({ kind: 'done', text: done, ...('preset' in turn ? turn : {}) });
      void queries.invalidateQueries({ queryKey: ['camera-turn', camera] });
      return true;
    } catch (error) {
      return refuse(
        error instanceof ApiError && error.code === 'camera-fixed' ? say.fixed : errorText(error, language),
      );
    }
  };
  return { ask, said };
}

/** What a driver says of a camera that did not turn is for technicians. */
function whyNot(outcome: string, message: string) {
  if (/has no preset/.test(message)) return 'noSuchPreset';
  if (/offers no PTZ/.test(message)) return 'fixed';
  if (/has not answered/.test(message)) return 'stillBusy';
  return outcome === 'refused' ? 'cameraRefuses' : 'noAnswer';
}

/** What is held now, and the hand that holds it: it lets go when nobody can see what it does. */
export function useHold(ask: AskTurn): { readonly held: Move | null; readonly hold: TurnHold } {
  const say = useWords(words);
  const { state } = useLink();
  const [held, setHeld] = useState<Move | null>(null);
  const latest = useRef({ ask, say });
  latest.current = { ask, say };
  const hold = useMemo(
    () =>
      new TurnHold({
        ask: (move) => {
          const { ask, say } = latest.current;
          return ask({ move }, move.every((speed) => speed === 0) ? say.stopped : say.moving);
        },
        onHeld: setHeld,
      }),
    [],
  );
  useEffect(() => {
    if (state !== 'live') hold.end();
  }, [state, hold]);
  useEffect(() => {
    const end = () => hold.end();
    const hidden = () => document.visibilityState === 'hidden' && hold.end();
    addEventListener('blur', end);
    document.addEventListener('visibilitychange', hidden);
    return () => {
      removeEventListener('blur', end);
      document.removeEventListener('visibilitychange', hidden);
      hold[Symbol.dispose]();
    };
  }, [hold]);
  return { held, hold };
}
