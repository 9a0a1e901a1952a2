import type { ReactNode } from 'react';
import { LineIcon } from '../../kit/line-icon.tsx';
import type { Kind } from './shapes.ts';

const shapes: Readonly<Record<Kind, ReactNode>> = {
  light: <path d="M7 13a5 5 0 1 1 6 0c-.7.500-1 1.200-1 2H8c0-.8-.3-1.500-1-2zM8 17.500h4" />,
  air: <path d="M3 4h14v6H3zM6 7.500h5M6 13c0 1.500-1 1.500-1 3M10 13c0 1.500-1 1.500-1 3M14 13c0 1.500-1 1.500-1 3" />,
  socket: <path d="M4 4h12v12H4zM8 8v2M12 8v2M8.500 13h3" />,
  screen: <path d="M2.500 4h15v9.500h-15zM10 13.500V17M6.500 17h7" />,
  water: <path d="M10 2.500s5 5.500 5 9a5 5 0 0 1-10 0c0-3.500 5-9 5-9z" />,
  other: <path d="M11 2.500 4.500 11H9l-.500 6.500L15.500 9H11z" />,
};

/** Decoration: the word beside it says what it is. */
export function PowerIcon({ kind, size = 20 }: { readonly kind: Kind; readonly size?: number }) {
  return <LineIcon size={size}>{shapes[kind]}</LineIcon>;
}
