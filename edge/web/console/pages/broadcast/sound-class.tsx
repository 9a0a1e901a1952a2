import type { ReactNode } from 'react';
import { isEmergency } from '#edge/domain/broadcast.ts';
import { useWords } from '../../kit/language.tsx';
import { LineIcon } from '../../kit/line-icon.tsx';
import type { SoundClass } from './data.ts';
import { words } from './words.ts';

/* One drawing, one word and one colour for each class of sound. */

const drawings: Readonly<Record<SoundClass, ReactNode>> = {
  fire: (
    <path d="M10 2.500c1 3 4.500 4.500 4.500 8.500a4.500 4.500 0 0 1-9 0c0-2 1-3 2-4 .3 1.300 1 2 1.700 2.200C8.800 7 9 4.500 10 2.500z" />
  ),
  danger: <path d="M10 3 17.500 16.500h-15zM10 8v4M10 14.200h.01" />,
  microphone: (
    <path d="M10 2.500a2.500 2.500 0 0 1 2.500 2.500v4a2.500 2.500 0 0 1-5 0V5A2.500 2.500 0 0 1 10 2.500zM5 9a5 5 0 0 0 10 0M10 14v3.500M7 17.500h6" />
  ),
  warning: <path d="M5 14V9a5 5 0 0 1 10 0v5l1.500 1.500h-13zM10 2v2M2.500 7l1.500.7M17.500 7 16 7.700" />,
  page: <path d="M3 8v4h3l6 4V4L6 8zM15 7.500a4 4 0 0 1 0 5" />,
  exam: <path d="M5 2.500h10v15H5zM8 6.500h4M8 9.500h4M8 13l1.300 1.300L12.500 11.500" />,
  bell: <path d="M5 14V9a5 5 0 0 1 10 0v5l1.500 1.500h-13zM8.300 17.500a1.900 1.900 0 0 0 3.400 0M10 2v2" />,
  exercise: (
    <path d="M10 5.500a1.700 1.700 0 1 0 0-3.400 1.700 1.700 0 0 0 0 3.400zM3.500 6.500 10 8.500l6.500-2M10 8.500v4M10 12.500l-3.500 5M10 12.500l3.500 5" />
  ),
  programme: <path d="M3 7.500h3L10 4v12l-4-3.500H3zM13 7.200a4 4 0 0 1 0 5.600M15.300 5a7 7 0 0 1 0 10" />,
  background: (
    <path d="M7.500 15.500V4l8-1.500V14M7.500 15.500a2 2 0 1 1-4 0 2 2 0 0 1 4 0zM15.500 14a2 2 0 1 1-4 0 2 2 0 0 1 4 0z" />
  ),
};

export function SoundClassIcon({ of, size = 18 }: { readonly of: SoundClass; readonly size?: number }) {
  return <LineIcon size={size}>{drawings[of]}</LineIcon>;
}

/** For colours: what breaks everything, what interrupts, what belongs to the day. */
export function weightOf(soundClass: SoundClass): 'emergency' | 'page' | 'day' {
  if (isEmergency(soundClass)) return 'emergency';
  return soundClass === 'page' || soundClass === 'exam' ? 'page' : 'day';
}

export function SoundClassBadge({ of }: { readonly of: SoundClass }) {
  const say = useWords(words);
  return (
    <span className={`broadcast-class broadcast-is-${weightOf(of)}`} data-class={of}>
      <SoundClassIcon of={of} size={14} />
      {say[`class:${of}`]}
    </span>
  );
}
