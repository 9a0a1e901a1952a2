import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Engine, Found } from './engine.ts';
import { lastWords, runProgram } from './program.ts';

/*
 * A voice that sounds like a person: a model folder of sherpa-onnx (k2-fsa.github.io/sherpa/onnx/tts), spoken by its program
 * `sherpa-onnx-offline-tts`. Models differ in their options, and their pages say them: `voice.json` in the folder repeats them.
 * Decision 34 says why not the npm package.
 */

const option = z
  .string()
  .max(500)
  .regex(/^--[a-z][a-z0-9-]*=[^\0]*$/, 'must be an option such as --vits-model=model.onnx')
  .refine((text) => !/^--(output-filename|sid|num-threads|config|print-args|help)=/.test(text), 'is set by us');

/** `<data>/speech/model/voice.json`. Paths in options are relative to the folder. */
export const sherpaFolderSchema = z.strictObject({
  /** Absent: `sherpa-onnx-offline-tts` in PATH; else a path, also relative to the folder (with a / in it). */
  program: z.string().min(1).max(500).default('sherpa-onnx-offline-tts'),
  options: z.array(option).min(1).max(40),
  /** The option that makes it slower, 1 is usual: `--vits-length-scale` and its like; null: there is none. */
  lengthScale: z
    .string()
    .regex(/^--[a-z][a-z0-9-]*$/)
    .nullable()
    .default(null),
  voices: z
    .array(
      z.strictObject({
        id: z.string().regex(slugPattern).max(40),
        /** Number of the speaker in the model. */
        speaker: z.int().min(0).max(10_000).default(0),
        name: z.strictObject({ zh: z.string().max(64), en: z.string().max(64) }),
        language: z.string().min(2).max(20).default('zh-CN'),
      }),
    )
    .min(1)
    .max(50),
});
type SherpaFolder = z.infer<typeof sherpaFolderSchema>;

const settings = 'voice.json';

/** null: nobody put a model there. Never throws. */
export async function findSherpa(folder: string, signal?: AbortSignal): Promise<Found | null> {
  try {
    const text = await readFile(join(folder, settings), 'utf8');
    const parsed = sherpaFolderSchema.safeParse(JSON.parse(text));
    if (!parsed.success) return { refused: `${settings}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}` };
    const program = parsed.data.program.includes('/') ? join(folder, parsed.data.program) : parsed.data.program;
    const asked = await runProgram({ path: program, args: ['--help'], folder, patience: 20_000, signal });
    if (!/output-filename/.test(asked.out + asked.said)) return { refused: `${program} does not speak into files` };
    return { engine: engineOf(folder, program, parsed.data, text) };
  } catch (error) {
    signal?.throwIfAborted();
    return codeOf(error) === 'ENOENT' ? null : { refused: messageOf(error) };
  }
}

function engineOf(
  folder: string,
  program: string,
  { voices, options, lengthScale }: SherpaFolder,
  text: string,
): Engine {
  return {
    id: 'sherpa',
    version: `sherpa ${text}`,
    voices: voices.map(({ id, name, language }) => ({ id: `sherpa-${id}`, name, language })),
    async write({ text: words, voice, rate, file, patience, signal }) {
      const known = voices.find(({ id }) => `sherpa-${id}` === voice);
      if (known === undefined) throw new CodedError('SPEECH_FAILED', `the model has no voice "${voice}"`);
      const speed = lengthScale === null ? [] : [`${lengthScale}=${(1 / rate).toFixed(3)}`];
      const own = ['--num-threads=1', `--sid=${known.speaker}`, `--output-filename=${file}`];
      // Options end with the first word that is none; `spokenText` begins with a letter or digit.
      const ended = await runProgram({
        path: program,
        args: [...options, ...speed, ...own, words],
        folder,
        patience,
        signal,
      });
      if (ended.code !== 0) throw new CodedError('SPEECH_FAILED', `sherpa-onnx: ${lastWords(ended, [file, folder])}`);
    },
  };
}
