#!/usr/bin/env node
// The one launcher: runs a script of this project under a Node that is good for it.
// Plain JavaScript, so that any Node >= 20 can start it. Usage: node edge/run.mjs <script> [arguments]
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import nodeModule from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [script, ...rest] = process.argv.slice(2);

/** Type stripping without a flag and import.meta.main need 24.11; serialport 13 breaks on >= 26.4 (node-serialport#3148). */
function isGood(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major === 24) return minor >= 11;
  return major === 25 || (major === 26 && minor < 4);
}

if (script === undefined) {
  console.error('usage: node edge/run.mjs <script> [arguments]');
  process.exit(2);
}
const file = join(root, script);
// Stripping types and compiling takes half of a start: Node keeps what came of it (where it may write; else nothing changes).
process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.cache', 'compile');
if (isGood(process.versions.node)) {
  nodeModule.enableCompileCache();
  process.argv.splice(1, 2, file);
  await import(pathToFileURL(file).href);
} else {
  const pinned = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (!existsSync(pinned)) {
    console.error(
      `Campus Edge needs Node 24 (>= 24.11); this is ${process.version}, and no pinned Node was found at ${pinned}.\n` +
        'Run "npm ci" (without --omit=optional), or start it with Node 24 LTS.',
    );
    process.exit(1);
  }
  const child = spawn(pinned, [file, ...rest], { stdio: 'inherit' });
  // The terminal sends SIGINT to the whole group; SIGTERM reaches only the launcher and is passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.kill(process.pid, signal);
  });
}
