import type { ReactNode } from 'react';

/* What kind of thing a device is, drawn: beside its name, never instead of it. */

const shapes: Readonly<Record<string, ReactNode>> = {
  meter: <path d="M3 3h14v14H3zM6.500 6h7v4h-7zM7 13.500h.01M10 13.500h.01M13 13.500h.01" />,
  relay: <path d="M2.500 10H7l6-4.500M13 10h4.500M7 10h.01M13 10h.01" />,
  camera: <path d="M2.500 6h9.500v8H2.500zM12 9l5.500-2.500v7L12 11.500" />,
  speaker: <path d="M3 8v4h3l4 3.500v-11L6 8zM13 7.500a3.500 3.500 0 0 1 0 5M15.300 5.500a6.500 6.500 0 0 1 0 9" />,
  climate: <path d="M10 2.500v15M3.500 6.200l13 7.600M16.500 6.200l-13 7.600" />,
  sensor: (
    <path d="M10 10h.01M6.500 13.500a5 5 0 0 1 0-7M13.500 6.500a5 5 0 0 1 0 7M4 16a8.500 8.500 0 0 1 0-12M16 4a8.500 8.500 0 0 1 0 12" />
  ),
};
const thing = <path d="M5 5h10v10H5zM8 2.500V5M12 2.500V5M8 15v2.500M12 15v2.500" />;

/** Decoration beside a name: not read aloud. */
export function DeviceIcon({ kind, size = 18 }: { readonly kind: string; readonly size?: number }) {
  return (
    <svg
      className="devices-icon"
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
      {shapes[kind] ?? thing}
    </svg>
  );
}
