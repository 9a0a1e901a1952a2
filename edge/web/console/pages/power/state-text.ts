import { useMemo } from 'react';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { type Value, valueText } from '../../kit/values.ts';
import type { Row } from './rows.ts';
import { words } from './words.ts';

export interface StateText {
  readonly look: 'on' | 'off' | 'other' | 'unknown';
  readonly text: string;
}

/** What a value of an output means: on and off as its schedule has them, else as the device does. */
export function useStateText(): (row: Pick<Row, 'point' | 'power'>, value: Value | null) => StateText {
  const say = useWords(words);
  const language = useLanguage();
  return useMemo(
    () =>
      ({ point, power }, value) => {
        if (value === null) return { look: 'unknown', text: say.unknown };
        const on = power?.on ?? true;
        const off = power?.off ?? false;
        if (value === on && typeof value === 'boolean') return { look: 'on', text: say.on };
        if (value === off && typeof value === 'boolean') return { look: 'off', text: say.off };
        const text = valueText(value, point.unit, point.point, language);
        return { look: value === off ? 'off' : value === on ? 'on' : 'other', text };
      },
    [say, language],
  );
}
