import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { extract } from 'tar';

/*
 * The browser that npm brought (x64 Linux), with the libraries it needs that a bare machine has not, and a font. The package's
 * own unpacking takes whatever lies at <tmp>/chromium for whole: half a file of a run that was killed, or another version.
 */

const modules = join(import.meta.dirname, '../../node_modules');
const packed = join(modules, '@sparticuz/chromium');
const cache = join(modules, '.cache/campus-chromium');
const systemFonts = '/etc/fonts/fonts.conf';

export interface Chromium {
  readonly executablePath: string;
  /** Besides the environment there is. */
  readonly env: Readonly<Record<string, string>>;
}

/** Unpacks it once a version (209 MB, about 5 s); a folder that has its name is whole. */
export async function unpackPacked(): Promise<Chromium> {
  const { version } = JSON.parse(readFileSync(join(packed, 'package.json'), 'utf8')) as { readonly version: string };
  const folder = join(cache, version);
  if (!existsSync(folder)) {
    const making = `${folder}.making-${process.pid}`;
    try {
      await mkdir(making, { recursive: true });
      await unpack(making, folder);
      // Another run may have been quicker: its result is as good as ours.
      await rename(making, folder).catch((error: unknown) => {
        if (!existsSync(folder)) throw error;
      });
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  }
  return {
    executablePath: join(folder, 'chromium'),
    env: {
      LD_LIBRARY_PATH: join(folder, 'lib'),
      ...(existsSync(systemFonts) ? {} : { FONTCONFIG_FILE: join(folder, 'fonts.conf') }),
    },
  };
}

/** `folder` is where it will lie. */
async function unpack(making: string, folder: string): Promise<void> {
  const content = (name: string) =>
    [createReadStream(join(packed, 'bin', name)), createBrotliDecompress({ chunkSize: 2 ** 21 })] as const;
  await Promise.all([
    pipeline(...content('chromium.br'), createWriteStream(join(making, 'chromium'), { mode: 0o700 })),
    pipeline(...content('al2023.tar.br'), extract({ cwd: making })),
    pipeline(...content('fonts.tar.br'), extract({ cwd: making, filter: (path) => path.startsWith('fonts/') })),
  ]);
  const fonts = `<dir>${join(folder, 'fonts')}</dir><cachedir>${join(folder, 'fonts-cache')}</cachedir>`;
  await writeFile(join(making, 'fonts.conf'), `<?xml version="1.0"?><fontconfig>${fonts}</fontconfig>\n`);
}
