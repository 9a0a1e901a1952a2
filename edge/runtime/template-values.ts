import { z } from 'zod';
import { clipName, deviceName, pointsSelection, recipientName, zoneName } from './rule-schema.ts';
import { clockTime, duration } from './site-values.ts';

/* The values that people give to the parameters of a template, and how they get into its body. */

export interface ParameterValue {
  readonly type: string;
  readonly value: unknown;
}

interface Wanted {
  readonly type: string;
  readonly unit?: string | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

const oneOrMore = (one: z.ZodType) => z.union([one, z.array(one).min(1).max(50)]);
const shapes: Readonly<Record<string, { readonly schema: z.ZodType; readonly words: string }>> = {
  number: { schema: z.number(), words: 'must be a number' },
  duration: { schema: duration, words: 'must be a duration such as 30s, 20min or 2h' },
  time: { schema: clockTime, words: 'must be HH:MM' },
  boolean: { schema: z.boolean(), words: 'must be true or false' },
  text: { schema: z.string().min(1).max(120), words: 'must be a text of at most 120 characters' },
  points: { schema: pointsSelection, words: 'must be <device>/<point>, with * for any characters' },
  output: { schema: pointsSelection, words: 'must be <device>/<point>, with * for any characters' },
  zone: {
    schema: z.union([z.enum(['all', 'here']), oneOrMore(zoneName)]),
    words: 'must be all, here, a zone or a list of zones',
  },
  camera: { schema: deviceName, words: 'must be a device' },
  clip: { schema: clipName, words: 'must be a clip of the site file' },
  recipient: { schema: oneOrMore(recipientName), words: 'must be a recipient, group or channel, or a list of them' },
};

/** What is wrong with a value, or null. */
export function whyNotValue(parameter: Wanted, value: unknown): string | null {
  const { type, min = -Infinity, max = Infinity, unit = '' } = parameter;
  const shape = shapes[type];
  if (shape === undefined) return `is of an unknown type "${type}"`;
  const parsed = shape.schema.safeParse(value);
  if (!parsed.success) return shape.words;
  const size = type === 'duration' ? Number(parsed.data) / 1_000 : type === 'number' ? Number(value) : null;
  if (size === null || (size >= min && size <= max)) return null;
  const spelled = `${size < min ? `at least ${min}` : `at most ${max}`} ${type === 'duration' ? 's' : unit}`;
  return `must be ${spelled}`.trimEnd();
}

const whole = /^\$([a-z][a-zA-Z0-9]*)$/;
const within = /\$(\$|[a-z][a-zA-Z0-9]*)/g;

/**
 * The body with every parameter in its place. A text that is nothing but `$name` becomes the value itself; within a text it is
 * spelled, and `$$` is a dollar. Lists of zones and people go into a list one by one.
 */
export function fillIn(
  body: unknown,
  values: ReadonlyMap<string, ParameterValue>,
  language: 'zh' | 'en' = 'en',
): unknown {
  if (typeof body === 'string') return fillText(body, values, language);
  if (Array.isArray(body)) {
    return body.flatMap((item): unknown[] => {
      const filled = fillIn(item, values, language);
      return typeof item === 'string' && whole.test(item) && Array.isArray(filled) ? filled : [filled];
    });
  }
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(
    Object.entries(body).map(([key, inner]) => {
      // Keys too: `set: {$sensor: true}` in a test.
      const name = fillText(key, values, language);
      return [typeof name === 'string' ? name : key, fillIn(inner, values, key === 'zh' ? 'zh' : language)];
    }),
  );
}

function fillText(text: string, values: ReadonlyMap<string, ParameterValue>, language: 'zh' | 'en'): unknown {
  const alone = whole.exec(text)?.[1];
  const found = alone === undefined ? undefined : values.get(alone);
  if (found !== undefined) return asList(found);
  return text.replace(within, (sign, name: string) => {
    if (name === '$') return '$';
    const value = values.get(name);
    return value === undefined ? sign : spell(value, language);
  });
}

/** Where these stand a list is wanted, even of one. */
function asList({ type, value }: ParameterValue): unknown {
  const isList = type === 'recipient' || (type === 'zone' && value !== 'all' && value !== 'here');
  return isList && !Array.isArray(value) ? [value] : value;
}

const unitWords: Readonly<Record<string, { readonly zh: string; readonly en: string }>> = {
  ms: { zh: '毫秒', en: 'ms' },
  s: { zh: '秒', en: 's' },
  min: { zh: '分钟', en: 'min' },
  h: { zh: '小时', en: 'h' },
  d: { zh: '天', en: 'd' },
};

/** As people say it: `20min` is 20 分钟. */
function spell({ type, value }: ParameterValue, language: 'zh' | 'en'): string {
  if (type === 'duration') {
    const [, amount = '', unit = ''] = /^([\d.]+)([a-z]+)$/.exec(String(value)) ?? [];
    return `${amount} ${unitWords[unit]?.[language] ?? unit}`;
  }
  if (Array.isArray(value)) return value.join(language === 'zh' ? '、' : ', ');
  return typeof value === 'object' && value !== null && 'of' in value ? String(value.of) : String(value);
}
