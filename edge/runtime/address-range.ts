import { isIPv4 } from 'node:net';

/** Addresses one range may hold: a scan of more takes longer than anybody waits. */
export const largestRange = 1024;

const toNumber = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const toAddress = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');

/**
 * IPv4 addresses of `10.0.3.0/24`, `10.0.3.10-10.0.3.90` or `10.0.3.7`; of a network without its first and last. Null for what is
 * no range, for more than 1,024 addresses, and for addresses that no single host has.
 */
export function addressesOf(range: string): readonly string[] | null {
  const [first, last] = boundsOf(range.trim()) ?? [];
  if (first === undefined || last === undefined || last < first || last - first >= largestRange) return null;
  // 0.x is "this network", 224.0.0.0 and above are groups.
  if (first < 2 ** 24 || last >= 224 * 2 ** 24) return null;
  return Array.from({ length: last - first + 1 }, (_, i) => toAddress(first + i));
}

function boundsOf(range: string): readonly [number, number] | null {
  const [network = '', bits] = range.split('/');
  if (bits !== undefined) {
    if (!isIPv4(network) || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) return null;
    const size = 2 ** (32 - Number(bits));
    const start = Math.floor(toNumber(network) / size) * size;
    return size <= 2 ? [start, start + size - 1] : [start + 1, start + size - 2];
  }
  const [from = '', to = from, more] = range.split('-').map((part) => part.trim());
  if (more !== undefined || !isIPv4(from) || !isIPv4(to)) return null;
  return [toNumber(from), toNumber(to)];
}
