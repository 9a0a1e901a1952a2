import type { Name } from '#edge/domain/place.ts';
import type { Sample } from '#edge/domain/reading.ts';
import { judgeChecks } from '#edge/drivers/modbus/check-gate.ts';
import { judgePlausibility, type Plausibility, type Proposal, type Suspicion } from '#edge/profiles/plausibility.ts';
import type { ModbusProfile, Profile, ProfileCheck } from '#edge/profiles/profile.ts';
import { readTriedRegisters } from './profile-try-registers.ts';
import type { Tried, TriedPoint } from './try-device.ts';

/* Judges what a tried device said; where it cannot be, its registers are read once more to find out why. */

export interface CheckVerdict {
  readonly says: Name;
  /** null: what it looks at was not had. */
  readonly holds: boolean | null;
}

export interface Judgement {
  /** It is an electricity meter whose values could be compared. */
  readonly isJudged: boolean;
  readonly checks: readonly CheckVerdict[];
  readonly suspicions: readonly Suspicion[];
  readonly proposals: readonly Proposal[];
  /** What was compared in the values as they are. */
  readonly compared: readonly Name[];
}

export interface JudgeOptions {
  readonly profile: Profile;
  /** `meter/eastron-sdm630`. */
  readonly path: string;
  readonly address: unknown;
  readonly tried: Pick<Tried, 'ok' | 'points' | 'message'>;
  /** How long its registers may be read, ms. */
  readonly patience: number;
}

/** null: nothing was heard of the device, so there is nothing to judge. */
export async function judgeTried({ profile, path, address, tried, patience }: JudgeOptions): Promise<Judgement | null> {
  const isHeard = tried.points.some(({ value, reason }) => value !== null || reason === 'configuration-error');
  if (!isHeard) return null;
  const values = new Map(tried.points.map(({ point, value }) => [point, value]));
  const first = judgePlausibility({ values, path }, profile);
  const isRight = first.suspicions.length === 0 && tried.ok;
  const found = isRight || !first.isJudged || profile.protocol !== 'modbus' ? first : await again(profile, first);
  const { isJudged, suspicions, proposals, compared } = found;
  return { isJudged, checks: checksOf(profile, tried), suspicions, proposals, compared };

  /** Only what is still so in the registers of another moment: a load that came or went between two blocks is no mistake. */
  async function again(modbus: ModbusProfile, before: Plausibility): Promise<Plausibility> {
    if (modbus.bus.sunspec !== undefined) return before;
    const registers = await readTriedRegisters(modbus, address, AbortSignal.timeout(patience));
    return judgePlausibility({ values, registers, path, variant: variantIn(address) }, modbus);
  }
}

function variantIn(address: unknown): string | null {
  if (typeof address !== 'object' || address === null || !('variant' in address)) return null;
  return typeof address.variant === 'string' ? address.variant : null;
}

function checksOf(profile: Profile, { points, message }: Pick<Tried, 'points' | 'message'>): CheckVerdict[] {
  if (profile.protocol !== 'modbus') return [];
  const samples = points.map((point): Sample => ({ point: nameOf(point), value: point.value, quality: point.quality }));
  return profile.check.map((check) => ({ says: wordsOf(check), holds: holdsOf(check, samples, message) }));
}

const nameOf = ({ point }: TriedPoint) => point as Sample['point'];

/** Name plates are asked by the driver: it complains of the first that does not fit. */
function holdsOf(check: ProfileCheck, samples: readonly Sample[], message: string): boolean | null {
  if ('read' in check || 'model' in check) {
    const isHeard = samples.some(({ value }) => value !== null);
    if (!isHeard) return null;
    return !/ says |SunSpec/.test(message);
  }
  const verdict = judgeChecks([check], samples);
  return verdict === 'unheard' ? null : verdict === null;
}

function wordsOf(check: ProfileCheck): Name {
  if ('value' in check) {
    const [low, high] = check.in;
    return { zh: `${check.value} 在 ${low} 到 ${high} 之间`, en: `${check.value} is between ${low} and ${high}` };
  }
  if ('sum' in check) {
    const share = `${Number((check.within * 100).toPrecision(3))} %`;
    const parts = check.sum.join(' + ');
    return { zh: `${parts} 与 ${check.near} 相差不超过 ${share}`, en: `${parts} is within ${share} of ${check.near}` };
  }
  if ('model' in check) {
    const models = check.model.join(', ');
    return { zh: `有 SunSpec 模型 ${models}`, en: `it has a SunSpec model ${models}` };
  }
  const what = check.is === undefined ? '' : `: ${check.is.map((one) => JSON.stringify(one)).join(' / ')}`;
  return {
    zh: `铭牌寄存器 ${check.read.at} 可读${what}`,
    en: `the name plate at ${check.read.at} says what it should${what}`,
  };
}
