import type { ReactNode } from 'react';

/** A line drawing on a field of 20 by 20: decoration beside a word or a label, not read aloud. */
export function LineIcon({ size = 18, children }: { readonly size?: number; readonly children: ReactNode }) {
  return (
    <svg
      viewBox="0 0 20 20"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}
