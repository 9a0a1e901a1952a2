import { slugPattern } from '#edge/domain/ids.ts';
import { sessionPoint } from '#edge/domain/output.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { mistake, mistakesOf, type RuleMistake } from '#edge/runtime/rule-mistakes.ts';
import { cjt188Units } from './decode-cjt188.ts';
import { expandValues, pointsOf } from './expand.ts';
import { findModbusMistakes, findUnknownNames } from './modbus-mistakes.ts';
import { findPhrasesMistakes } from './phrases-mistakes.ts';
import type { Cjt188Profile, Dlt645Profile, Profile, SnmpProfile } from './profile.ts';
import { profileSchema } from './profile.ts';
import { toUcum } from './units.ts';

/** Every mistake of a parsed profile, each with its keys; `profile` is there when there is none. */
export function inspectProfile(input: unknown): {
  readonly profile?: Profile;
  readonly mistakes: readonly RuleMistake[];
} {
  const result = profileSchema.safeParse(input);
  if (!result.success) return { mistakes: mistakesOf(result.error).map(explainIdentifier) };
  const profile = result.data;
  const mistakes = findMistakes(profile);
  return mistakes.length > 0 ? { mistakes } : { profile, mistakes };
}

/** `at: 00010000` without quotes is the number 10000 to YAML. */
function explainIdentifier(found: RuleMistake): RuleMistake {
  const isIdentifier = ['at', 'block', 'di'].includes(String(found.keys.at(-1))) && found.message === 'must be a text';
  return isIdentifier ? { ...found, message: 'must be hex digits in quotes such as "00010000"' } : found;
}

function ofProtocol(profile: Profile): RuleMistake[] {
  if (profile.protocol === 'modbus') return findModbusMistakes(profile);
  if (profile.protocol === 'dlt645') return findDlt645Mistakes(profile);
  if (profile.protocol === 'cjt188') return findCjt188Mistakes(profile);
  if (profile.protocol === 'phrases') return findPhrasesMistakes(profile);
  return profile.protocol === 'snmp' ? findSnmpMistakes(profile) : [];
}

function findMistakes(profile: Profile): RuleMistake[] {
  const mistakes = ofProtocol(profile);
  if (Object.hasOwn(profile.values, sessionPoint)) {
    mistakes.push(mistake(['values', sessionPoint], `the name "${sessionPoint}" is taken`));
  }
  if (mistakes.length > 0) return mistakes;
  try {
    const names = new Set<string>();
    for (const { name } of expandValues(profile)) {
      if (names.has(name)) mistakes.push(mistake(['values'], `two values are named "${name}"`));
      if (!slugPattern.test(name)) mistakes.push(mistake(['values'], `"${name}" is longer than a point name may be`));
      names.add(name);
    }
    mistakes.push(...findUnits(profile));
    if (profile.protocol === 'modbus') mistakes.push(...findUnknownNames(profile, names));
    if (profile.protocol === 'dlt645' || profile.protocol === 'cjt188') {
      for (const [i, { value }] of profile.test.entries()) {
        if (!names.has(value)) mistakes.push(mistake(['test', i, 'value'], `there is no value "${value}"`));
      }
    }
  } catch (error) {
    mistakes.push(mistake(['values'], messageOf(error)));
  }
  return mistakes;
}

/** Units and the rates of counters, value by value: the message then has a place. */
function findUnits(profile: Profile): RuleMistake[] {
  return Object.entries(profile.values).flatMap(([name, value]) => {
    if (value.counter === undefined) return [];
    try {
      // One value of it is enough: what it expands to shares its unit. Vectors and checks are not looked at.
      const alone = { ...profile, values: { [name]: value } } as Profile;
      pointsOf(alone.protocol === 'modbus' ? { ...alone, check: [] } : alone, { fast: 1, normal: 1, slow: 1 });
      return [];
    } catch (error) {
      return [mistake(['values', name, 'counter'], messageOf(error))];
    }
  });
}

type Say = (isWrong: boolean, keys: readonly (string | number)[], message: string) => void;

