import type { Sample } from '#edge/domain/reading.ts';
import { type HttpPaOptions, httpPaDriver } from '#edge/drivers/http-pa/driver.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { order, paDevice, passwordFile } from './rig.ts';

const never = new AbortController().signal;
export const patience = { timeout: 10_000, interval: 20 };

/** One loudspeaker by its driver, with everything that it said. */
export async function speaker(
  address: (passwordFile: string) => object,
  options: Partial<HttpPaOptions> = {},
  password?: string,
) {
  const stack = new AsyncDisposableStack();
  const secret = stack.use(await passwordFile(password));
  const driver = stack.use(httpPaDriver({ clock: systemClock, probeEvery: 100, ...options }));
  const told: Sample[] = [];
  const words: string[] = [];
  const counts = new Map<string, number>();
  const sink = {
    sample: (sample: Sample) => void told.push(sample),
    event: () => {},
    health: (state: string, text: string) => void words.push(`${state}: ${text}`),
    count: (outcome: string) => void counts.set(outcome, (counts.get(outcome) ?? 0) + 1),
  };
  const device = paDevice(address(secret.file));
  const session = stack.use(await driver.open(device, driver.config.parse(device.address), sink, never));
  const write = session.write?.bind(session);
  if (write === undefined) throw new Error('a loudspeaker can be written');
  return {
    /** Health, and answers to commands. */
    words,
    counts,
    secret: secret.file,
    last: (point: string) => told.findLast(({ point: name }) => name === point)?.value,
    async tell(value: string, changes = {}) {
      const answer = await write(order(value, changes), never);
      words.push(answer.message ?? '');
      return answer;
    },
    everything: () => JSON.stringify([told, words, [...counts]]),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export function tokenAddress(url: string, more: object = {}, server: object = {}) {
  return (file: string) => ({
    server: {
      ...{ url, timeout: 1_000 },
      login: { kind: 'token', username: 'campus', passwordFile: file, clearPassword: url.startsWith('http:') },
      ...server,
    },
    preset: 'token',
    zone: 'hall 1',
    clips: { bell: 'bell.wav', siren: 'siren.wav' },
    ...more,
  });
}
