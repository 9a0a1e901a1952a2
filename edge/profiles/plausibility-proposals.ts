import { z } from 'zod';
import type { Name } from '#edge/domain/place.ts';
import type { Proposal, ProposalKind } from './plausibility.ts';
import type { Adjustment, Explanation } from './plausibility-factors.ts';
import { currentRatios, voltageRatios } from './plausibility-factors.ts';
import type { WiringFault } from './plausibility-phases.ts';
import { addressBy, composed, type Place, type Reading, type Registers, valueBy } from './plausibility-readings.ts';
import { type Group, pointsOfGroup, type Snapshot } from './plausibility-snapshot.ts';
import type { ModbusProfile, Profile } from './profile.ts';

/* What was found, in words: what is wrong, what was compared, and what a profile or a person would have to do. */

const groupWords: Readonly<Record<Group, Name>> = {
  voltage: { zh: '电压', en: 'voltage' },
  current: { zh: '电流', en: 'current' },
  power: { zh: '有功功率', en: 'power' },
  'power-total': { zh: '总有功功率', en: 'total power' },
  'power-phases': { zh: '各相有功功率', en: 'power of the phases' },
  'all-powers': { zh: '有功、无功和视在功率', en: 'active, reactive and apparent power' },
  apparent: { zh: '视在功率', en: 'apparent power' },
  reactive: { zh: '无功功率', en: 'reactive power' },
  factor: { zh: '功率因数', en: 'power factor' },
  frequency: { zh: '频率', en: 'frequency' },
};

const near = (a: number, b: number) => Math.abs(a - b) <= 1e-9 * Math.abs(b);
const isDecimal = (factor: number) => near(Math.log10(factor), Math.round(Math.log10(factor)));
const figure = (factor: number) => String(Number(factor.toPrecision(6)));

interface Worded {
  readonly kind: ProposalKind;
  readonly says: Name;
}

function wordsOf({ group, factor }: Adjustment): Worded {
  const what = groupWords[group];
  const isPower = group.startsWith('power') || group === 'all-powers';
  const ratio = currentRatios.find((one) => near(one, factor) || near(one, 1 / factor));
  if (!isDecimal(factor) && ratio !== undefined) {
    const plate = `${figure(ratio * 5)}/5 A`;
    const isLeftOut = factor > 1;
    return {
      kind: 'current-ratio',
      says: isLeftOut
        ? {
            zh: `${what.zh}是互感器二次侧的值：乘以 ${figure(ratio)}（如 ${plate}）`,
            en: `${what.en} is of the secondary side of the current transformers: times ${figure(ratio)} (${plate} for one)`,
          }
        : {
            zh: `${what.zh}多乘了电流互感器变比：除以 ${figure(ratio)}（如 ${plate}）`,
            en: `${what.en} has the ratio of the current transformers once too often: divide by ${figure(ratio)} (${plate} for one)`,
          },
    };
  }
  if (group === 'voltage' && factor >= 60 && voltageRatios.some((one) => near(one, factor))) {
    return {
      kind: 'voltage-ratio',
      says: {
        zh: `电压是互感器二次侧的值：乘以 ${figure(factor)}`,
        en: `voltage is of the secondary side of the voltage transformers: times ${figure(factor)}`,
      },
    };
  }
  return { kind: 'scale', says: decimalWords(what, factor, isPower, ratio) };
}

function decimalWords(what: Name, factor: number, isPower: boolean, ratio: number | undefined): Name {
  const by = factor >= 1 ? figure(factor) : figure(1 / factor);
  const unit =
    isPower && near(factor, 1_000)
      ? { zh: '（单位是 kW 而不是 W）', en: ' (it counts in kW, not in W)' }
      : isPower && near(factor, 0.001)
        ? { zh: '（单位是 W 而不是 kW）', en: ' (it counts in W, not in kW)' }
        : { zh: '', en: '' };
  const plate = `${figure((ratio ?? 0) * 5)}/5 A`;
  const too =
    ratio === undefined
      ? { zh: '', en: '' }
      : { zh: `；也可能是 ${plate} 互感器`, en: `; or transformers of ${plate}` };
  return factor >= 1
    ? { zh: `${what.zh}小了 ${by} 倍${unit.zh}${too.zh}`, en: `${what.en} is ${by} times too small${unit.en}${too.en}` }
    : {
        zh: `${what.zh}大了 ${by} 倍${unit.zh}${too.zh}`,
        en: `${what.en} is ${by} times too large${unit.en}${too.en}`,
      };
}

