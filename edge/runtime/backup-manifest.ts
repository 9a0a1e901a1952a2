import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { z } from 'zod';

/* What lies in a back-up: a gzipped tar with `manifest.json` first, then `data/...` and `site/...`, files only. */

export const manifestName = 'manifest.json';
export const databaseName = 'data/campus.db';
/** A campus of 30 days of pictures has some ten thousand. */
export const mostFiles = 200_000;
export const largestManifest = 60_000_000;

/** Relative, forward slashes, nothing that climbs or hides: also what a stranger's archive may say at most. */
const path = z
  .string()
  .max(1_000)
  .refine((text) => isInnerPath(text), 'is not a path inside the back-up');

export const manifestSchema = z.strictObject({
  manifest: z.literal(1),
  /** ms since epoch. */
  time: z.int().min(0),
  software: z.strictObject({ version: z.string().max(50), node: z.string().max(50) }),
  campus: z.strictObject({ id: z.string().max(20), zh: z.string().max(200), en: z.string().max(200) }).nullable(),
  /** PRAGMA user_version of the database; null: there is none in it. */
  schema: z.int().min(0).nullable(),
  /** Hash of the newest line of the audit, as far as the one who made the back-up was told. */
  auditHead: z.string().max(300).nullable(),
  siteFile: path.nullable(),
  /** What the site file names and is not in here (absolute paths). */
  elsewhere: z.array(z.string().max(1_000)).max(1_000),
  pictures: z.boolean(),
  files: z
    .array(z.strictObject({ path, bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
    .max(mostFiles),
});
export type Manifest = z.infer<typeof manifestSchema>;

export function isInnerPath(text: string): boolean {
  const parts = text.split('/');
  const isPlain = (part: string): boolean => part !== '' && part !== '.' && part !== '..' && !/[\\\p{Cc}]/u.test(part);
  return (parts[0] === 'data' || parts[0] === 'site') && parts.length > 1 && parts.length <= 30 && parts.every(isPlain);
}

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}

/** `user_version` stands in the header of a SQLite file: 4 bytes at offset 60 (sqlite.org/fileformat2, 1.3). */
export async function schemaOf(file: string): Promise<number | null> {
  await using handle = await open(file, 'r');
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
  return bytesRead === 64 && buffer.toString('latin1', 0, 15) === 'SQLite format 3' ? buffer.readUInt32BE(60) : null;
}
