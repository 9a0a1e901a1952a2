import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { CodedError } from '#edge/runtime/errors.ts';

/* What a simulated camera films: a short clip, made once by ffmpeg, kept in a folder, and played over and over. */

/** One picture as the coder made it. */
export interface AccessUnit {
  /** NAL units without start codes. */
  readonly nals: readonly Buffer[];
  readonly isKey: boolean;
}

export interface RtspClip {
  readonly codec: 'h264' | 'h265';
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  /** SPS and PPS (H.265: VPS first), as the first key frame has them. */
  readonly parameterSets: readonly Buffer[];
  /** Begins with a key frame; one each second. */
  readonly pictures: readonly AccessUnit[];
}

export interface ClipOptions {
  /** ffmpeg; any version with libx264 (libx265 for H.265). */
  readonly ffmpeg: string;
  /** Where clips are kept; they are made again when they are not there. */
  readonly folder: string;
  /** Shown in the picture; letters, digits and `-` of it. */
  readonly name: string;
  readonly codec?: 'h264' | 'h265';
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  /** Default 12. */
  readonly seconds?: number;
  /** Pictures to film instead of a test pattern: `key` tells them apart from others in the folder. */
  readonly scene?: { readonly key: string; readonly size: string; picture(second: number): Uint8Array };
}

/** Squares in the lower left corner that say the number of a picture in the clip, lowest first: white is 1. */
export const numberBits = 12;
const encodeTime = 60_000;
const mostBytes = 64_000_000;
/** Raised when what a clip looks like changes: kept ones are then made anew. */
const edition = 2;

/** Makes a clip or takes it from the folder. Throws CLIP_FAILED with what ffmpeg said. */
export async function makeClip(options: ClipOptions): Promise<RtspClip> {
  const { codec = 'h264', width = 640, height = 360, frameRate = 25, seconds = 12 } = options;
  const facts = { edition, name: options.name, codec, width, height, frameRate, seconds, scene: options.scene?.key };
  const digest = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
  const file = join(options.folder, `clip-${digest}.${codec}`);
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch {
    bytes = await encode(options, { codec, width, height, frameRate, seconds });
    await mkdir(options.folder, { recursive: true });
    const part = `${file}.${randomUUID()}.part`;
    await writeFile(part, bytes);
    await rename(part, file);
  }
  return { codec, width, height, frameRate, ...readClip(bytes, codec) };
}

type Shape = Required<Pick<ClipOptions, 'codec' | 'width' | 'height' | 'frameRate' | 'seconds'>>;

async function encode(options: ClipOptions, shape: Shape): Promise<Buffer> {
  const { codec, width, height, frameRate, seconds } = shape;
  const { scene } = options;
  const source = scene
    ? ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', scene.size, '-r', String(frameRate), '-i', 'pipe:0']
    : ['-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=${frameRate}`];
  const coder =
    codec === 'h264'
      ? ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0', '-sc_threshold', '0', '-g', String(frameRate)]
      : [
          '-c:v',
          'libx265',
          '-preset',
          'ultrafast',
          '-x265-params',
          `log-level=none:bframes=0:scenecut=0:keyint=${frameRate}`,
        ];
  const head = ['-hide_banner', '-nostdin', '-loglevel', 'error', ...source, '-t', String(seconds)];
  const tail = [...coder, '-pix_fmt', 'yuv420p', '-f', codec === 'h264' ? 'h264' : 'hevc', 'pipe:1'];
  const title = scene ? [] : [titleFilter(options.name, width)];
  try {
    return await run(options.ffmpeg, [...head, '-vf', filters(shape, title), ...tail], scene, shape);
  } catch (error) {
    // Without fonts, or without the filter, there is no name in the picture.
    if (title.length === 0) throw error;
    return run(options.ffmpeg, [...head, '-vf', filters(shape, []), ...tail], scene, shape);
  }
}

function filters({ width, height }: Shape, title: readonly string[]): string {
  const side = Math.max(8, Math.round(width / 54));
  const top = height - side;
  const plate = `drawbox=x=0:y=${top}:w=${side * numberBits}:h=${side}:color=black:t=fill`;
  const bits = Array.from({ length: numberBits }, (_, bit) => {
    const isSet = `gte(mod(n\\,${2 ** (bit + 1)})\\,${2 ** bit})`;
    return `drawbox=x=${bit * side}:y=${top}:w=${side}:h=${side}:color=white:t=fill:enable='${isSet}'`;
  });
  return [`scale=${width}:${height}`, ...title, plate, ...bits].join(',');
}

function titleFilter(name: string, width: number): string {
  const size = Math.round(width / 22);
  const text = `${name.replaceAll(/[^\w -]/g, '').slice(0, 32)}  %{pts\\:hms}`;
  return `drawtext=text='${text}':fontsize=${size}:fontcolor=white:box=1:boxcolor=black@0.6:x=${size / 2}:y=${size / 2}`;
}

function run(ffmpeg: string, args: readonly string[], scene: ClipOptions['scene'], shape: Shape): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const limits = { encoding: 'buffer', maxBuffer: mostBytes, timeout: encodeTime, killSignal: 'SIGKILL' } as const;
    const child = execFile(ffmpeg, args, limits, (error, stdout, stderr) => {
      if (error === null && stdout.length > 0) return resolve(stdout);
      const said = stderr.toString().trim().slice(-400) || (error?.message ?? 'nothing came').slice(0, 400);
      reject(new CodedError('CLIP_FAILED', `ffmpeg made no clip: ${said}`, { cause: error }));
    });
    child.stdin?.on('error', () => {}); // it ended early, and says why on stderr
    if (scene === undefined) child.stdin?.end();
    else film(child.stdin, scene, shape);
  });
}