const joined = (all: readonly Name[]): Name => ({
  zh: all.map(({ zh }) => zh).join('；'),
  en: all.map(({ en }) => en).join('; '),
});

const comparedIn = ({ evidence }: Explanation): Name[] =>
  evidence.findings.filter(({ holds, bits }) => holds && bits > 0).map(({ says }) => says());

function factorsIn({ adjustments }: Explanation, snapshot: Snapshot): Proposal['factors'] {
  return adjustments.map(({ group, factor }) => ({ points: pointsOfGroup(snapshot, group), factor }));
}

/** `ways`: so many explanations are about as good as this one. */
export function proposalOfFactors(
  explanation: Explanation,
  ways: number,
  snapshot: Snapshot,
  profile: Profile,
  path: string | undefined,
): Proposal {
  const worded = explanation.adjustments.map(wordsOf);
  const factors = factorsIn(explanation, snapshot);
  const { bits } = explanation.evidence;
  return {
    kinds: [...new Set(worded.map(({ kind }) => kind))],
    points: [...new Set(factors.flatMap(({ points }) => points))],
    sure: ways > 1 ? 'possible' : bits >= 22 ? 'certain' : 'likely',
    says: joined(worded.map(({ says }) => says)),
    compared: comparedIn(explanation),
    factors,
    profile: path === undefined ? '' : factorYaml(profile, path, factors),
  };
}

/** The key of a point in the profile's file: `power_l1` is one of `power_l` or of `power`. */
function keyOf(profile: Profile, point: string): string {
  const stem = point.replace(/_l[123]$/, '');
  return [point, `${stem}_l`, stem].find((key) => Object.hasOwn(profile.values, key)) ?? point;
}

/** A profile of its own with the scales multiplied, for what cannot be set in the meter. */
function factorYaml(profile: Profile, path: string, factors: Proposal['factors']): string {
  const scales = new Map<string, number>();
  for (const { points, factor } of factors) {
    for (const key of new Set(points.map((point) => keyOf(profile, point)))) {
      const value: unknown = profile.values[key];
      scales.set(key, factor * (scaleIn.safeParse(value).data?.scale ?? 1));
    }
  }
  const lines = [...scales].map(([key, scale]) => `  ${key}: { scale: ${figure(scale)} }`);
  return [...headLines(profile, path), 'values:', ...lines, ownVectors].join('\n');
}

const scaleIn = z.object({ scale: z.number().default(1) });
const ownVectors = '# Set it in the meter itself if it can be. Else give these values vectors of their own (test).';

function headLines({ name: { zh, en } }: Profile, path: string): string[] {
  const name = path.slice(path.indexOf('/') + 1);
  const words = `{ zh: ${JSON.stringify(`${zh}（本站）`)}, en: ${JSON.stringify(`${en}, as it is here`)} }`;
  return [`profile: ${name}-here`, `extends: ${path}`, `name: ${words}`];
}

interface Context {
  readonly profile: ModbusProfile;
  readonly path: string;
  readonly places: readonly Place[];
  readonly registers: Registers;
}

function readingWords(reading: Reading, { profile }: Context): Worded[] {
  const { bus } = profile;
  const found: Worded[] = [];
  if (reading.isOtherTable) {
    const table = bus.fc === 'holding' ? 'input' : 'holding';
    const zh = table === 'input' ? '输入寄存器（功能码 04）' : '保持寄存器（功能码 03）';
    const en = table === 'input' ? 'input registers (function 04)' : 'holding registers (function 03)';
    found.push({ kind: 'table', says: { zh: `值在${zh}中`, en: `its values are in the ${en}` } });
  }
  if (reading.shift !== 0) {
    const zh = reading.shift === 1 ? '地址应加 1' : '地址应减 1';
    const en = reading.shift === 1 ? 'addresses are one higher' : 'addresses are one lower';
    const why =
      bus.base === 0 && reading.shift === -1
        ? { zh: '（手册从 1 数起）', en: ' (the manual counts from 1)' }
        : bus.base === 1 && reading.shift === 1
          ? { zh: '（手册从 0 数起）', en: ' (the manual counts from 0)' }
          : { zh: '', en: '' };
    found.push({ kind: 'base', says: { zh: zh + why.zh, en: en + why.en } });
  }
  if (reading.order !== 'ABCD') {
    const order = composed(bus.order, reading.order);
    found.push({ kind: 'order', says: { zh: `字节序是 ${order}`, en: `its byte order is ${order}` } });
  }
  return found;
}

