import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { useReading } from '../../use-live.tsx';
import { words } from './words.ts';

/** Beyond this footage and events do not agree, s. */
export const skewLimit = 5;

export function useSkew(camera: string): number | null {
  const reading = useReading(`${camera}/clock_skew`);
  if (reading === undefined || reading.quality === 'bad' || typeof reading.value !== 'number') return null;
  return reading.value;
}

export function ClockSkew({ camera }: { readonly camera: string }) {
  const say = useWords(words);
  const formats = useFormats();
  const skew = useSkew(camera);
  if (skew === null) return <span className="kit-soft">—</span>;
  const isIll = Math.abs(skew) > skewLimit;
  return (
    <span className={`kit-number ${isIll ? 'cameras-short' : ''}`}>
      {isIll && <SignIcon sign="triangle" size={13} />}
      {say.seconds(formats.number(skew, 1))}
    </span>
  );
}
