import { spawn } from 'node:child_process';
import { isIPv6 } from 'node:net';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';

export interface Echo {
  readonly sent: number;
  readonly received: number;
  /** Mean of the round trips, ms. */
  readonly latency: number | null;
}

/** Three probes 0.3 s apart, 1 s for each answer, 3 s in all: iputils and busybox know these options. */
const options = ['-q', '-c', '3', '-i', '0.3', '-W', '1', '-w', '3'];
const deadline = 6_000;
const maxOutput = 8_192;

/**
 * Asks the system's `ping`, without a shell. Throws PING_UNUSABLE when the program cannot do its work here (no right to, another
 * `ping` than we know): then it is of no use for any host.
 */
export async function echo(program: string, host: string, signal: AbortSignal): Promise<Echo> {
  const { output, code } = await run(program, [...options, ...(isIPv6(host) ? ['-6'] : []), '--', host], signal);
  const [, sent, received] = /(\d+) packets transmitted, (\d+) (?:packets )?received/.exec(output) ?? [];
  if (sent !== undefined && received !== undefined) {
    const [, mean] = /= [\d.]+\/([\d.]+)\//.exec(output) ?? [];
    return { sent: Number(sent), received: Number(received), latency: mean === undefined ? null : Number(mean) };
  }
  // A name that nobody knows, no route, the broadcast address of a network: the host's fault, not the program's.
  if (/unknown host|not known|bad address|unreachable|name resolution|no address|ping broadcast/i.test(output)) {
    return { sent: 3, received: 0, latency: null };
  }
  throw new CodedError('PING_UNUSABLE', `${program} ended with ${code}: ${output.trim().slice(0, 200)}`);
}

function run(
  program: string,
  given: readonly string[],
  signal: AbortSignal,
): Promise<{ output: string; code: number | string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, given, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Its words are read: in the language that we know.
      env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(deadline)]),
      killSignal: 'SIGKILL',
    });
    let output = '';
    const gather = (chunk: Buffer) => {
      if (output.length < maxOutput) output += chunk.toString('latin1');
    };
    child.stdout.on('data', gather);
    child.stderr.on('data', gather);
    child.once('error', (error) => {
      if (error.name === 'AbortError') resolve({ output: `${output}\nhost unreachable in time`, code: 'timeout' });
      else reject(new CodedError('PING_UNUSABLE', `${program}: ${messageOf(error)}`, { cause: error }));
    });
    child.once('close', (code, killed) => resolve({ output, code: code ?? killed ?? 'nothing' }));
  });
}
