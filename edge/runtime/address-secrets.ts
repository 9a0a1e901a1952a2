import { messageOf } from './errors.ts';
import type { Sealer } from './seal.ts';

/*
 * Passwords in addresses of adopted devices lie sealed on disk (seal.ts): `password: {sealed: "s1...."}`. Whoever copies the file
 * without the key has none of them. In memory addresses are plain, as the drivers want them.
 */

/** `password`, `authPassword`, `writeCommunity`; the names of files are no secrets. */
const secret = /(password|passphrase|community|secret|token)$/i;
const deepest = 6;

type Address = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sealedText(value: unknown): string | null {
  if (!isObject(value) || Object.keys(value).length !== 1) return null;
  return typeof value.sealed === 'string' ? value.sealed : null;
}

/** The address with `change` made to each secret; `where` names it: `v3.authPassword`. */
function map(address: Address, change: (value: unknown, where: string) => unknown, above = '', depth = 0): Address {
  return Object.fromEntries(
    Object.entries(address).map(([key, value]) => {
      const where = `${above}${key}`;
      if (secret.test(key)) return [key, change(value, where)];
      const inner = isObject(value) && depth < deepest;
      return [key, inner ? map(value, change, `${where}.`, depth + 1) : value];
    }),
  );
}

const purpose = (device: string, where: string) => `device ${device} ${where}`;

/** What goes to disk. */
export function sealAddress(sealer: () => Sealer, device: string, address: Address): Address {
  return map(address, (value, where) =>
    typeof value === 'string' && value !== '' ? { sealed: sealer().seal(purpose(device, where), value) } : value,
  );
}

/** What the drivers get. A secret that does not open stays as it is, so that it is not lost, and is named in `problems`. */
export function openAddress(
  sealer: () => Sealer,
  device: string,
  address: Address,
): { readonly address: Address; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const opened = map(address, (value, where) => {
    const sealed = sealedText(value);
    if (sealed === null) return value;
    try {
      return sealer().open(purpose(device, where), sealed);
    } catch (error) {
      problems.push(`adopted device "${device}": ${where} cannot be opened (${messageOf(error)}): adopt it again`);
      return value;
    }
  });
  return { address: opened, problems };
}

/** Some secret of the address lies open. */
export function liesOpen(address: Address): boolean {
  let open = false;
  map(address, (value) => {
    open ||= typeof value === 'string' && value !== '';
    return value;
  });
  return open;
}