/** `gap`: by how much the next best way to read it is worse. */
export function proposalOfReading(reading: Reading, explanation: Explanation, gap: number, context: Context): Proposal {
  const worded = [...readingWords(reading, context), ...explanation.adjustments.map(wordsOf)];
  const factors = factorsIn(explanation, explanation.snapshot);
  return {
    kinds: [...new Set(worded.map(({ kind }) => kind))],
    points: context.places.map(({ name }) => name),
    sure: gap >= 8 && explanation.evidence.bits >= 18 ? 'certain' : gap >= 3 ? 'likely' : 'possible',
    says: joined(worded.map(({ says }) => says)),
    compared: comparedIn(explanation),
    factors,
    profile: readingYaml(reading, context),
  };
}

/** A profile of its own, with a vector of the very bytes that were read. */
function readingYaml(reading: Reading, { profile, path, places, registers }: Context): string {
  const { bus } = profile;
  const keys: string[] = [];
  const notes: string[] = [];
  if (reading.isOtherTable) keys.push(`fc: ${bus.fc === 'holding' ? 'input' : 'holding'}`);
  if (reading.order !== 'ABCD') {
    keys.push(`order: ${composed(bus.order, reading.order)}`);
    notes.push(`# The vectors of ${path} are in its own order: leave them out, or write all of it anew.`);
  }
  if (reading.shift === -1 && bus.base === 0) keys.push('base: 1');
  else if (reading.shift === 1 && bus.base === 1) keys.push('base: 0');
  else if (reading.shift !== 0) notes.push(`# every at: ${reading.shift === 1 ? '+ 1' : '- 1'}`);
  return [
    ...headLines(profile, path),
    ...(keys.length === 0 ? [] : [`bus: { ${keys.join(', ')} }`]),
    ...notes,
    ...vectorLines(reading, places, registers),
  ].join('\n');
}

function vectorLines(reading: Reading, places: readonly Place[], registers: Registers): string[] {
  for (const place of places) {
    const here = addressBy(place.address, reading);
    const value = valueBy(place, reading, registers);
    const bytes = here === null ? null : registers.read(here.table, here.at, here.length);
    if (value === null || bytes === null || value.value === 0 || here?.scaleFrom !== undefined) continue;
    const hex = (bytes.toString('hex').match(/../g) ?? []).join(' ');
    return [`test: [{ value: ${place.name}, hex: "${hex}", is: ${value.value} }]`];
  }
  return [];
}

const wiringWords: Readonly<Record<'turned' | 'swapped', (which: string) => Name>> = {
  turned: (which) => ({
    zh: `${which} 的电流互感器装反了：调换 S1、S2（或 P1、P2），除非该相确有电源送电`,
    en: `the current transformer on ${which} is the wrong way round: change over S1 and S2 (or P1 and P2), unless something feeds in on that phase`,
  }),
  swapped: (which) => ({
    zh: `${which} 的电流互感器接到了对方的相：互换`,
    en: `the current transformers of ${which} are on each other's phase: change them over`,
  }),
};

/** null: nothing can be proposed. */
export function proposalOfWiring(fault: WiringFault, compared: readonly Name[]): Proposal | null {
  if (fault.kind === 'missing') return null;
  const which = fault.phases.map((phase) => `L${phase}`).join(fault.kind === 'swapped' ? ' / ' : ', ');
  return {
    kinds: [fault.kind],
    points: fault.points,
    sure: fault.isSure ? 'likely' : 'possible',
    says: wiringWords[fault.kind](which),
    compared: [fault.says, ...compared],
    factors: fault.kind === 'turned' ? [{ points: fault.points, factor: -1 }] : [],
    profile: '',
  };
}
