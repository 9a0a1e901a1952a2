/* Figures in sentences for people. */

const prefixes: readonly (readonly [number, string])[] = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
];
/** Units that people write with a prefix. */
const prefixed: ReadonlySet<string> = new Set(['W', 'VA', 'var', 'V', 'A']);

/** `1.234 kW`: four digits, as people write it. */
export function shown(value: number, unit: string): string {
  const size = Math.abs(value);
  const [factor, prefix] =
    prefixed.has(unit) && size >= 10_000 ? (prefixes.find(([f]) => size >= f) ?? [1, '']) : [1, ''];
  const scaled = value / factor;
  const isPlain = scaled === 0 || (Math.abs(scaled) >= 1e-3 && Math.abs(scaled) < 1e7);
  const digits = isPlain ? String(Number(scaled.toPrecision(5))) : scaled.toExponential(1);
  return unit === '' ? digits : `${digits} ${prefix}${unit}`;
}

export const listed = (words: readonly string[]): string => words.join(', ');
