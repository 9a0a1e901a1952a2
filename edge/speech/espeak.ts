import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Engine, EngineId, EngineVoice, Found, SpeakJob } from './engine.ts';
import { lastWords, type ProgramEnd, type ProgramJob, runProgram } from './program.ts';

/*
 * espeak-ng, as the system has it or as WebAssembly. Its voice `cmn` (and `zh`) reads Chinese as English spelling of pinyin in 1.51, the version of
 * Debian 12 (espeak-ng#1028, #1236); `cmn-latn-pinyin` reads it with its tones. So it is asked for its phonemes before it is used:
 * a WAV file alone proves nothing.
 */

/** Options behind `espeak-ng` -> the job that runs them. The text comes by standard input, never as an argument: "-v en" is a text too. */
export type EspeakRun = (args: readonly string[], text: string) => Pick<ProgramJob, 'path' | 'args' | 'input'>;

interface EspeakVoice extends EngineVoice {
  /** As espeak-ng calls it. */
  readonly voice: string;
  /** A sentence, and what its phonemes must have in them: of 同学 the tone of its first syllable. */
  readonly proof: string;
  readonly sound: RegExp;
}

/** Words a minute of the usual rate; espeak-ng's own 175 is hard to follow in a corridor. */
const usualSpeed = 150;
const slowest = 80;
const checkPatience = 20_000;

const kinds = [
  {
    key: 'cmn',
    voice: 'cmn-latn-pinyin',
    language: 'zh-CN',
    zh: '普通话',
    en: 'Mandarin',
    proof: '同学们请注意',
    sound: /ong35/,
  },
  { key: 'yue', voice: 'yue', language: 'yue', zh: '粤语', en: 'Cantonese', proof: '同學請注意', sound: /ung4/ },
  { key: 'en', voice: 'en-gb', language: 'en', zh: '英语', en: 'English', proof: 'attention', sound: /t'En/ },
] as const;

function voicesOf(id: EngineId): EspeakVoice[] {
  const more = id === 'espeak' ? '' : ' (WASM)';
  return kinds.map(({ key, voice, language, zh, en, proof, sound }) => ({
    id: `${id}-${key}`,
    name: { zh: `${zh} espeak${more}`, en: `${en}, espeak${more}` },
    language,
    voice,
    proof,
    sound,
  }));
}

/** Asks for its version and its phonemes. Refused without Mandarin; other voices that fail are left out. Never throws. */
export async function findEspeak(id: 'espeak' | 'espeak-wasm', run: EspeakRun, signal?: AbortSignal): Promise<Found> {
  try {
    const asked = await execute(run(['--version'], ''), checkPatience, signal);
    const version = /text-to-speech: (\S{1,40})/.exec(asked.out)?.[1];
    if (version === undefined) return { refused: `it does not say that it is espeak-ng: ${asked.out.slice(0, 80)}` };
    const voices: EspeakVoice[] = [];
    for (const voice of voicesOf(id)) {
      const wrong = await misread(run, voice, signal);
      if (wrong === null) voices.push(voice);
      else if (voice.language === 'zh-CN') return { refused: wrong };
    }
    return { engine: engineOf(id, `${id} ${version}`, voices, run) };
  } catch (error) {
    signal?.throwIfAborted();
    return { refused: codeOf(error) === 'PROGRAM_MISSING' ? 'there is none on this box' : messageOf(error) };
  }
}

/** What the voice makes of a text, in espeak-ng's phonemes; tones are digits, `(en)` means that it fell back to English. */
export async function phonemesOf(run: EspeakRun, voice: string, text: string, signal?: AbortSignal): Promise<string> {
  const { code, out, said } = await execute(
    run(['-q', '-x', ...inputOptions, '-v', voice], text),
    checkPatience,
    signal,
  );
  if (code !== 0) throw new CodedError('SPEECH_FAILED', `espeak-ng: ${lastWords({ code, said })}`);
  return out.trim();
}

const inputOptions = ['-b', '1', '--stdin'] as const;

/** Why a voice is not used; null: it is. */
async function misread(
  run: EspeakRun,
  { voice, proof, sound }: EspeakVoice,
  signal?: AbortSignal,
): Promise<string | null> {
  try {
    const phonemes = await phonemesOf(run, voice, proof, signal);
    if (phonemes.includes('(en)')) return `its voice ${voice} reads Chinese as English: ${phonemes.slice(0, 80)}`;
    return sound.test(phonemes) ? null : `its voice ${voice} misreads "${proof}": ${phonemes.slice(0, 80)}`;
  } catch (error) {
    signal?.throwIfAborted();
    return messageOf(error);
  }
}

function engineOf(id: EngineId, version: string, voices: readonly EspeakVoice[], run: EspeakRun): Engine {
  return {
    id,
    version,
    voices: voices.map(({ id: voice, name, language }) => ({ id: voice, name, language })),
    async write({ text, voice, rate, file, patience, signal }: SpeakJob) {
      const known = voices.find((entry) => entry.id === voice);
      if (known === undefined) throw new CodedError('SPEECH_FAILED', `${id} has no voice "${voice}"`);
      const speed = String(Math.max(slowest, Math.round(usualSpeed * rate)));
      const { code, said } = await execute(
        run([...inputOptions, '-v', known.voice, '-s', speed, '-w', file], text),
        patience,
        signal,
      );
      if (code !== 0) throw new CodedError('SPEECH_FAILED', `espeak-ng: ${lastWords({ code, said }, [file])}`);
    },
  };
}

function execute(job: ReturnType<EspeakRun>, patience: number, signal?: AbortSignal): Promise<ProgramEnd> {
  return runProgram({ ...job, patience, signal });
}

/** The system's. */
export function systemEspeak(program = 'espeak-ng'): EspeakRun {
  return (args, input) => ({ path: program, args, input });
}
