import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { writeDurably } from '#edge/runtime/durable-file.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { type Facts, type LearnedFacts, maxBarriers, maxRefused } from './learned.ts';

/** More devices than one process has; the one that was heard of longest ago makes room. */
const maxDevices = 2_048;
/** Many times what a real site teaches. */
const maxBytes = 32 * 2 ** 20;
const saveAfter = 5_000;

const time = z.number().min(0);
const refusal = z.strictObject({
  place: z.string().max(40),
  until: time,
  pause: time,
  message: z.string().max(400),
});
const facts = z.strictObject({
  barriers: z.array(z.string().max(40)).max(maxBarriers),
  max: z.int().min(1).max(125).exactOptional(),
  since: time,
  refused: z.array(refusal).max(maxRefused),
});
const schema = z.strictObject({
  learned: z.literal(1),
  devices: z.record(z.string(), z.strictObject({ fingerprint: z.string().max(64), facts })),
});

/**
 * What devices taught us, in one small JSON file: `{learned: 1, devices: {<id>: {fingerprint, facts}}}`. It only saves
 * requests: a file that is missing, broken or cannot be written costs no more than learning it all again.
 */
export async function openLearned(options: {
  readonly file: string;
  readonly log: Log;
  /** Changes are gathered for so long, ms. */
  readonly saveAfter?: number;
}): Promise<LearnedFacts & AsyncDisposable> {
  const { file, log } = options;
  const devices = await load(file, log);
  let timer: NodeJS.Timeout | undefined;
  let saving: Promise<void> = Promise.resolve();
  const save = async () => {
    timer = undefined;
    const text = JSON.stringify({ learned: 1, devices: Object.fromEntries(devices) });
    try {
      await writeDurably(file, `${text}\n`);
    } catch (error) {
      log.warn({ error, file }, 'what devices refuse is not kept over a restart');
    }
  };
  return {
    recall(device, fingerprint) {
      const known = devices.get(device);
      return known?.fingerprint === fingerprint ? known.facts : null;
    },
    keep(device, fingerprint, learned) {
      devices.delete(device);
      if (learned !== null) devices.set(device, { fingerprint, facts: learned });
      const oldest = devices.keys().next();
      if (devices.size > maxDevices && !oldest.done) devices.delete(oldest.value);
      timer ??= setTimeout(() => {
        saving = saving.then(save);
      }, options.saveAfter ?? saveAfter);
    },
    async [Symbol.asyncDispose]() {
      if (timer !== undefined) {
        clearTimeout(timer);
        saving = saving.then(save);
      }
      await saving;
    },
  };
}

async function load(file: string, log: Log): Promise<Map<string, { fingerprint: string; facts: Facts }>> {
  try {
    const { size } = await stat(file);
    if (size > maxBytes) throw new CodedError('LEARNED_TOO_LARGE', `${size} bytes are more than devices can teach`);
    const known = Object.entries(schema.parse(JSON.parse(await readFile(file, 'utf8'))).devices);
    return new Map(known.slice(-maxDevices));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') log.warn({ error, file }, 'what devices refuse has to be learned again');
    return new Map();
  }
}
