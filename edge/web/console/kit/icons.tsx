import type { ReactNode } from 'react';

/* The few signs that carry a state: shapes that differ without colour. Drawn here so that the first page needs no icon package. */

const shapes = {
  /** good */
  dot: <circle cx="8" cy="8" r="5" />,
  /** uncertain: a diamond with a question */
  doubt: (
    <>
      <path d="M8 1.2 14.8 8 8 14.8 1.2 8z" fill="none" stroke="currentColor" strokeWidth="1.6" />
      <path
        d="M6.3 6.6a1.7 1.7 0 1 1 2.5 1.5c-.6.3-.8.6-.8 1.2M8 11v.6"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.4"
        strokeLinecap="round"
      />
    </>
  ),
  /** bad: a cross */
  cross: <path d="M3.5 3.5l9 9m0-9l-9 9" fill="none" stroke="currentColor" strokeWidth="2.4" strokeLinecap="round" />,
  /** critical: a filled octagon with a bang */
  octagon: (
    <>
      <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" />
      <path d="M8 4v5M8 11.2v.8" stroke="var(--kit-panel)" strokeWidth="1.8" strokeLinecap="round" />
    </>
  ),
  /** high: a filled triangle with a bang */
  triangle: (
    <>
      <path d="M8 1.2 15.4 14.5H.6z" />
      <path d="M8 6v4M8 12v.6" stroke="var(--kit-panel)" strokeWidth="1.7" strokeLinecap="round" />
    </>
  ),
  /** medium: a hollow triangle */
  hollow: <path d="M8 2.4 14.4 13.7H1.6z" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinejoin="round" />,
  /** low: a square */
  square: <path d="M3 3h10v10H3z" fill="none" stroke="currentColor" strokeWidth="1.8" />,
  /** waiting: a half-filled circle */
  half: (
    <>
      <circle cx="8" cy="8" r="5.2" fill="none" stroke="currentColor" strokeWidth="1.6" />
      <path d="M8 2.8a5.2 5.2 0 0 1 0 10.4z" />
    </>
  ),
  clock: (
    <>
      <circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <path d="M8 4.4V8l2.6 1.6" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />
    </>
  ),
} as const satisfies Record<string, ReactNode>;

export type Sign = keyof typeof shapes;

/** Decoration beside a word: not read aloud. */
export function SignIcon({ sign, size = 14 }: { readonly sign: Sign; readonly size?: number }) {
  return (
    <svg
      className="kit-sign"
      viewBox="0 0 16 16"
      width={size}
      height={size}
      fill="currentColor"
      aria-hidden="true"
      focusable="false"
    >
      {shapes[sign]}
    </svg>
  );
}
