import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/*
 * Builds the browser code of the console with Vite, once for each content of its sources. The result is not in git: it
 * lies in node_modules/.cache/campus-console/<digest>, and `npm start` and the tests make it when it is not there.
 */

const here = import.meta.dirname;
const root = join(here, '../../..');
const cache = join(root, 'node_modules/.cache/campus-console');
/** Besides the console's own folder: what it takes names, shapes and versions from. */
const alsoRead = ['package-lock.json', 'edge/domain'];
/** Builds that are kept, each about 3 MB. */
const mostKept = 8;

function filesBelow(path: string): string[] {
  if (!existsSync(path)) return [];
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function digestOfSources(): string {
  const digest = createHash('sha256');
  const [lock = '', domain = ''] = alsoRead.map((path) => join(root, path));
  for (const file of [lock, ...[...filesBelow(here), ...filesBelow(domain)].sort()]) {
    digest.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  }
  return digest.digest('hex').slice(0, 20);
}

/** Where the console that fits these sources lies, or will lie once `buildConsole` made it. */
function folderOfSources(): string {
  return join(cache, digestOfSources());
}

function isBuilt(folder: string): boolean {
  return existsSync(join(folder, 'index.html'));
}

/**
 * Where the console is to be served from: the one of these sources, else the latest that was built (somebody is editing, or
 * did not build after an update: yesterday's console is better than none). Does not build; the folder may be missing.
 */
export function consoleFolder(): string {
  const wanted = folderOfSources();
  if (isBuilt(wanted) || !existsSync(cache)) return wanted;
  const built = readdirSync(cache)
    .map((name) => join(cache, name))
    .filter((folder) => !folder.includes('.making-') && isBuilt(folder));
  const [latest] = built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  return latest ?? wanted;
}

/**
 * Makes the console unless it is there already, and answers with its folder: index.html (holding `__CSP_NONCE__`, which the
 * server replaces), assets/ with names that change with their content, and a .gz and .br beside each file worth it.
 */
export async function buildConsole(): Promise<string> {
  const folder = folderOfSources();
  if (isBuilt(folder)) {
    await utimes(folder, new Date(), new Date());
    return folder;
  }
  const making = `${folder}.making-${process.pid}`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { recursive: true });
  try {
    await asProduction(() => bundle(making));
    await compressAll(making);
    // Another builder may have been quicker: its result is as good as ours.
    await rename(making, folder).catch((error: unknown) => {
      if (!isBuilt(folder)) throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  await removeOld();
  return folder;
}

/** Vite goes by NODE_ENV whatever its mode: a test runner would make React for development, and leave it to `npm start`. */
async function asProduction(work: () => Promise<void>): Promise<void> {
  const { NODE_ENV: before } = process.env;
  process.env.NODE_ENV = 'production';
  try {
    await work();
  } finally {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  }
}

/** What every page needs once somebody is signed in, each too small to be fetched by itself. */
const ground =
  /[\\/]console[\\/](?:address|alarm-groups|kind-icons|names|use-live|live|coalesce|sentences|domain-words|energy-sentences)\.tsx?$|[\\/]console[\\/]kit[\\/](?:age|badges|state-text|state-words|values|value-words|units)\.tsx?$/;

async function bundle(outDir: string): Promise<void> {
  const { build } = await import('vite');
  await build({
    root: here,
    base: './',
    configFile: false,
    envDir: false,
    publicDir: join(here, 'public'),
    cacheDir: join(cache, 'vite'),
    logLevel: 'error',
    mode: 'production',
    oxc: { jsx: { runtime: 'automatic' } },
    build: {
      outDir,
      emptyOutDir: false,
      target: ['chrome111', 'edge111', 'firefox114', 'safari16.4'],
      sourcemap: false,
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      chunkSizeWarningLimit: 900,
      // The parts of Ant Design do nothing when they are merely imported, and do not say so: what is not used stays out.
      rolldownOptions: {
        treeshake: { moduleSideEffects: [{ test: /[\\/]@rc-component[\\/]/, sideEffects: false }] },
        output: {
          codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: 'ground', test: ground }] },
        },
      },
    },
  });
}

const compressible = /\.(?:html|js|css|svg|json|webmanifest)$/;

async function compressAll(folder: string): Promise<void> {
  const [zip, brotli] = [promisify(gzip), promisify(brotliCompress)];
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
  for (const file of filesBelow(folder).filter((name) => compressible.test(name) && !name.endsWith('index.html'))) {
    const content = await readFile(file);
    if (content.length < 1_024) continue;
    await writeFile(`${file}.gz`, await zip(content, { level: 9 }));
    await writeFile(`${file}.br`, await brotli(content, quality));
  }
}

/** The latest stay, so that a campus that runs goes on serving its own; older ones go. */
async function removeOld(): Promise<void> {
  const folders = await Promise.all(
    (await readdir(cache))
      .filter((name) => /^[0-9a-f]{20}$/.test(name))
      .map(async (name) => ({ name, time: (await stat(join(cache, name)).catch(() => null))?.mtimeMs ?? 0 })),
  );
  const old = folders.sort((a, b) => b.time - a.time).slice(mostKept);
  for (const { name } of old) await rm(join(cache, name), { recursive: true, force: true });
}

/** Builds and says so, once. */
export async function buildAndSay(): Promise<void> {
  const started = performance.now();
  const wasThere = isBuilt(folderOfSources());
  const folder = await buildConsole();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (!wasThere) process.stdout.write(`console: built in ${seconds} s (${relative(root, folder)})\n`);
}
