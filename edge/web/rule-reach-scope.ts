import type { Reach } from './rule-reach.ts';
import type { Scope } from './scope.ts';

/** Also true for one that acts on the whole campus. undefined (no such rule): only for those who see the whole campus. */
export function reachesInto(reach: Reach | undefined, scope: Scope): boolean {
  if (scope.isWhole || reach === 'all') return true;
  return [...(reach ?? [])].some((zone) => scope.covers(zone));
}

/** Nothing that it does happens outside. */
export function staysWithin(reach: Reach | undefined, scope: Scope): boolean {
  if (scope.isWhole) return true;
  return reach !== undefined && reach !== 'all' && [...reach].every((zone) => scope.covers(zone));
}
