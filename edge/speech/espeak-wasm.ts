import { join } from 'node:path';
import type { EspeakRun } from './espeak.ts';

/* espeak-ng as WebAssembly (npm `espeak-ng`, GPL-3.0-or-later), for boxes that have none: always a process of its own, never linked. */

const program = join(import.meta.dirname, 'espeak-wasm-main.ts');
/** 1,000 characters are some 10 MB of sound. */
const heapMb = 256;

export function wasmEspeak(): EspeakRun {
  const flags = [`--max-old-space-size=${heapMb}`, '--disable-warning=ExperimentalWarning', '--disable-sigusr1'];
  return (args, input) => ({ path: process.execPath, args: [...flags, program, ...args], input });
}
