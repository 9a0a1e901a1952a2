import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { CodedError } from '#edge/runtime/errors.ts';

/*
 * A zip file as cases need it (PKWARE APPNOTE 6.3.10): everything stored as it is, video does not shrink; no limit of 4 GB; and every
 * byte that is not a file's own follows from names, sizes, checksums and one time, so that a verifier can say what each must be.
 */

export interface ZipEntry {
  readonly name: string;
  readonly bytes: number;
  readonly crc: number;
}

/** A file as it was written. */
export interface ZippedFile extends ZipEntry {
  /** SHA-256, hex. */
  readonly sha256: string;
}

const most32 = 0xffff_ffff;
const signatures = {
  local: 0x0403_4b50,
  central: 0x0201_4b50,
  end64: 0x0606_4b50,
  locator: 0x0706_4b50,
  end: 0x0605_4b50,
};
/** ZIP64 is spoken from 4.5 on; bit 11: names are UTF-8; 3: made on UNIX, a plain file that its owner may read. */
const needed = 45;
const flags = 0x0800;
const madeBy = (3 << 8) | needed;
const attributes = (0o100600 << 16) >>> 0;

/** Time of all entries, ms since epoch: DOS has two seconds and no zone, so it is UTC. */
function dosTime(time: number): { readonly time: number; readonly date: number } {
  const at = new Date(time);
  const year = Math.min(Math.max(at.getUTCFullYear(), 1980), 2107);
  return {
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    date: ((year - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
  };
}

/** Always with its 64-bit sizes, so that its length does not hang on them. */
export function localHeader({ name, bytes, crc }: ZipEntry, made: number): Buffer {
  const spelled = Buffer.from(name, 'utf8');
  const { time, date } = dosTime(made);
  const head = Buffer.alloc(30 + spelled.length + 20);
  head.writeUInt32LE(signatures.local, 0);
  head.writeUInt16LE(needed, 4);
  head.writeUInt16LE(flags, 6);
  head.writeUInt16LE(0, 8);
  head.writeUInt16LE(time, 10);
  head.writeUInt16LE(date, 12);
  head.writeUInt32LE(crc, 14);
  head.writeUInt32LE(most32, 18);
  head.writeUInt32LE(most32, 22);
  head.writeUInt16LE(spelled.length, 26);
  head.writeUInt16LE(20, 28);
  spelled.copy(head, 30);
  const extra = 30 + spelled.length;
  head.writeUInt16LE(1, extra);
  head.writeUInt16LE(16, extra + 2);
  head.writeBigUInt64LE(BigInt(bytes), extra + 4);
  head.writeBigUInt64LE(BigInt(bytes), extra + 12);
  return head;
}

function centralHeader({ name, bytes, crc }: ZipEntry, offset: number, made: number): Buffer {
  const spelled = Buffer.from(name, 'utf8');
  const { time, date } = dosTime(made);
  const head = Buffer.alloc(46 + spelled.length + 28);
  head.writeUInt32LE(signatures.central, 0);
  head.writeUInt16LE(madeBy, 4);
  head.writeUInt16LE(needed, 6);
  head.writeUInt16LE(flags, 8);
  head.writeUInt16LE(0, 10);
  head.writeUInt16LE(time, 12);
  head.writeUInt16LE(date, 14);
  head.writeUInt32LE(crc, 16);
  head.writeUInt32LE(most32, 20);
  head.writeUInt32LE(most32, 24);
  head.writeUInt16LE(spelled.length, 28);
  head.writeUInt16LE(28, 30);
  head.writeUInt32LE(attributes, 38);
  head.writeUInt32LE(most32, 42);
  spelled.copy(head, 46);
  const extra = 46 + spelled.length;
  head.writeUInt16LE(1, extra);
  head.writeUInt16LE(24, extra + 2);
  head.writeBigUInt64LE(BigInt(bytes), extra + 4);
  head.writeBigUInt64LE(BigInt(bytes), extra + 12);
  head.writeBigUInt64LE(BigInt(offset), extra + 20);
  return head;
}

/** The directory and what ends the file. `start`: where it begins. */
export function zipEnd(entries: readonly ZipEntry[], start: number, made: number): Buffer {
  let offset = 0;
  const headers = entries.map((entry) => {
    const header = centralHeader(entry, offset, made);
    offset += localHeader(entry, made).length + entry.bytes;
    return header;
  });
  const directory = Buffer.concat(headers);
  const tail = Buffer.alloc(56 + 20 + 22);
  tail.writeUInt32LE(signatures.end64, 0);
  tail.writeBigUInt64LE(44n, 4);
  tail.writeUInt16LE(madeBy, 12);
  tail.writeUInt16LE(needed, 14);
  tail.writeBigUInt64LE(BigInt(entries.length), 24);
  tail.writeBigUInt64LE(BigInt(entries.length), 32);
  tail.writeBigUInt64LE(BigInt(directory.length), 40);
  tail.writeBigUInt64LE(BigInt(start), 48);
  tail.writeUInt32LE(signatures.locator, 56);
  tail.writeBigUInt64LE(BigInt(start + directory.length), 64);
  tail.writeUInt32LE(1, 72);
  tail.writeUInt32LE(signatures.end, 76);
  tail.writeUInt16LE(Math.min(entries.length, 0xffff), 84);
  tail.writeUInt16LE(Math.min(entries.length, 0xffff), 86);
  tail.writeUInt32LE(most32, 88);
  tail.writeUInt32LE(most32, 92);
  return Buffer.concat([directory, tail]);
}

/** What the end of a file says of what is in it. Throws CASE_NO_ZIP where it is none of ours. */
export async function readZipNames(
  file: FileHandle,
  size: number,
): Promise<readonly { name: string; bytes: number; offset: number }[]> {
  const none = new CodedError('CASE_NO_ZIP', 'it is no case, or its end is damaged or missing');
  const tail = Buffer.alloc(98);
  if (size < tail.length) throw none;
  await readExactly(file, tail, size - tail.length);
  const isOurs =
    tail.readUInt32LE(0) === signatures.end64 &&
    tail.readUInt32LE(56) === signatures.locator &&
    tail.readUInt32LE(76) === signatures.end;
  const [count, length, start] = [24, 40, 48].map((at) => Number(tail.readBigUInt64LE(at)));
  if (!isOurs || count === undefined || length === undefined || start === undefined) throw none;
  if (count > mostEntries || length > mostDirectory || start + length !== size - tail.length) throw none;
  const directory = Buffer.alloc(length);
  await readExactly(file, directory, start);
  const found: { name: string; bytes: number; offset: number }[] = [];
  for (let at = 0; at < length; ) {
    if (at + 46 > length || directory.readUInt32LE(at) !== signatures.central) throw none;
    const spelled = directory.readUInt16LE(at + 28);
    const extra = at + 46 + spelled;
    if (directory.readUInt16LE(at + 30) !== 28 || extra + 28 > length) throw none;
    const name = directory.toString('utf8', at + 46, extra);
    const [bytes, offset] = [extra + 4, extra + 20].map((place) => Number(directory.readBigUInt64LE(place)));
    if (bytes === undefined || offset === undefined || offset + bytes > start) throw none;
    found.push({ name, bytes, offset: offset + 30 + spelled + 20 });
    at = extra + 28;
  }
  if (found.length !== count) throw none;
  return found;
}

const mostEntries = 20_000;
const mostDirectory = 16_000_000;

/** Throws CASE_NO_ZIP where the file ends before. */
export async function readExactly(file: FileHandle, buffer: Buffer, position: number): Promise<void> {
  for (let done = 0; done < buffer.length; ) {
    const { bytesRead } = await file.read(buffer, done, buffer.length - done, position + done);
    if (bytesRead === 0) throw new CodedError('CASE_NO_ZIP', 'the file ends too early');
    done += bytesRead;
  }
}

/** Writes a case into a file, one entry after the other. */
export class ZipWriter {
  readonly #file: FileHandle;
  readonly #made: number;
  readonly #entries: ZippedFile[] = [];
  #offset = 0;

  constructor(file: FileHandle, made: number) {
    this.#file = file;
    this.#made = made;
  }

  get entries(): readonly ZippedFile[] {
    return this.#entries;
  }

  get bytes(): number {
    return this.#offset;
  }

  /** Throws CASE_REPEATED for a name that is there already, and what the source and the disk say. */
  async add(name: string, content: Buffer | AsyncIterable<Buffer | Uint8Array>): Promise<ZippedFile> {
    if (this.#entries.some((entry) => entry.name === name))
      throw new CodedError('CASE_REPEATED', `${name} is in it already`);
    if (this.#entries.length >= mostEntries) throw new CodedError('CASE_TOO_LARGE', `more than ${mostEntries} files`);
    const start = this.#offset;
    // Sizes and checksum are known when all is written: the header has room for them.
    await this.#write(localHeader({ name, bytes: 0, crc: 0 }, this.#made));
    const hash = createHash('sha256');
    let [bytes, crc] = [0, 0];
    for await (const chunk of Buffer.isBuffer(content) ? [content] : content) {
      hash.update(chunk);
      crc = crc32(chunk, crc);
      bytes += chunk.length;
      await this.#write(chunk);
    }
    await this.#writeAt(localHeader({ name, bytes, crc }, this.#made), start);
    const entry = { name, bytes, crc, sha256: hash.digest('hex') };
    this.#entries.push(entry);
    return entry;
  }

  /** The directory; nothing may be added after it. On disk when it resolves. */
  async end(): Promise<void> {
    await this.#write(zipEnd(this.#entries, this.#offset, this.#made));
    await this.#file.sync();
  }

  async #write(chunk: Uint8Array): Promise<void> {
    await this.#writeAt(chunk, this.#offset);
    this.#offset += chunk.length;
  }

  async #writeAt(chunk: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < chunk.length; ) {
      const { bytesWritten } = await this.#file.write(chunk, done, chunk.length - done, position + done);
      done += bytesWritten;
    }
  }
}
