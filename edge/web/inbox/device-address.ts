import { CodedError } from '#edge/runtime/errors.ts';

/*
 * Addresses of devices as people on the network give them. The site file may name files of this machine (a password, a
 * serial port): whoever writes it owns the machine. Somebody at a browser does not, and must not have our files read by
 * naming them.
 */

const ownFiles = /file$|^path$/i;
const serialPort = /^\/dev\/(tty[A-Za-z0-9_-]+|serial\/by-(id|path)\/[\w.:+-]+)$/;
const secretWord = /pass|secret|token|key|credential|auth/i;

/** Throws BAD_ADDRESS naming the key. */
export function requireHarmless(address: Readonly<Record<string, unknown>>): void {
  visit(address, 'address', ({ key, value, where }) => {
    if (where === 'address.serial.path') {
      if (typeof value === 'string' && serialPort.test(value)) return;
      throw new CodedError('BAD_ADDRESS', `${where}: must be a serial port such as /dev/ttyUSB0`);
    }
    // `path` of a camera is part of its URL: it begins with /onvif or the like and is read by the camera.
    if (ownFiles.test(key) && !(where === 'address.path' && typeof value === 'string')) {
      throw new CodedError('BAD_ADDRESS', `${where}: files of this machine can only be named in the site file`);
    }
  });
}

/** As the audit may say it. */
export function withoutSecrets(address: unknown): unknown {
  if (Array.isArray(address)) return address.map(withoutSecrets);
  if (typeof address !== 'object' || address === null) return address;
  return Object.fromEntries(
    Object.entries(address).map(([key, value]) => [key, secretWord.test(key) ? '(secret)' : withoutSecrets(value)]),
  );
}

interface Visited {
  readonly key: string;
  readonly value: unknown;
  readonly where: string;
}

function visit(node: object, where: string, look: (entry: Visited) => void): void {
  for (const [key, value] of Object.entries(node)) {
    look({ key, value, where: `${where}.${key}` });
    if (typeof value === 'object' && value !== null) visit(value, `${where}.${key}`, look);
  }
}
