import type { ReactNode } from 'react';
import { LineIcon } from '../../kit/line-icon.tsx';

/* One drawing for each class of what happens. */

const drawings: Readonly<Record<string, ReactNode>> = {
  exam: <path d="M5 2.5h10v15H5zM8 6.500h4M8 9.500h4M8 13l1.300 1.300L12.500 11.500" />,
  bell: <path d="M5 14V9a5 5 0 0 1 10 0v5l1.5 1.5h-13zM8.3 17.5a1.9 1.9 0 0 0 3.4 0M10 2v2" />,
  exercise: (
    <path d="M10 5.500a1.700 1.700 0 1 0 0-3.400 1.700 1.700 0 0 0 0 3.400zM3.500 6.500 10 8.500l6.500-2M10 8.500v4M10 12.500l-3.500 5M10 12.500l3.500 5" />
  ),
  programme: <path d="M3 7.500h3L10 4v12l-4-3.500H3zM13 7.200a4 4 0 0 1 0 5.600M15.3 5a7 7 0 0 1 0 10" />,
  power: <path d="M10 2.500v7M6 5.200a6.500 6.500 0 1 0 8 0" />,
  screen: <path d="M2.5 4h15v9.500h-15zM10 13.500V17M6.5 17h7" />,
  mode: <path d="M4 6h12M4 14h12M7.500 4v4M12.500 12v4" />,
};

export function ClassIcon({ of, size = 18 }: { readonly of: string; readonly size?: number }) {
  return <LineIcon size={size}>{drawings[of] ?? drawings.mode}</LineIcon>;
}
