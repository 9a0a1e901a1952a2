import { isIP, isIPv4 } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';

/**
 * Names that a certificate must have, and addresses that are put in when one is made. IPv6 addresses of interfaces are
 * only welcome: privacy addresses change every day (RFC 8981), and people would meet a new certificate as often.
 */
export function wantedNames(given: readonly string[]): {
  readonly needed: readonly string[];
  readonly welcome: readonly string[];
} {
  const host = hostname().toLowerCase();
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  const own = host === 'localhost' || host.includes('.') ? [host] : [host, `${host}.local`];
  const always = ['localhost', '127.0.0.1', '::1'];
  const needed = [...own, ...always, ...given.map((name) => name.toLowerCase()), ...addresses.filter((a) => isIPv4(a))];
  const welcome = addresses.filter((address) => !isIPv4(address) && !address.startsWith('fe80:'));
  return {
    needed: [...new Set(needed)].filter(isUsableName),
    welcome: [...new Set(welcome)].filter((address) => isUsableName(address) && !needed.includes(address)),
  };
}

export function isUsableName(name: string): boolean {
  if (isIP(name)) return name !== '0.0.0.0' && name !== '::' && !name.includes('%');
  return (
    name.length <= 253 &&
    /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(name)
  );
}
