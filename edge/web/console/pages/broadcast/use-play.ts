import { useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import { ApiError, api, errorText } from '../../api.ts';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { askAnew, type PlayedView, type Room, type SoundClass } from './data.ts';
import { wishOf } from './selection.ts';
import { words } from './words.ts';

export interface PlayWish {
  readonly class: SoundClass;
  readonly clips: readonly string[];
  readonly text?: string;
  readonly voice?: string;
  readonly loop?: boolean;
  readonly why?: string;
}

/** A voice is made of a text before it plays: ms. */
const longest = 60_000;

/** Sends it and says what became of it; throws what stands in the way, in words. */
export function usePlay() {
  const say = useWords(words);
  const name = useName();
  const queries = useQueryClient();
  const { message } = App.useApp();
  return async (wish: PlayWish, target: readonly Room[], all: readonly Room[], title: string): Promise<void> => {
    const where = wishOf(new Set(target.map(({ device }) => device)), all);
    const answer = await api.post<PlayedView>('broadcast/play', { ...wish, ...where }, { patience: longest });
    await askAnew(queries);
    if (answer.outcome === 'refused') throw new Refused(say.refused(refusalText(answer, say)));
    const refused = new Set(answer.refusedOn);
    if (refused.size > 0) {
      const names = target.filter(({ device }) => refused.has(device)).map((room) => name(room.name));
      void message.warning(say.notIn(names.slice(0, 5).join(' · ')), 8);
    }
    void message.success(answer.outcome === 'joined' ? say.joined : say.playing(title, target.length - refused.size));
  };
}

/** Said by core, already in words. */
class Refused extends Error {}

export function useSayPlayError() {
  const say = useWords(words);
  const language = useLanguage();
  return (error: unknown): string => {
    if (error instanceof Refused) return error.message;
    if (error instanceof ApiError && error.code === 'speech-away') return say.speechAway;
    if (error instanceof ApiError && error.code === 'sound-no-speaker') return say.refused(say['refusal:no-outputs']);
    return errorText(error, language);
  };
}

export function refusalText(
  { code = '', message }: Pick<PlayedView, 'code' | 'message'>,
  say: (typeof words)['zh'],
): string {
  // A code that is newer than this page is said in core's own words.
  return say[`refusal:${code}` as 'refusal:over'] ?? message;
}
