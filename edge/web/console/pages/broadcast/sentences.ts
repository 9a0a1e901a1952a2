import { useMemo } from 'react';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useOwnerText, useSentence } from '../../names.ts';
import { useSession } from '../../session.tsx';
import type { BlockerView, Room, WhyView } from './data.ts';
import { words } from './words.ts';

/* What the arbiter answers, as people say it. */

export type RoomTone = 'emergency' | 'page' | 'day' | 'quiet' | 'held' | 'idle';

/** Who asked for it: `schedule:…`, `person:…`, `rule:…`. */
export function useBy(): (by: string) => string {
  const say = useWords(words);
  const owner = useOwnerText();
  const { id: own } = useSession();
  return useMemo(
    () => (by) => {
      const cut = by.indexOf(':');
      const [kind, id] = cut < 0 ? [by, by] : [by.slice(0, cut), by.slice(cut + 1)];
      if (kind === 'person') return id === own ? say['by:you'] : say['by:person'](id);
      if (kind === 'token') return say['by:token'](id);
      if (kind === 'schedule' || kind === 'school') return say['by:schedule'];
      if (kind === 'emergency') return say['by:emergency'];
      if (kind === 'rule' || kind === 'interlock') return owner(by);
      return say['by:other'](owner(by));
    },
    [say, owner, own],
  );
}

export interface Phrases {
  by(by: string): string;
  /** Why a room plays, or is silent, in a few words. */
  room(room: Room): string;
  blocker(blocker: BlockerView): string;
  /** `14:05:12`, or with its day when it is another. */
  moment(time: number): string;
  happening(line: WhyView['recent'][number]): string;
  /** Why it was missed, cut or withheld, and what its proof rests on: a code of the arbiter, or words of a driver. */
  proof(text: string): string;
}

export function usePhrases(): Phrases {
  const say = useWords(words);
  const by = useBy();
  const name = useName();
  const sentence = useSentence();
  const formats = useFormats();
  const language = useLanguage();
  return useMemo(() => {
    const moment = (time: number) => formats.moment(time, now());
    const blocker = (one: BlockerView) => {
      if (one.kind === 'item') return say['blocked:item'](name(one.name));
      if (one.kind === 'outside') return say['blocked:outside'](by(one.owner ?? ''));
      return one.rooms === 'exam' ? say['blocked:exam'] : say['blocked:recording'];
    };
    const until = (time: number | null) => (time === null ? '' : say.until(moment(time)));
    const parts = (...all: readonly string[]) => all.filter((one) => one !== '').join(language === 'zh' ? '，' : ', ');
    return {
      by,
      moment,
      blocker,
      room: ({ reason, playing, outside, quiet }) => {
        switch (reason) {
          case 'plays':
            return playing === null ? say.idle : parts(say.playsBy(by(playing.by)), until(playing.until));
          case 'level-zero':
            return say.levelZero;
          case 'outside':
            return outside === null ? say.idle : parts(say.heldBy(by(outside.owner)), sentence(outside.reason));
          case 'silenced-outside':
            return outside === null ? say.idle : parts(say.silencedBy(by(outside.owner)), sentence(outside.reason));
          case 'quiet':
            return quiet === null ? say.idle : parts(quietWord(quiet.kind, say), until(quiet.until), quiet.reason);
          case 'nothing-asked':
            return quiet === null ? say.idle : parts(quietWord(quiet.kind, say), until(quiet.until));
        }
      },
      proof: (text) => say[`because:${text}` as 'because:turn'] ?? sentence(text),
      happening: ({ kind, reason, name: itemName, blocker: cause, said }) => {
        const did = say[`did:${kind}` as 'did:begun'];
        const because = say[`because:${reason}` as 'because:turn'];
        const what = did === undefined ? kind : did(name(itemName) || say.aSound);
        if (kind === 'preempted' && cause?.kind === 'item')
          return say.cutBy(name(itemName) || say.aSound, name(cause.name));
        const why = said !== null && said.why !== '' ? say.saidBy(by(said.by), said.why) : '';
        const causeText = cause === null ? '' : blocker(cause);
        return parts(what, causeText === '' && why === '' ? (because ?? reason) : '', causeText, why);
      },
    };
  }, [say, by, name, sentence, formats, language]);
}

export function quietWord(kind: 'exam' | 'recording', say: (typeof words)['zh']): string {
  return kind === 'exam' ? say.quietExam : say.quietRecording;
}
