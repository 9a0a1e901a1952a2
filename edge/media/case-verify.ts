import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { CaseManifest } from '#edge/domain/case.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { fingerprintOf, isSignedBy, publicKeyOf } from './case-key.ts';
import { keyName, largestManifest, manifestName, proofNames, readManifest, signatureName } from './case-manifest.ts';
import { localHeader, readExactly, readZipNames, type ZipEntry, zipEnd } from './case-zip.ts';

export interface CaseFault {
  /** The file within the case; '' the zip itself. */
  readonly file: string;
  readonly message: string;
}

export interface CaseVerdict {
  readonly ok: boolean;
  readonly faults: readonly CaseFault[];
  readonly manifest: CaseManifest | null;
  /** Of the key that signed it, hex; null: it is not signed. */
  readonly fingerprint: string | null;
  /** SHA-256 of the whole file, hex. */
  readonly sha256: string;
  readonly bytes: number;
}

interface Found {
  readonly name: string;
  readonly bytes: number;
  readonly offset: number;
}

const chunkSize = 1 << 20;
const mostFaults = 200;

/**
 * Whether a case is as it was made: every byte of it. What the manifest lists is hashed; what is not a file's own (headers, directory) must
 * be what follows from it; the manifest must be signed by the key beside it, and that key be the one that is expected, where one is.
 * Throws CASE_UNREADABLE.
 */
export async function verifyCase(path: string, expected?: string): Promise<CaseVerdict> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    throw new CodedError('CASE_UNREADABLE', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  await using file = handle;
  const { size: bytes } = await file.stat();
  const faults: CaseFault[] = [];
  const fault = (name: string, message: string) => {
    if (faults.length < mostFaults) faults.push({ file: name, message });
  };
  const sha256 = await digestOf(file, bytes);
  const proof = await readProof(file, bytes, fault);
  if (proof === null) return { ok: false, faults, manifest: null, fingerprint: null, sha256, bytes };
  const { manifest, fingerprint, found } = proof;
  if (expected !== undefined && fingerprint !== null && !isSameFingerprint(expected, fingerprint)) {
    fault(keyName, `it was signed by the key ${fingerprint}, and not by ${expected}`);
  }
  if (manifest !== null) await checkFiles(file, bytes, manifest, found, fault);
  return { ok: faults.length === 0, faults, manifest, fingerprint, sha256, bytes };
}

type Fault = (file: string, message: string) => void;

async function readProof(file: FileHandle, size: number, fault: Fault) {
  let found: readonly Found[];
  try {
    found = await readZipNames(file, size);
  } catch (error) {
    if (codeOf(error) !== 'CASE_NO_ZIP') throw error;
    fault('', messageOf(error));
    return null;
  }
  const content = async (name: string): Promise<Buffer | null> => {
    const place = found.find((one) => one.name === name);
    if (place === undefined || place.bytes > largestManifest) {
      fault(name, place === undefined ? 'it is missing' : 'it is too large');
      return null;
    }
    const buffer = Buffer.alloc(place.bytes);
    await readExactly(file, buffer, place.offset);
    return buffer;
  };
  const [text, signature, pem] = [await content(manifestName), await content(signatureName), await content(keyName)];
  const key = pem === null ? null : publicKeyOf(pem.toString('utf8'));
  if (pem !== null && key === null) fault(keyName, 'it is no key, or was altered');
  const fingerprint = key === null ? null : fingerprintOf(key);
  const manifest = text === null ? null : readManifest(text.toString('utf8'));
  if (text !== null && manifest === null) fault(manifestName, 'it was altered');
  if (text !== null && signature !== null && key !== null && !isSignedBy(key, text, signature))
    fault(manifestName, `the signature ${signatureName} does not fit it and the key: one of the three was altered`);
  if (manifest !== null && fingerprint !== null && manifest.key !== fingerprint)
    fault(keyName, `the manifest names another key (${manifest.key})`);
  return { manifest, fingerprint, found };
}

/** Byte by byte, in the order of the manifest: every file, and everything between them. */
async function checkFiles(
  file: FileHandle,
  size: number,
  manifest: CaseManifest,
  found: readonly Found[],
  fault: Fault,
): Promise<void> {
  const listed = new Map(manifest.files.map((entry) => [entry.path, entry]));
  const wanted = new Set([...listed.keys(), ...proofNames]);
  const names = new Set(found.map(({ name }) => name));
  for (const name of wanted) if (!names.has(name)) fault(name, 'it is missing');
  for (const name of names) if (!wanted.has(name)) fault(name, 'it was added: the manifest does not list it');
  const inOrder = [...manifest.files.map(({ path }) => path), ...proofNames];
  if (found.map(({ name }) => name).join('\n') !== inOrder.join('\n'))
    fault('', 'its files are not those of the manifest, in their order');
  const entries: ZipEntry[] = [];
  let at = 0;
  let isAltered = false;
  for (const { name, bytes, offset } of found) {
    // What lies elsewhere than it must is not even read: entries that all show the same gigabytes would keep us busy for weeks.
    if (offset !== at + localHeader({ name, bytes, crc: 0 }, manifest.made.time).length) {
      fault('', `something lies before ${name} that does not belong there`);
      return;
    }
    const { sha256, crc } = await contentOf(file, offset, bytes);
    const entry = { name, bytes, crc };
    entries.push(entry);
    const known = listed.get(name);
    const isWhole = known === undefined || (known.bytes === bytes && known.sha256 === sha256);
    if (!isWhole)
      fault(name, known.bytes === bytes ? 'its content was altered' : `it has ${bytes} bytes, and had ${known.bytes}`);
    if (isWhole && !(await isAt(file, localHeader(entry, manifest.made.time), at)))
      fault(name, 'what the zip says of it was altered');
    isAltered ||= !isWhole;
    at = offset + bytes;
  }
  const end = zipEnd(entries, at, manifest.made.time);
  if (at + end.length !== size) fault('', 'something was added to the zip, or cut from it');
  else if (!isAltered && !(await isAt(file, end, at))) fault('', 'its directory was altered');
}

async function isAt(file: FileHandle, expected: Buffer, position: number): Promise<boolean> {
  const there = Buffer.alloc(expected.length);
  await readExactly(file, there, position);
  return there.equals(expected);
}

async function contentOf(file: FileHandle, offset: number, bytes: number): Promise<{ sha256: string; crc: number }> {
  const hash = createHash('sha256');
  let crc = 0;
  for await (const chunk of chunksOf(file, offset, bytes)) {
    hash.update(chunk);
    crc = crc32(chunk, crc);
  }
  return { sha256: hash.digest('hex'), crc };
}

/** SHA-256 of the first `bytes` of a file, hex. */
export async function digestOf(file: FileHandle, bytes: number): Promise<string> {
  return (await contentOf(file, 0, bytes)).sha256;
}

async function* chunksOf(file: FileHandle, offset: number, bytes: number): AsyncGenerator<Buffer> {
  for (let done = 0; done < bytes; ) {
    const chunk = Buffer.alloc(Math.min(chunkSize, bytes - done));
    await readExactly(file, chunk, offset + done);
    yield chunk;
    done += chunk.length;
  }
}

/** As people copy it: with colons or spaces, in either case, or its first 32 digits at least. */
function isSameFingerprint(expected: string, fingerprint: string): boolean {
  const plain = expected.toLowerCase().replaceAll(/[^0-9a-f]/g, '');
  return plain.length >= 32 && fingerprint.startsWith(plain);
}
