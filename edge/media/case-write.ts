import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CaseManifest } from '#edge/domain/case.ts';
import { syncFolder } from '#edge/runtime/durable-file.ts';
import { type EvidenceKey, signManifest } from './case-key.ts';
import { keyName, manifestName, manifestText, signatureName } from './case-manifest.ts';
import { digestOf } from './case-verify.ts';
import { type ZippedFile, ZipWriter } from './case-zip.ts';

/** Puts one file into the case. Throws CASE_REPEATED, CASE_TOO_LARGE, what the source and the disk say. */
export type AddToCase = (path: string, content: Buffer | AsyncIterable<Buffer | Uint8Array>) => Promise<ZippedFile>;

export interface WrittenCase {
  /** SHA-256 of the zip and of its manifest, hex. */
  readonly sha256: string;
  readonly manifest: string;
  readonly bytes: number;
}

/**
 * Writes a case: first what `fill` puts into it, which answers what to say of it, then the manifest, its signature and the key. The file is
 * there whole, or not at all (0600).
 */
export async function writeCase(
  file: string,
  made: number,
  key: EvidenceKey,
  fill: (add: AddToCase) => Promise<Omit<CaseManifest, 'files' | 'key' | 'case'>>,
): Promise<WrittenCase> {
  const part = `${file}.part`;
  try {
    const written = await writePart(part, made, key, fill);
    await rename(part, file);
    await syncFolder(dirname(file));
    return written;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function writePart(
  part: string,
  made: number,
  key: EvidenceKey,
  fill: (add: AddToCase) => Promise<Omit<CaseManifest, 'files' | 'key' | 'case'>>,
): Promise<WrittenCase> {
  await using handle = await open(part, 'w+', 0o600);
  const zip = new ZipWriter(handle, made);
  const about = await fill((path, content) => zip.add(path, content));
  const files = zip.entries.map(({ name, bytes, sha256 }) => ({ path: name, bytes, sha256 }));
  const manifest = Buffer.from(manifestText({ case: 1, ...about, key: key.fingerprint, files }));
  const { sha256 } = await zip.add(manifestName, manifest);
  await zip.add(signatureName, signManifest(key, manifest));
  await zip.add(keyName, Buffer.from(key.publicKey));
  await zip.end();
  const { size: bytes } = await handle.stat();
  return { sha256: await digestOf(handle, bytes), manifest: sha256, bytes };
}
