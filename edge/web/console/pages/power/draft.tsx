import type { ReactNode } from 'react';

export function Draft({ tabs }: { readonly tabs: ReactNode }) {
  return <div className="power">{tabs}</div>;
}
