import { mistake, type RuleMistake } from '#edge/runtime/rule-mistakes.ts';
import { registerCount } from './modbus-address.ts';
import type { ModbusProfile, ModbusValue } from './modbus-profile.ts';

/* What a Modbus profile can say that each key by itself allows and that makes no sense together. */

type Keys = readonly (string | number)[];
type Say = (isWrong: boolean, keys: Keys, message: string) => void;

function collector(): { readonly mistakes: RuleMistake[]; readonly say: Say } {
  const mistakes: RuleMistake[] = [];
  return { mistakes, say: (isWrong, keys, message) => void (isWrong && mistakes.push(mistake(keys, message))) };
}

export function findModbusMistakes(profile: ModbusProfile): RuleMistake[] {
  const { mistakes, say } = collector();
  for (const [name, value] of Object.entries(profile.values)) {
    findPlaceMistakes(profile, ['values', name], value, say);
    findEncodingMistakes(profile, ['values', name], value, say);
    findWriteMistakes(profile, ['values', name], value, say);
    findScaleMistakes(profile, ['values', name], value.scale_from, say);
  }
  for (const [name, factor] of Object.entries(profile.factors)) {
    findPlaceMistakes(profile, ['factors', name], factor, say);
    say(/^(str|bits|bool)/.test(factor.as ?? 'u16'), ['factors', name, 'as'], 'must be a number');
  }
  findVariantMistakes(profile, say);
  return mistakes;
}

type Placed = Pick<ModbusValue, 'at' | 'fc' | 'as' | 'phases' | 'count' | 'stride' | 'model' | 'read_block'>;

const isBitTable = (profile: ModbusProfile, fc: ModbusValue['fc']) =>
  ['coil', 'discrete'].includes(fc ?? profile.bus.fc);

function findPlaceMistakes(profile: ModbusProfile, keys: Keys, value: Placed, say: Say): void {
  const { base, max } = profile.bus;
  const isBit = isBitTable(profile, value.fc);
  const width = value.phases ?? value.count ?? 1;
  const length = isBit ? 1 : registerCount(value.as ?? 'u16');
  const end = value.at + (width - 1) * (value.stride ?? length) + length;
  say(value.model === undefined && value.at < base, [...keys, 'at'], `is below the base ${base}`);
  say(end > 65_536 + base, [...keys, 'at'], 'runs over the last address 65535');
  say(value.stride !== undefined && value.stride < length, [...keys, 'stride'], `is less than the length ${length}`);
  say(value.model !== undefined && profile.bus.sunspec === undefined, [...keys, 'model'], 'needs bus.sunspec');
  say(!isBit && length > max, [...keys, 'as'], `is longer than bus.max ${max}`);
  if (value.read_block === undefined) return;
  const [at, count] = value.read_block;
  say(!isBit && count > max, [...keys, 'read_block'], 'is longer than bus.max');
  say(value.at < at || end > at + count, [...keys, 'read_block'], 'does not cover the value');
}

function findEncodingMistakes(profile: ModbusProfile, keys: Keys, value: ModbusValue, say: Say): void {
  const isBit = isBitTable(profile, value.fc);
  const as = value.as ?? (isBit ? 'bool' : 'u16');
  const hasBits = as === 'bits' || as === 'bits32';
  const width = value.phases ?? value.count ?? 1;
  const highest = Math.max(0, ...Object.keys(value.bits ?? {}).map(Number));
  const table = value.fc ?? profile.bus.fc;
  say(isBit && as !== 'bool', [...keys, 'as'], `a ${table} is a bool`);
  say(hasBits !== (value.bits !== undefined), [...keys, 'bits'], '"as: bits" and a list of bits belong together');
  say(as === 'bits' && highest > 15, [...keys, 'bits', String(highest)], 'needs "as: bits32"');
  say(value.bit !== undefined && (isBit || as !== 'bool'), [...keys, 'bit'], 'only "as: bool" on registers has a bit');
  say(value.phases !== undefined && value.count !== undefined, keys, 'either phases or count');
  say(width > 1 && hasBits, [...keys, 'bits'], 'cannot be repeated');
  say(value.encode !== undefined && !/^[sf]/.test(as), [...keys, 'encode'], 'is for signed numbers');
  const isNumber = /^[usfb]/.test(as) && !/^(str|bits|bool|f)/.test(as);
  say(value.text === true && (!isNumber || value.enum !== undefined), [...keys, 'text'], 'is for whole numbers');
  say(value.enum !== undefined && !isNumber, [...keys, 'enum'], 'is for whole numbers');
  const words = Object.values(value.enum ?? {});
  say(new Set(words).size < words.length && value.write !== undefined, [...keys, 'enum'], 'two numbers have one word');
}

