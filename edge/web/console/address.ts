import { useLocation } from 'wouter';

/* The part of the address behind `?`, e.g. `#/points/meter-main/power?range=24h`: what a link to a view has to carry. */

export interface Address {
  readonly path: string;
  readonly query: URLSearchParams;
}

export function addressOf(location: string): Address {
  const cut = location.indexOf('?');
  if (cut < 0) return { path: location, query: new URLSearchParams() };
  return { path: location.slice(0, cut), query: new URLSearchParams(location.slice(cut + 1)) };
}

export function useAddress(): Address {
  const [location] = useLocation();
  return addressOf(location);
}

/** `/points/a/b` and `{range: '24h', to: ''}` -> `#/points/a/b?range=24h`; what is empty is left out. */
export function hashOf(path: string, parts: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(Object.entries(parts).filter(([, value]) => value !== ''));
  // Refs are lists of words with `/` and `,`: they stay readable, as a hash may hold them.
  const text = query.toString().replaceAll('%2F', '/').replaceAll('%2C', ',');
  return `#${path}${text === '' ? '' : `?${text}`}`;
}

/** Opens an address; with `replace` it takes the place of the present one, so that "back" leaves the page. */
export function goTo(hash: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') location.hash = hash;
  else location.replace(hash);
}

export function deviceHash(device: string): string {
  return hashOf(`/devices/${device}`);
}

export function pointHash(ref: string): string {
  return hashOf(`/points/${ref}`);
}
