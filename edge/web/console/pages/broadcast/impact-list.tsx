import { useId } from 'react';
import { type Sign, SignIcon } from '../../kit/icons.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import type { Room, SoundClass } from './data.ts';
import { type Impact, impactOf } from './impact.ts';
import { words } from './words.ts';

/** What would happen, said before one speaks. */
export function ImpactList({
  rooms,
  soundClass,
}: {
  readonly rooms: readonly Room[];
  readonly soundClass: SoundClass;
}) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const title = useId();
  const impact = impactOf(rooms, soundClass);
  const named = (list: readonly Room[]) => {
    const first = list
      .slice(0, 3)
      .map((room) => name(room.name))
      .join(language === 'zh' ? '、' : ', ');
    return list.length > 3 ? say.andMore(first, list.length) : first;
  };
  const lines: { readonly sign: Sign; readonly text: string; readonly who?: string; readonly tone: string }[] = [
    impact.now > 0
      ? { sign: 'dot', text: say.willNow(impact.now), tone: 'good' }
      : { sign: 'triangle', text: say.willNone, tone: 'bad' },
    ...impact.interrupts.map((met) => ({
      sign: 'hollow' as const,
      text: say.willInterrupt(name(met.name), met.rooms),
      tone: 'wait',
    })),
    ...impact.behind.map((met) => ({
      sign: 'clock' as const,
      text: say.willWait(name(met.name), met.rooms),
      tone: 'wait',
    })),
    ...missing(impact).map(({ list, key }) => ({
      sign: 'cross' as const,
      text: say[key](list.length),
      who: named(list),
      tone: 'bad',
    })),
  ];
  return (
    <section className="broadcast-impact" aria-labelledby={title} aria-live="polite">
      <h3 id={title}>{say.beforeYouPlay}</h3>
      <ul>
        {lines.map(({ sign, text, who, tone }) => (
          <li key={text} className={`broadcast-impact-${tone}`}>
            <SignIcon sign={sign} size={13} />
            <span>
              {text}
              {who !== undefined && <small className="kit-soft">{who}</small>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function missing({ exam, recording, held, offline }: Impact) {
  const all = [
    { list: exam, key: 'willExam' },
    { list: recording, key: 'willRecording' },
    { list: held, key: 'willHeld' },
    { list: offline, key: 'willOffline' },
  ] as const;
  return all.filter(({ list }) => list.length > 0);
}
