import { useFormats } from '../../kit/language.tsx';
import { useTicking } from '../../kit/ticker.ts';
import { dateOf } from './dates.ts';

/** The day of the campus, also past midnight. */
export function useToday(): string {
  const { timeZone } = useFormats();
  return useTicking((now) => dateOf(now, timeZone));
}
