import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { CodedError, codeOf } from './errors.ts';

/*
 * Small secrets that must lie in the database are sealed with a key that does not: a stolen copy of the database alone
 * gives nobody a second factor. AES-256-GCM; what a seal is for is bound into it, so that it cannot be put elsewhere.
 */

export interface Sealer {
  /** `purpose` names what and whose it is, e.g. `totp wang`: only the same purpose opens it. */
  seal(purpose: string, text: string): string;
  /** Throws SEAL_BROKEN: made with another key (a restored database without its keys) or tampered with. */
  open(purpose: string, sealed: string): string;
  /** A digest that nobody can try guesses against without the key, base64url. */
  digest(purpose: string, text: string): string;
}

const keyBytes = 32;
const version = 's1';

export const sealKeyFile = (dataFolder: string): string => join(dataFolder, 'keys', 'seal.key');

/** Reads `<data>/keys/seal.key`, or makes it there (0600) at the first start. Throws SEAL_KEY for a file that holds no key. */
export function loadSealer(dataFolder: string): Sealer {
  const file = sealKeyFile(dataFolder);
  const key = readKey(file) ?? makeKey(file);
  const derive = (name: string) => Buffer.from(hkdfSync('sha256', key, '', name, keyBytes));
  return createSealer(derive('seal'), derive('digest'));
}

function createSealer(sealing: Buffer, digesting: Buffer): Sealer {
  return {
    seal: (purpose, text) => {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', sealing, iv).setAAD(Buffer.from(purpose));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return [version, iv, cipher.getAuthTag(), body]
        .map((part) => (typeof part === 'string' ? part : part.toString('base64url')))
        .join('.');
    },
    open: (purpose, sealed) => {
      const [found, iv = '', tag = '', body = ''] = sealed.split('.');
      try {
        if (found !== version) throw new Error(`a seal begins with ${version}.`);
        const decipher = createDecipheriv('aes-256-gcm', sealing, Buffer.from(iv, 'base64url'), { authTagLength: 16 });
        decipher.setAAD(Buffer.from(purpose)).setAuthTag(Buffer.from(tag, 'base64url'));
        return decipher.update(body, 'base64url', 'utf8') + decipher.final('utf8');
      } catch (error) {
        throw new CodedError('SEAL_BROKEN', 'a sealed secret does not fit <data>/keys/seal.key', { cause: error });
      }
    },
    digest: (purpose, text) => createHmac('sha256', digesting).update(`${purpose}\0${text}`).digest('base64url'),
  };
}

function readKey(file: string): Buffer | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  const key = Buffer.from(text, 'base64url');
  if (key.length !== keyBytes) throw new CodedError('SEAL_KEY', `${file} does not hold a key of ${keyBytes} bytes`);
  chmodSync(file, 0o600);
  return key;
}

/** Two processes may both want it at their first start: whose name comes first is the key of both. */
function makeKey(file: string): Buffer {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const key = randomBytes(keyBytes);
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  const handle = openSync(draft, 'wx', 0o600);
  try {
    writeSync(handle, `${key.toString('base64url')}\n`);
    fsyncSync(handle);
    linkSync(draft, file);
    return key;
  } catch (error) {
    const other = codeOf(error) === 'EEXIST' ? readKey(file) : null;
    if (other === null) throw error;
    return other;
  } finally {
    closeSync(handle);
    rmSync(draft, { force: true });
  }
}