function eachValue<V>(values: Readonly<Record<string, V>>, look: (value: V, say: Say) => void): RuleMistake[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const mistakes: RuleMistake[] = [];
    look(
      value,
      (isWrong, keys, message) => void (isWrong && mistakes.push(mistake(['values', name, ...keys], message))),
    );
    return mistakes;
  });
}

function findDlt645Mistakes(profile: Dlt645Profile): RuleMistake[] {
  return eachValue(profile.values, (value, say) => {
    const as = value.as ?? 'bcd';
    const length = value.length ?? 4;
    const highest = Math.max(value.bit ?? 0, ...Object.keys(value.bits ?? {}).map(Number));
    say(as !== 'bits' && (value.bit ?? value.bits) !== undefined, ['as'], 'only "as: bits" has bits');
    say(value.bit !== undefined && value.bits !== undefined, ['bit'], 'either bit or bits');
    say(highest >= length * 8, ['length'], `has no bit ${highest}`);
    say(as !== 'bcd' && (value.scale ?? value.signed) !== undefined, ['as'], 'only a number has a scale and a sign');
    say(as === 'time' && ![3, 4, 5, 6, 7].includes(length), ['length'], 'of a time is 3 to 7');
    say(value.byte !== undefined && value.data === undefined, ['byte'], 'needs `data`');
    say(value.data !== undefined && (value.byte ?? 0) + length > value.data, ['data'], 'is too short for the value');
    say(value.index !== undefined && value.block === undefined, ['index'], 'needs `block`');
    say(value.write !== undefined && value.bit === undefined, ['write'], 'is for one bit that says how the relay is');
    const isLast = Number.parseInt(value.at.slice(4, 6), 16) + (value.phases ?? 1) - 1 > 0xff;
    say(isLast, ['at'], 'runs over DI1 FF');
  });
}

function findCjt188Mistakes(profile: Cjt188Profile): RuleMistake[] {
  return eachValue(profile.values, (value, say) => {
    const isStatus = value.at === 'status';
    say(isStatus && value.bit === undefined, ['bit'], 'which bit of the status is it?');
    say(!isStatus && (value.bit ?? value.width ?? value.enum) !== undefined, ['at'], 'only the status has bits');
    say((value.width === undefined) !== (value.enum === undefined), ['width'], '`width` and `enum` belong together');
    const hasUnit = value.unit_byte ?? ['total', 'settle', 'energy', 'power', 'flow'].includes(value.at);
    const unit = toUcum(value.unit ?? '');
    say(
      hasUnit && !cjt188Units.includes(unit),
      ['unit'],
      `must be one that the unit byte can be: ${cjt188Units.join(' ')}`,
    );
  });
}

function findSnmpMistakes(profile: SnmpProfile): RuleMistake[] {
  return eachValue(profile.values, (value, say) => {
    say(value.count !== undefined && value.rows === undefined, ['count'], 'only rows of a table are counted');
    say(value.rate === true && value.type !== 'number', ['rate'], 'is a number');
    say(value.rate === true && value.map !== undefined, ['rate'], 'has no words');
    say(value.type === 'boolean' && value.map === undefined, ['map'], 'must say which number is true');
    say(value.type === 'text' && (value.scale ?? value.offset) !== undefined, ['scale'], 'only for numbers');
    say(value.write !== undefined && (value.rate === true || value.type === 'text'), ['write'], 'cannot be written');
    const meanings = Object.entries(value.map ?? {});
    const kinds = { number: 'number', boolean: 'boolean', text: 'string' } as const;
    const strange = meanings.find(([, meaning]) => typeof meaning !== kinds[value.type]);
    say(strange !== undefined, ['map', strange?.[0] ?? ''], `is not a ${value.type}`);
    // What is written is looked up the other way round.
    const isTwice = new Set(meanings.map(([, meaning]) => meaning)).size < meanings.length;
    say(value.write !== undefined && isTwice, ['map'], 'two words mean the same, so it cannot be written');
    const isForeign = meanings.some(([raw]) => !/^-?\d{1,10}$/.test(raw));
    say(value.write !== undefined && isForeign, ['map'], 'only numbers can be written');
  });
}
