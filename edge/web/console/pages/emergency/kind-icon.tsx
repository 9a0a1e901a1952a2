import type { ReactNode } from 'react';
import { LineIcon } from '../../kit/line-icon.tsx';
import type { Kind } from './data.ts';

/* A sign for each kind: its shape says it without colour and without words. */

const paths: Readonly<Record<Kind, ReactNode>> = {
  fire: (
    <path d="M10 17.500c-3.300 0-5.500-2.200-5.500-5.200 0-3.600 3.500-4.800 3.300-9.300 3 1.200 4.200 3.600 4 5.800.9-.4 1.400-1.200 1.500-2.200 1.500 1.600 2.200 3.500 2.200 5.700 0 3-2.200 5.200-5.500 5.200z" />
  ),
  earthquake: <path d="M1.500 10h3l1.800-5.500L9 16.500l2.500-12 2.200 8.500 1.300-3h3.500" />,
  intrusion: (
    <path d="M10 2.500 16.500 5v5c0 4-2.700 6.500-6.500 7.500C6.200 16.500 3.500 14 3.500 10V5zM10 6.500v4.500M10 13.500v.3" />
  ),
  storm: (
    <path d="M5.500 12.500a3.500 3.500 0 0 1 .3-7A4.500 4.500 0 0 1 14.300 7a2.800 2.800 0 0 1 .2 5.500M10.500 9 8 13h3.500L9 17.500" />
  ),
  other: <path d="M10 2.500 18 16.500H2zM10 8v4M10 14.200v.3" />,
};

export function EmergencyIcon({ kind }: { readonly kind: Kind }) {
  return <LineIcon>{paths[kind]}</LineIcon>;
}
