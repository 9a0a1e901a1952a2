import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { DeviceId } from '#edge/domain/ids.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import type { PictureMask } from '#edge/runtime/site-cameras.ts';
import type { Footage, FootagePath } from './footage.ts';
import { type FootageContent, type FragmentPlace, readFootage } from './footage-file.ts';
import { PictureCache } from './picture-cache.ts';
import { type FootageFfmpeg, maskedCodec, maskFilter, runFfmpeg } from './picture-ffmpeg.ts';

export interface PicturesOptions {
  readonly footage: Footage;
  /** null: there is none, and then nothing can be made. */
  readonly ffmpeg: () => FootageFfmpeg | null;
  readonly masksOf: (camera: DeviceId) => readonly PictureMask[];
}

export interface PictureWish {
  /** Pixels; the height follows. */
  readonly width: number;
  /** Covers what only few may see. */
  readonly isMasked: boolean;
}

export interface Picture {
  readonly jpeg: Buffer;
  /** When it was taken: the key frame at or before the moment asked for, ms since epoch. */
  readonly time: number;
}

const pictureTime = 15_000;
const segmentTime = 60_000;
const mostPicture = 8_000_000;
const mostSegment = 64_000_000;
const mostContents = 64;

/** Pictures and masked video out of footage, made by ffmpeg when somebody asks. */
export class Pictures {
  readonly #options: PicturesOptions;
  readonly #pictures = new PictureCache({ bytes: 64e6, atOnce: 2, waiting: 64 });
  readonly #segments = new PictureCache({ bytes: 64e6, atOnce: 1, waiting: 16 });
  /** Where the key frames of finished files are: hovering over a timeline asks for one file again and again. */
  readonly #contents = new Map<string, FootageContent>();

  constructor(options: PicturesOptions) {
    this.#options = options;
  }

  /** The picture of a moment. Throws FOOTAGE_NOT_FOUND (a gap), MEDIA_NO_FFMPEG, MEDIA_BUSY, FFMPEG_FAILED. */
  async at(camera: DeviceId, time: number, { width, isMasked }: PictureWish): Promise<Picture> {
    const file = this.#options.footage.at(camera, time);
    if (file === null) throw noFootage(camera, time);
    const content = await this.#contentOf(camera, file);
    const key = keyBefore(content, time - file.from);
    if (key === null) throw noFootage(camera, time);
    const first = content.fragments[0]?.time ?? 0;
    const masks = isMasked ? this.#options.masksOf(camera) : [];
    const name = [camera, file.from, key.offset, width, maskFilter(masks)].join('/');
    const jpeg = await this.#pictures.get(name, () => this.#draw(file, content, key, width, masks));
    return { jpeg, time: Math.round(file.from + key.time - first) };
  }

  /** The same picture with what only few may see covered. Throws as `at`, and never gives back what came. */
  async mask(camera: DeviceId, jpeg: Buffer): Promise<Buffer> {
    const filter = maskFilter(this.#options.masksOf(camera));
    if (filter === '') return jpeg;
    const name = [camera, filter, createHash('sha256').update(jpeg).digest('hex')].join('/');
    const args = ['-f', 'mjpeg', '-i', 'pipe:0', '-frames:v', '1', '-vf', filter, '-q:v', '3', '-f', 'mjpeg', 'pipe:1'];
    return this.#pictures.get(name, () => this.#run(args, [jpeg], mostPicture, pictureTime));
  }

  /** A whole file with its masks burnt in; it plays in the place of the original. Throws as `at`. */
  async maskedSegment(camera: DeviceId, file: FootagePath): Promise<Buffer> {
    const filter = maskFilter(this.#options.masksOf(camera));
    const name = [camera, file.from, file.bytes, filter].join('/');
    const flags = '+frag_keyframe+empty_moov+default_base_moof';
    const args = [
      '-f',
      'mp4',
      '-i',
      'pipe:0',
      '-an',
      '-vf',
      filter,
      ...maskedCodec,
      '-movflags',
      flags,
      '-f',
      'mp4',
      'pipe:1',
    ];
    return this.#segments.get(name, async () => {
      const bytes = await readPart(file.path, 0, file.bytes);
      return this.#run(args, [bytes], mostSegment, segmentTime);
    });
  }

  async #draw(
    file: FootagePath,
    content: FootageContent,
    key: FragmentPlace,
    width: number,
    masks: readonly PictureMask[],
  ): Promise<Buffer> {
    const fragment = await readPart(file.path, key.offset, key.size);
    const filter = [maskFilter(masks), `scale='min(${width},iw)':-2`].filter((part) => part !== '').join(',');
    const args = [
      '-f',
      'mp4',
      '-i',
      'pipe:0',
      '-frames:v',
      '1',
      '-an',
      '-vf',
      filter,
      '-q:v',
      '4',
      '-f',
      'mjpeg',
      'pipe:1',
    ];
    const jpeg = await this.#run(args, [content.init, fragment], mostPicture, pictureTime);
    if (jpeg.length === 0) throw new CodedError('FFMPEG_FAILED', 'ffmpeg made no picture of this');
    return jpeg;
  }

  #run(args: readonly string[], input: readonly Buffer[], mostOutput: number, timeout: number): Promise<Buffer> {
    const ffmpeg = this.#options.ffmpeg();
    if (ffmpeg === null) throw new CodedError('MEDIA_NO_FFMPEG', 'no ffmpeg was found on this machine');
    return runFfmpeg({ ffmpeg, args, input, mostOutput, timeout });
  }

  async #contentOf(camera: DeviceId, file: FootagePath): Promise<FootageContent> {
    const known = this.#contents.get(file.path);
    if (known !== undefined) return known;
    try {
      const content = await readFootage(file.path);
      if (file.isOpen) return content;
      const [oldest] = this.#contents.keys();
      if (this.#contents.size >= mostContents && oldest !== undefined) this.#contents.delete(oldest);
      this.#contents.set(file.path, content);
      return content;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      this.#options.footage.forget(camera, file.from);
      throw noFootage(camera, file.from);
    }
  }
}

function keyBefore({ fragments }: FootageContent, offset: number): FragmentPlace | null {
  const first = fragments[0]?.time ?? 0;
  const keys = fragments.filter(({ isKey }) => isKey);
  return keys.findLast(({ time }) => time - first <= offset) ?? keys[0] ?? null;
}

async function readPart(path: string, offset: number, size: number): Promise<Buffer> {
  await using handle = await open(path, 'r');
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(size), 0, size, offset);
  return buffer.subarray(0, bytesRead);
}

function noFootage(camera: DeviceId, time: number): CodedError {
  return new CodedError('FOOTAGE_NOT_FOUND', `there is no footage of "${camera}" at ${time}`);
}
