import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CodedError } from '#edge/runtime/errors.ts';
import type { RunRehearsal } from '#edge/web/rehearsals.ts';
import type { RehearseInput, RehearseLine } from '../rehearse.ts';

const program = join(import.meta.dirname, '../rehearse.ts');
const heapMb = 512;
/** Lines of the result are long, but not without end. */
const longestLine = 50_000_000;

/** Runs a rehearsal in a process of its own, until it is done or `signal` ends it. */
export function createRunRehearsal({ data, site }: Pick<RehearseInput, 'data' | 'site'>, path = program): RunRehearsal {
  return (job, onProgress, signal) =>
    new Promise((resolve, reject) => {
      const flags = [`--max-old-space-size=${heapMb}`, '--disable-warning=ExperimentalWarning', '--disable-sigusr1'];
      const child = spawn(process.execPath, [...flags, path], { stdio: ['pipe', 'pipe', 'pipe'], env: {} });
      const input: RehearseInput = { data, site, ...job };
      const end = () => child.kill('SIGKILL');
      let problem = '';
      let heard = 0;
      const lines = createInterface({ input: child.stdout });
      child.stdout.on('data', (chunk: Buffer) => {
        heard += chunk.length;
        if (heard > longestLine) end();
      });
      lines.on('line', (line) => {
        // Our own program's line.
        const said = JSON.parse(line) as RehearseLine;
        if ('progress' in said) onProgress(said.progress);
        else if ('result' in said) resolve(said.result);
        else reject(new CodedError(said.error.code, said.error.message));
      });
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        if (problem.length < 2_000) problem += chunk;
      });
      child.stdin.on('error', () => {}); // it ended before it read
      child.stdin.end(JSON.stringify(input));
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted) end();
      child.on('error', reject);
      child.on('close', (code, by) => {
        signal.removeEventListener('abort', end);
        const how = by === null ? `exit ${code}` : by;
        const last = problem.trim().split('\n').at(-1) ?? '';
        reject(
          new CodedError(
            'REHEARSAL_FAILED',
            `the rehearsal ended without a result (${how}) ${last.slice(0, 300)}`.trim(),
          ),
        );
      });
    });
}