function findWriteMistakes(profile: ModbusProfile, keys: Keys, value: ModbusValue, say: Say): void {
  const { write } = value;
  if (write === undefined) return;
  const table = value.fc ?? profile.bus.fc;
  const isBit = isBitTable(profile, value.fc);
  const as = value.as ?? (isBit ? 'bool' : 'u16');
  const at = [...keys, 'write'];
  say(table !== 'coil' && table !== 'holding', at, `a ${table} cannot be written`);
  say(as.startsWith('bits') || value.bit !== undefined, at, 'single bits cannot be written');
  say(as === 'sunssf' || value.encode !== undefined || value.text === true, at, 'cannot be written');
  say(write.fc !== undefined && isBit !== [5, 15].includes(write.fc), [...at, 'fc'], 'does not fit the table');
  say(write.fc === 6 && registerCount(as) > 1, [...at, 'fc'], 'writes one register only');
  const words = Object.values(value.enum ?? {});
  const strange = (one: unknown) => typeof one !== 'string' || !words.includes(one);
  say(
    words.length > 0 && write.fail_safe !== 'keep' && strange(write.fail_safe),
    [...at, 'fail_safe'],
    `is none of ${words.join(', ')}`,
  );
  const other = write.verify?.read;
  say(
    other !== undefined && !Object.hasOwn(profile.values, other),
    [...at, 'verify', 'read'],
    `there is no value "${other}"`,
  );
}

function findScaleMistakes(profile: ModbusProfile, keys: Keys, names: unknown, say: Say): void {
  for (const name of [names ?? []].flat()) {
    const isKnown =
      typeof name === 'string' && (Object.hasOwn(profile.factors, name) || Object.hasOwn(profile.values, name));
    say(!isKnown, [...keys, 'scale_from'], `there is no factor or value "${String(name)}"`);
  }
}

function findVariantMistakes(profile: ModbusProfile, say: Say): void {
  const names = new Set<string>();
  for (const [i, variant] of (profile.variants ?? []).entries()) {
    const keys = ['variants', i];
    say(names.has(variant.variant), [...keys, 'variant'], 'is there twice');
    names.add(variant.variant);
    for (const [name, value] of Object.entries(variant.values)) {
      const at = [...keys, 'values', name];
      const base = Object.hasOwn(profile.values, name) ? profile.values[name] : undefined;
      say(base === undefined, at, `there is no value "${name}"`);
      if (base === undefined || value === null) continue;
      const { scale_from: names, ...place } = value;
      const given = Object.fromEntries(Object.entries(place).filter(([, one]) => one !== undefined));
      findPlaceMistakes(profile, at, { ...base, ...given }, say);
      findEncodingMistakes(profile, at, { ...base, ...given }, say);
      findScaleMistakes(profile, at, names, say);
    }
  }
}

/** Names that checks and vectors use; `names` are those after expansion. */
export function findUnknownNames(profile: ModbusProfile, names: ReadonlySet<string>): RuleMistake[] {
  const { mistakes, say } = collector();
  const known = (name: string, keys: Keys) => say(!names.has(name), keys, `there is no value "${name}"`);
  const variants = new Set(profile.variants?.map(({ variant }) => variant));
  for (const [i, { value, variant }] of profile.test.entries()) {
    known(value, ['test', i, 'value']);
    say(variant !== undefined && !variants.has(variant), ['test', i, 'variant'], 'there is no such variant');
  }
  const lists = [
    { keys: ['check'] as Keys, checks: profile.check },
    ...(profile.variants ?? []).map((one, i) => ({ keys: ['variants', i, 'check'] as Keys, checks: one.check })),
  ];
  for (const { keys, checks } of lists) {
    for (const [i, check] of checks.entries()) {
      const at = [...keys, i];
      if ('value' in check) known(check.value, [...at, 'value']);
      if ('sum' in check) for (const name of [...check.sum, check.near]) known(name, at);
      const isWalk = 'model' in check || ('read' in check && check.read.model !== undefined);
      say(isWalk && profile.bus.sunspec === undefined, at, 'needs bus.sunspec');
      say('read' in check && check.save !== undefined && keys.length > 1, at, 'only the profile itself saves');
    }
  }
  return mistakes;
}
