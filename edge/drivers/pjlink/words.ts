import type { Reason, Value } from '#edge/domain/reading.ts';
import type { LampState } from './later.ts';

/* What a profile may ask for (`at`), the question behind it, and what the answers mean. */

export interface Meaning {
  readonly command: string;
  /** Asked of projectors of this class and above. */
  readonly level: 1 | 2;
  /** null: not an answer to this. */
  readonly decode: (answer: string) => Value | null;
  /** The parameter that sets it; null: it does not take this value. Absent: it cannot be set. */
  readonly encode?: (value: Value) => string | null;
  /** What it is by itself after it was turned on. */
  readonly rest?: Value;
}

/** The point that lists its sources: made of several answers (`session.ts`). */
export const inputsWord = 'inputs';

const powerStates: Readonly<Record<string, LampState>> = { 0: 'standby', 1: 'on', 2: 'cooling', 3: 'warming' };
const errorStates: Readonly<Record<string, string>> = { 0: 'ok', 1: 'warning', 2: 'error' };
const yesNo = (value: Value) => (typeof value === 'boolean' ? (value ? '1' : '0') : null);
/** Class 1: a kind 1 to 5 and a number 1 to 9; class 2: kind 6 and letters too. */
const input = /^[1-6][1-9A-Z]$/;

const errorAt = (place: number): Meaning => ({
  command: 'ERST',
  level: 1,
  decode: (answer) => (/^[0-2]{6}$/.test(answer) ? (errorStates[answer[place] ?? ''] ?? null) : null),
});
const text = (command: string, level: 1 | 2): Meaning => ({ command, level, decode: (answer) => answer.slice(0, 128) });

const meanings: Readonly<Record<string, Meaning>> = {
  /** Warming up is on, cooling down is off: what it will be when it is done. */
  power: {
    command: 'POWR',
    level: 1,
    decode: (answer) => (powerStates[answer] === undefined ? null : answer === '1' || answer === '3'),
    encode: yesNo,
  },
  state: { command: 'POWR', level: 1, decode: (answer) => powerStates[answer] ?? null },
  input: {
    command: 'INPT',
    level: 1,
    decode: (answer) => (input.test(answer) ? answer : null),
    encode: (value) => (typeof value === 'string' && input.test(value) ? value : null),
  },
  /** Picture and sound: 31 both off. */
  mute: {
    command: 'AVMT',
    level: 1,
    decode: (answer) => (/^[123][01]$/.test(answer) ? answer === '31' : null),
    encode: (value) => (typeof value === 'boolean' ? (value ? '31' : '30') : null),
    rest: false,
  },
  freeze: {
    command: 'FREZ',
    level: 2,
    decode: (answer) => (/^[01]$/.test(answer) ? answer === '1' : null),
    encode: yesNo,
    rest: false,
  },
  /** Of the lamp that burnt longest. */
  'lamp-hours': {
    command: 'LAMP',
    level: 1,
    decode: (answer) => {
      if (!/^\d{1,6} [01]( \d{1,6} [01]){0,7}$/.test(answer)) return null;
      return Math.max(
        ...answer
          .split(' ')
          .filter((_, i) => i % 2 === 0)
          .map(Number),
      );
    },
  },
  'filter-hours': { command: 'FILT', level: 2, decode: (answer) => (/^\d{1,6}$/.test(answer) ? Number(answer) : null) },
  'error-fan': errorAt(0),
  'error-lamp': errorAt(1),
  'error-temperature': errorAt(2),
  'error-cover': errorAt(3),
  'error-filter': errorAt(4),
  'error-other': errorAt(5),
  name: text('NAME', 1),
  maker: text('INF1', 1),
  model: text('INF2', 1),
  serial: text('SNUM', 2),
};

/** `inputs`: names of sources, as the site gives them. A source that has a name is known by it and by nothing else. */
export type InputNames = Readonly<Record<string, string>>;

/** What stands in `at` of a profile; undefined for what PJLink does not know. */
export function meaningOf(at: string, inputs: InputNames = {}): Meaning | undefined {
  const meaning = Object.hasOwn(meanings, at) ? meanings[at] : undefined;
  return at === 'input' && meaning !== undefined ? named(meaning, inputs) : meaning;
}

function named(meaning: Meaning, inputs: InputNames): Meaning {
  const byCode = new Map(Object.entries(inputs).map(([name, code]) => [code, name]));
  return {
    ...meaning,
    decode: (answer) => byCode.get(answer) ?? meaning.decode(answer),
    encode: (value) => {
      if (typeof value !== 'string') return null;
      if (Object.hasOwn(inputs, value)) return inputs[value] ?? null;
      return byCode.has(value) ? null : (meaning.encode?.(value) ?? null);
    },
  };
}

/** The answer to POWR; null: none. */
export function lampOf(answer: string): LampState | null {
  return Object.hasOwn(powerStates, answer) ? (powerStates[answer] ?? null) : null;
}

/** The answer to INST: codes of sources; some list one twice. */
export function sourcesOf(answer: string): readonly string[] {
  return [...new Set(answer.split(' ').filter((code) => input.test(code)))];
}

const sourceKinds = ['', 'RGB', 'Video', 'Digital', 'Storage', 'Network', 'Internal'];

/** Where the projector has no name of its own for a source (class 1): `Digital 1`. */
export function usualSource(code: string): string {
  return `${sourceKinds[Number(code[0])] ?? ''} ${code.slice(1)}`.trim();
}

/** What an error of the protocol says of a value. null: it is no error. */
export function errorOf(answer: string): { readonly reason: Reason; readonly message: string } | null {
  const [, code] = /^ERR([1-4A])$/i.exec(answer) ?? [];
  if (code === '1') return { reason: 'configuration-error', message: 'it does not know this command' };
  if (code === '2') return { reason: 'configuration-error', message: 'it does not take this parameter' };
  // Standby, or warming up: there is nothing to be said now.
  if (code === '3') return { reason: 'held', message: 'it cannot do that now (standby, warming up or cooling down)' };
  if (code !== undefined) return { reason: 'device-failure', message: 'it reports a failure of its own' };
  return null;
}
