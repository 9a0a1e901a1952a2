import { z } from 'zod';
import type { CaseManifest } from '#edge/domain/case.ts';

/* `manifest.json`: what is in a case, byte for byte, of what, by whom and why. Its bytes are what is signed. */

export const manifestName = 'manifest.json';
export const signatureName = 'manifest.sig';
export const keyName = 'evidence-key.pem';
/** They prove the others, and come last. */
export const proofNames = [manifestName, signatureName, keyName] as const;
export const largestManifest = 8_000_000;

const line = (most: number) => z.string().max(most);
const time = z.int().min(0).max(8.64e15);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
/** Within the case: folders and names of plain characters, nothing that climbs or hides. */
const path = z.string().regex(/^(?:[a-z0-9][a-z0-9_-]{0,63}\/){0,3}[A-Za-z0-9][A-Za-z0-9._-]{0,150}$/);

const schema = z.strictObject({
  case: z.literal(1),
  id: line(64),
  incident: line(64),
  campus: z.strictObject({ id: line(20), zh: line(200), en: line(200) }),
  made: z.strictObject({ time, who: line(100), name: line(100), why: line(500) }),
  footage: z.strictObject({ from: time, to: time, cameras: z.array(line(63)).max(64), masked: z.boolean() }),
  software: line(50),
  key: digest,
  files: z.array(z.strictObject({ path, bytes: z.int().min(0), sha256: digest })).max(20_000),
  missing: z.array(z.strictObject({ what: line(300), why: line(500) })).max(5_000),
});

export function manifestText(manifest: CaseManifest): string {
  return `${JSON.stringify(schema.parse(manifest), null, 2)}\n`;
}

/** null: it is no manifest, or one that is written otherwise than we write it. */
export function readManifest(text: string): CaseManifest | null {
  try {
    const manifest = schema.parse(JSON.parse(text));
    return manifestText(manifest) === text ? manifest : null;
  } catch {
    return null;
  }
}
