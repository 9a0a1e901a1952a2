import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/* Where a camera that has got another address may be: on a network of this box, beside where it was, or where the site file looks for cameras. */

/** Neighbours of an address: what DHCP of one network gives. */
const besides = { 4: 24, 6: 64 } as const;

/** `10.0.3.7%eth0` and `[fe80::1]` as they are compared. */
const plain = (host: string) => host.replace(/^\[|\]$/g, '').replace(/%.*$/, '');

/**
 * Who claims to be a camera of ours on another network is not gone after: the name of a camera is no secret, and its network is all that tells
 * a camera from a laptop in a classroom. `isListed`: the site file looks for cameras at this address.
 */
export function isNear(place: string, home: string, isListed: (host: string) => boolean): boolean {
  const there = plain(place);
  const family = isIP(there);
  if (family !== 4 && family !== 6) return false;
  if (isListed(there) || there.startsWith('fe80:')) return true;
  const near = new BlockList();
  const here = plain(home);
  if (isIP(here) === family) near.addSubnet(here, besides[family], family === 4 ? 'ipv4' : 'ipv6');
  for (const { address, cidr, internal } of Object.values(networkInterfaces()).flatMap((each) => each ?? [])) {
    const bits = Number(cidr?.split('/')[1]);
    if (!internal && isIP(address) === family && bits > 0) {
      near.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
    }
  }
  return near.check(there, family === 4 ? 'ipv4' : 'ipv6');
}
