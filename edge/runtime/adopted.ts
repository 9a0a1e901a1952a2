import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { liesOpen, openAddress, sealAddress } from './address-secrets.ts';
import { CodedError, codeOf, messageOf } from './errors.ts';
import { loadSealer, type Sealer } from './seal.ts';
import { describeIssues, type Site, type SiteDevice, siteDeviceSchema } from './site.ts';

/*
 * Devices that a person adopted while the campus ran: `<data>/devices.json`, beside the site file, which stays the
 * technician's. Written by core alone, read whenever a process starts. Passwords in it are sealed with a key of another file.
 */

const largestFile = 5_000_000;
export const mostAdopted = 2_000;

/** Each device is checked by itself: one that does not fit takes no other with it. */
const fileSchema = z.strictObject({ version: z.literal(1), devices: z.array(z.unknown()).max(mostAdopted) });

export interface AdoptedDevices {
  readonly devices: readonly SiteDevice[];
  /** What is wrong in the file, a sentence each. */
  readonly problems: readonly string[];
  /** The file as a whole can be read: it may be written again. */
  readonly isWhole: boolean;
}

export function adoptedFile(data: string): string {
  return join(data, 'devices.json');
}

/** What was adopted; nothing when there is no file. Never throws: a file that cannot be read is a problem that people see. */
export function readAdopted(data: string): AdoptedDevices {
  const file = adoptedFile(data);
  let parsed: z.infer<typeof fileSchema>;
  try {
    const { size } = statSync(file);
    if (size > largestFile) throw new Error(`it has ${size} bytes, and at most ${largestFile} are read`);
    const result = fileSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (!result.success) throw new Error(describeIssues(result.error));
    parsed = result.data;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { devices: [], problems: [], isWhole: true };
    return { devices: [], problems: [`adopted devices are left out: ${file}: ${messageOf(error)}`], isWhole: false };
  }
  const devices: SiteDevice[] = [];
  const problems: string[] = [];
  const sealer = lazySealer(data);
  const closed: string[] = [];
  parsed.devices.forEach((input, i) => {
    const result = siteDeviceSchema.safeParse(input);
    if (result.success) {
      const { address, problems: said } = openAddress(sealer, result.data.id, result.data.address);
      devices.push({ ...result.data, address });
      closed.push(...said);
    } else problems.push(`devices.json: devices[${i}].${describeIssues(result.error).split('\n').join('; ')}`);
  });
  // A password that does not open stays sealed when the list is written again: the list itself is whole.
  return { devices, problems: [...problems, ...closed], isWhole: problems.length === 0 };
}

/** The key is read, or made, only where there is something to seal. */
function lazySealer(data: string): () => Sealer {
  let sealer: Sealer | null = null;
  return () => {
    sealer ??= loadSealer(data);
    return sealer;
  };
}

/** Seals what an older version has left open; true when it did. Throws ADOPTED_WRITE. */
export function sealAdopted(data: string): boolean {
  const { devices, isWhole } = readAdopted(data);
  if (!isWhole || !devices.some(({ address }) => liesOpen(address))) return false;
  if (!hasOpenSecrets(adoptedFile(data))) return false;
  writeAdopted(data, devices);
  return true;
}

function hasOpenSecrets(file: string): boolean {
  const { devices } = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  return devices.some((input) => {
    const result = siteDeviceSchema.safeParse(input);
    return result.success && liesOpen(result.data.address);
  });
}

/**
 * The site with what was adopted. The site file wins: an adopted device whose id it has meanwhile, or whose zone or
 * space it has no more, is left out and named. A device of our plain JSON signs in under its own id.
 */
export function mergeAdopted(site: Site, { devices, problems }: AdoptedDevices): Site {
  const said: string[] = [...problems];
  const merged: SiteDevice[] = [];
  const taken = new Set<string>(site.devices.map(({ id }) => id));
  for (const device of devices) {
    const wrong = misfitOf(site, device, taken);
    if (wrong === null) merged.push(device);
    else said.push(`adopted device "${device.id}" is left out: ${wrong}`);
    taken.add(device.id);
  }
  if (merged.length === 0 && said.length === 0) return site;
  return {
    ...site,
    devices: [...site.devices, ...merged],
    clients: withPlainClients(site, merged),
    adopted: merged.map(({ id }) => id),
    adoptionProblems: said,
  };
}

/** Why a device cannot join a campus whose ids in use are `taken`; null when it can. */
export function misfitOf(site: Site, device: SiteDevice, taken: ReadonlySet<string>): string | null {
  if (taken.has(device.id)) return `the campus has a device "${device.id}" already`;
  if (!site.zones.some(({ id }) => id === device.zone)) return `there is no zone "${device.zone}"`;
  const { space } = device;
  if (space === undefined) return null;
  const hasSpace = site.buildings.some(({ floors }) =>
    floors.some(({ spaces }) => spaces.some(({ id }) => id === space)),
  );
  return hasSpace ? null : `there is no space "${space}"`;
}

function withPlainClients(site: Site, devices: readonly SiteDevice[]): Site['clients'] {
  const plain = devices.filter(({ address }) => address.json === true).map(({ id }) => id);
  const declared = site.clients.map((client) => {
    const own = plain.find((id) => id === client.id);
    return own === undefined ? client : { ...client, devices: [...client.devices, own] };
  });
  const fresh = plain.filter((id) => !site.clients.some((client) => client.id === id));
  const granted = fresh.map((id) => ({ id, publish: [], subscribe: [], devices: [id], requests: [] }));
  return [...declared, ...granted];
}

/** Puts the whole list in place of the old one, on disk when it returns. Throws ADOPTED_WRITE. */
export function writeAdopted(data: string, devices: readonly SiteDevice[]): void {
  const file = adoptedFile(data);
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const sealer = lazySealer(data);
    const sealed = devices.map((device) => ({ ...device, address: sealAddress(sealer, device.id, device.address) }));
    const text = JSON.stringify({ version: 1, devices: sealed }, null, 2);
    writeFileSync(draft, `${text}\n`, { mode: 0o600, flush: true });
    renameSync(draft, file);
    syncFolder(dirname(file));
  } catch (error) {
    rmSync(draft, { force: true });
    throw new CodedError('ADOPTED_WRITE', `cannot write ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** A new name in a folder is on disk when the folder is. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