/** Picture by picture, letting others have their turn: drawing one takes about 12 ms. */
function film(into: Writable | null, scene: NonNullable<ClipOptions['scene']>, shape: Shape): void {
  const all = shape.seconds * shape.frameRate;
  let index = 0;
  const more = (): void => {
    if (into === null || into.destroyed) return;
    if (index === all) return void into.end();
    const wantsMore = into.write(scene.picture(index++ / shape.frameRate));
    if (wantsMore) setImmediate(more);
    else into.once('drain', more);
  };
  more();
}

/** Cuts a byte stream of ITU-T H.264 or H.265 annex B into pictures; each is one slice or several that begin with a first one. */
export function readClip(bytes: Buffer, codec: RtspClip['codec']): Pick<RtspClip, 'parameterSets' | 'pictures'> {
  const kinds = codec === 'h264' ? h264 : h265;
  const pictures: AccessUnit[] = [];
  let nals: Buffer[] = [];
  let hasSlice = false;
  let isKey = false;
  const close = (): void => {
    if (hasSlice) pictures.push({ nals, isKey });
    if (hasSlice) nals = [];
    hasSlice = false;
    isKey = false;
  };
  for (const nal of annexB(bytes)) {
    const type = kinds.typeOf(nal);
    if (hasSlice && (kinds.isSlice(type) ? kinds.isFirst(nal) : true)) close();
    if (kinds.isLeftOut(type)) continue;
    nals.push(nal);
    hasSlice ||= kinds.isSlice(type);
    isKey ||= kinds.isKey(type);
  }
  close();
  const parameterSets = (pictures[0]?.nals ?? []).filter((nal) => kinds.isParameter(kinds.typeOf(nal)));
  if (pictures[0]?.isKey !== true || parameterSets.length === 0)
    throw new CodedError('CLIP_FAILED', 'the clip does not begin with a key frame');
  return { parameterSets, pictures };
}

// ITU-T H.264 table 7-1: 1 to 5 slices (5 = IDR), 6 SEI, 7 SPS, 8 PPS, 9 delimiter.
const h264 = {
  typeOf: (nal: Buffer) => (nal[0] ?? 0) & 0x1f,
  isSlice: (type: number) => type >= 1 && type <= 5,
  isKey: (type: number) => type === 5,
  isParameter: (type: number) => type === 7 || type === 8,
  isLeftOut: (type: number) => type === 6 || type === 9,
  /** first_mb_in_slice is 0, which is one bit. */
  isFirst: (nal: Buffer) => ((nal[1] ?? 0) & 0x80) !== 0,
};

// ITU-T H.265 table 7-1: below 32 slices (16 to 21 random access), 32 VPS, 33 SPS, 34 PPS, 35 delimiter, 39 and 40 SEI.
const h265 = {
  typeOf: (nal: Buffer) => ((nal[0] ?? 0) >> 1) & 0x3f,
  isSlice: (type: number) => type < 32,
  isKey: (type: number) => type >= 16 && type <= 21,
  isParameter: (type: number) => type >= 32 && type <= 34,
  isLeftOut: (type: number) => type >= 35,
  isFirst: (nal: Buffer) => ((nal[2] ?? 0) & 0x80) !== 0,
};

function* annexB(bytes: Buffer): Generator<Buffer> {
  const start = Buffer.from([0, 0, 1]);
  let from = bytes.indexOf(start);
  while (from !== -1) {
    const next = bytes.indexOf(start, from + 3);
    let end = next === -1 ? bytes.length : next;
    while (end > from + 3 && bytes[end - 1] === 0) end--;
    if (end > from + 3) yield bytes.subarray(from + 3, end);
    from = next;
  }
}
