import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

/*
 * The import table of the house. A room may import itself, the rooms listed here, and npm packages; the packages
 * under `owners` belong to one room (or file) only.
 */
const root = join(import.meta.dirname, '../..');

const rooms: Record<string, readonly string[]> = {
  'edge/domain': [],
  'edge/runtime': ['edge/domain'],
  'edge/bus': ['edge/domain', 'edge/runtime'],
  'edge/profiles': ['edge/domain', 'edge/runtime'],
  'edge/media': ['edge/domain', 'edge/runtime'],
  'edge/drivers': ['edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/drivers/modbus': ['edge/drivers', 'edge/drivers/ports', 'edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/drivers/dlt645': ['edge/drivers', 'edge/drivers/ports', 'edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/drivers/cjt188': ['edge/drivers', 'edge/drivers/ports', 'edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/drivers/onvif': ['edge/drivers', 'edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/drivers/sound': ['edge/domain', 'edge/runtime', 'edge/media'],
  'edge/drivers/broadcast': ['edge/drivers', 'edge/drivers/sound', 'edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/drivers/sip': ['edge/drivers', 'edge/drivers/sound', 'edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/drivers/line': ['edge/drivers', 'edge/drivers/sound', 'edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/drivers/http-pa': ['edge/drivers', 'edge/drivers/sound', 'edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/drivers/snapcast': [
    'edge/drivers',
    'edge/drivers/line',
    'edge/drivers/sound',
    'edge/domain',
    'edge/runtime',
    'edge/profiles',
  ],
  'edge/drivers/snmp': ['edge/drivers', 'edge/drivers/ports', 'edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/drivers/ping': ['edge/drivers', 'edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/drivers/pjlink': ['edge/drivers', 'edge/drivers/ports', 'edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/drivers/fire-panel': ['edge/drivers', 'edge/drivers/ports', 'edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/drivers/wake': ['edge/drivers', 'edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/drivers/phrases': ['edge/drivers', 'edge/drivers/ports', 'edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/drivers/ports': ['edge/domain', 'edge/runtime'],
  'edge/ingest': ['edge/domain', 'edge/runtime', 'edge/bus', 'edge/profiles'],
  'edge/store': ['edge/domain', 'edge/runtime'],
  'edge/rules': ['edge/domain'],
  'edge/energy': ['edge/domain'],
  'edge/school': ['edge/domain'],
  'edge/warnings': ['edge/domain', 'edge/runtime'],
  // Text to sound, and strangers' sound files to clips: children of whoever asks.
  'edge/speech': ['edge/domain', 'edge/runtime', 'edge/media'],
  'edge/commands': ['edge/domain', 'edge/runtime', 'edge/bus', 'edge/rules', 'edge/store'],
  'edge/flows-host': ['edge/domain', 'edge/runtime', 'edge/bus'],
  'edge/notify': ['edge/domain', 'edge/runtime'],
  'edge/web': [
    'edge/domain',
    'edge/energy',
    'edge/school',
    'edge/speech',
    // Reading a warning and its signature takes longer than core may stand still; judging it is core's.
    'edge/warnings',
    'edge/runtime',
    'edge/bus',
    'edge/store/reader.ts',
    'edge/store/batch.ts',
    'edge/store/documents.ts',
    'edge/store/audit-chain.ts',
    // Sound comes in over the socket of `broadcast`, whose key and frames both ends know.
    'edge/media/socket.ts',
    // A case is made where people are known.
    'edge/media/case-key.ts',
    'edge/media/case-manifest.ts',
    'edge/media/case-verify.ts',
    'edge/media/case-timeline.ts',
    'edge/media/case-write.ts',
  ],
  // Browser code: of the server it knows the shapes only; the sums of the school day are the same on both sides.
  'edge/web/console': ['edge/domain', 'edge/school', 'edge/web', 'edge/web/console/kit'],
  'edge/web/console/kit': ['edge/domain'],
  'edge/cli': [
    'edge/domain',
    'edge/runtime',
    'edge/bus',
    'edge/profiles',
    'edge/rules',
    'edge/school',
    'edge/store/reader.ts',
    'edge/store/documents.ts',
    'edge/store/audit-chain.ts',
    'edge/media/case-key.ts',
    'edge/media/case-verify.ts',
    'edge/drivers',
    'edge/drivers/ports',
    'edge/drivers/modbus',
    'edge/drivers/dlt645',
    'edge/drivers/cjt188',
    'edge/drivers/onvif',
    'edge/drivers/sound',
    'edge/drivers/broadcast',
    'edge/drivers/sip',
    'edge/drivers/http-pa',
    'edge/drivers/line',
    'edge/drivers/snapcast',
    'edge/drivers/snmp',
    'edge/drivers/ping',
    'edge/drivers/pjlink',
    'edge/drivers/fire-panel',
  ],
  'edge/simulators': ['edge/domain', 'edge/runtime', 'edge/profiles'],
  'edge/processes': ['edge/*', 'cloud-bridge/uplink', 'cloud-bridge/city/main.ts'],
  'edge/main.ts': ['edge/runtime', 'edge/domain', 'edge/processes'],
  'cloud-bridge/contract': [],
  'cloud-bridge/uplink': [
    'cloud-bridge/contract',
    'edge/domain',
    'edge/runtime',
    'edge/bus/client.ts',
    'edge/store/reader.ts',
    'edge/store/batch.ts',
  ],
  'cloud-bridge/city': ['cloud-bridge/contract', 'edge/runtime', 'edge/bus', 'edge/web/console/kit'],
  tests: ['*'],
};

const owners: Record<string, readonly string[]> = {
  aedes: ['edge/bus/broker.ts'],
  'better-sqlite3': ['edge/store', 'cloud-bridge/city/store'],
  'modbus-serial': ['edge/drivers/modbus'],
  serialport: ['edge/drivers/ports'],
  onvif: ['edge/drivers/onvif'],
  'xml-crypto': ['edge/warnings'],
  '@xmldom/xmldom': ['edge/warnings'],
  // The simulated switch is the library's agent.
  'net-snmp': ['edge/drivers/snmp', 'edge/simulators'],
  'node-red': ['edge/flows-host'],
  'node-red-embedded-start': ['edge/flows-host'],
  fastify: ['edge/web', 'cloud-bridge/city'],
  react: ['edge/web/console'],
  antd: ['edge/web/console'],
  echarts: ['edge/web/console'],
  vite: ['edge/web/console'],
  'openid-client': ['edge/web'],
  nodemailer: ['edge/notify'],
  otpauth: ['edge/web'],
  pdfkit: ['edge/web'],
  // GPL: a process of its own, never linked.
  'espeak-ng': ['edge/speech/espeak-wasm-main.ts'],
};

interface Import {
  readonly file: string;
  readonly target: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/** Every static and dynamic import of a file, resolved to a path below the root or a bare package name. */
function importsOf(file: string, text: string): Import[] {
  const found = text.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g);
  return [...found].map(([, name = '']) => {
    if (name.startsWith('.')) return { file, target: relative(root, join(root, dirname(file), name)) };
    return { file, target: name.replace(/^#edge\//, 'edge/').replace(/^#bridge\//, 'cloud-bridge/') };
  });
}

function roomOf(path: string): string | undefined {
  return Object.keys(rooms)
    .filter((room) => path === room || path.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
}

function isAllowed({ file, target }: Import): boolean {
  const from = roomOf(file);
  const to = roomOf(target);
  if (from === undefined) return false;
  if (to === undefined) return isPackageAllowed(file, target);
  if (from === to) return true;
  return (rooms[from] ?? []).some(
    (entry) => entry === '*' || entry === to || entry === target || (entry === 'edge/*' && to.startsWith('edge/')),
  );
}

function isPackageAllowed(file: string, target: string): boolean {
  if (file.startsWith('tests/')) return true;
  if (roomOf(file) === 'edge/domain' || target.startsWith('edge/') || target.startsWith('cloud-bridge/')) return false;
  const name = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : (target.split('/')[0] ?? '');
  const allowed = owners[name];
  return allowed === undefined || allowed.some((owner) => file.startsWith(owner));
}

test('every import obeys the table', () => {
  const files = ['edge', 'cloud-bridge', 'tests'].flatMap(sourceFiles);
  const violations = files
    .flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')))
    .filter((found) => !isAllowed(found))
    .map(({ file, target }) => `${file} must not import ${target}`);
  expect(violations).toEqual([]);
  expect(files.length).toBeGreaterThan(30);
  expect(new Set(files.map(roomOf)).size).toBeGreaterThan(10);
});

test('a violation planted in each way is found', () => {
  const planted: [string, string][] = [
    ['edge/domain/reading.ts', "import { readFile } from 'node:fs';"],
    ['edge/rules/create-engine.ts', "import { openStore } from '#edge/store/store.ts';"],
    ['edge/drivers/modbus/session.ts', "import { x } from '../onvif/driver.ts';"],
    ['edge/web/server.ts', "import { openStore } from '#edge/store/store.ts';"],
    ['edge/web/server.ts', "const d = await import('better-sqlite3');"],
    ['edge/bus/client.ts', "import { Aedes } from 'aedes';"],
    ['cloud-bridge/contract/frame.ts', "export type { Alarm } from '#edge/domain/alarm.ts';"],
    ['edge/utils/things.ts', "import { z } from 'zod';"],
  ];
  const seen = planted.filter(([file, text]) => importsOf(file, text).some((found) => !isAllowed(found)));
  expect(seen).toEqual(planted);
});

test('topics, the clock and the environment are named in their own rooms only', () => {
  const files = ['edge', 'cloud-bridge'].flatMap(sourceFiles).filter((file) => !file.includes('/console/'));
  const rules: [RegExp, (file: string) => boolean][] = [
    [/['"`]v1\/(?:in|out|command|result|request|answer)\//, (file) => file.startsWith('edge/bus/')],
    [/\bDate\.now\(\)|\bnew Date\(\)/, (file) => file === 'edge/runtime/clock.ts'],
    [/\bprocess\.env\b/, (file) => file.startsWith('edge/runtime/') || file === 'edge/main.ts'],
  ];
  const found = files.flatMap((file) => {
    const code = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    return rules.filter(([pattern, allowed]) => pattern.test(code) && !allowed(file)).map(([p]) => `${file}: ${p}`);
  });
  expect(found).toEqual([]);
});
