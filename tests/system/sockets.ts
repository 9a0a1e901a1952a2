import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Ipv4Socket {
  /** `127.0.0.1:18880`. */
  readonly from: string;
  readonly to: string;
}

/** The IPv4 sockets that a process holds, and IPv6 ones that speak IPv4 (`::ffff:10.0.0.1`). Linux only. */
export function ipv4SocketsOf(pid: number): Ipv4Socket[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap(
      (fd) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1] ?? [],
    ),
  );
  const found: Ipv4Socket[] = [];
  for (const table of ['tcp', 'udp', 'tcp6', 'udp6']) {
    for (const line of readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      const from = ipv4Of(fields[1] ?? '');
      const to = ipv4Of(fields[2] ?? '');
      if (from !== null && inodes.has(fields[9] ?? '')) found.push({ from, to: to ?? '' });
    }
  }
  return found;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed between the two looks
  }
}

/** `0100007F:4A2C` -> `127.0.0.1:18988`; `::ffff:127.0.0.1` likewise; null for what is truly IPv6. */
function ipv4Of(text: string): string | null {
  const [address = '', port = ''] = text.split(':');
  const isMapped = address.length === 32 && address.startsWith('0000000000000000FFFF0000');
  if (address.length !== 8 && !isMapped) return null;
  const bytes = address.slice(-8).match(/../g) ?? [];
  return `${bytes
    .reverse()
    .map((byte) => Number.parseInt(byte, 16))
    .join('.')}:${Number.parseInt(port, 16)}`;
}
