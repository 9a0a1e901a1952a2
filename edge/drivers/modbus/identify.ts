import type { Sample } from '#edge/domain/reading.ts';
import { judgePlate, modelsOf, type Plate, platesOf } from '#edge/profiles/checks.ts';
import { type Decoded, decodeBit, decodeRegisters, noValue } from '#edge/profiles/decode.ts';
import type { ModbusProfile, ProfileCheck } from '#edge/profiles/profile.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { checkedNames, judgeChecks } from './check-gate.ts';
import { isRefusal } from './errors.ts';
import { type Identity, located, plain } from './layout.ts';
import type { Span } from './planner.ts';
import { walkModels } from './sunspec.ts';

export interface IdentifyContext {
  readonly profile: ModbusProfile;
  /** The variant that the site file pins. */
  readonly variant: string | undefined;
  /** Data bytes; rejects as the line does. */
  readSpan(span: Span): Promise<Buffer>;
  /** Values by name, as they are when the device is this; rejects when one was not had. */
  readValues(names: ReadonlySet<string>, identity: Identity): Promise<readonly Sample[]>;
}

export interface Identified {
  readonly identity: Identity;
  /** What does not fit the profile, in a sentence; null: nothing. */
  readonly complaint: string | null;
}

/** Whether a device must be looked at before its values mean anything. */
export function needsIdentity({ variants, bus, check }: ModbusProfile): boolean {
  return variants !== undefined || bus.sunspec !== undefined || check.some((one) => 'read' in one || 'model' in one);
}

/**
 * Which device this is: where its SunSpec models are, which variant of the product, and whether its name plates say what
 * the profile expects. Rejects as the line does: then nobody knows yet.
 */
export async function identify(context: IdentifyContext): Promise<Identified> {
  const { profile, variant: pinned } = context;
  const table = profile.bus.fc;
  const readRegisters = (at: number, length: number) => context.readSpan({ table, at, length });
  let models: ReadonlyMap<number, number>;
  try {
    models = await walkModels(readRegisters, profile.bus.sunspec ?? []);
  } catch (error) {
    if (codeOf(error) !== 'SUNSPEC_CHAIN') throw error;
    // It answers, and nonsense: looked at again ever more rarely, as whatever is not what its profile says.
    return { identity: plain, complaint: messageOf(error) };
  }
  const common: Identity = { variant: null, models };
  if (profile.bus.sunspec !== undefined && models.size === 0) {
    const places = profile.bus.sunspec.join(', ');
    return { identity: common, complaint: `there is no SunSpec marker at ${places}` };
  }
  const complaint = await judgeNamed(context, common, profile.check);
  if (complaint !== null || profile.variants === undefined) return { identity: common, complaint };
  const complaints: string[] = [];
  for (const { variant, check } of profile.variants) {
    if (pinned !== undefined && variant !== pinned) continue;
    const identity: Identity = { variant, models };
    const wrong = (await judgeNamed(context, identity, check)) ?? (await judgeValues(context, identity, check));
    if (wrong === null) return { identity, complaint: null };
    // What the site file says is obeyed, and the complaint is heard.
    if (pinned !== undefined) return { identity, complaint: `it is said to be ${pinned}, but ${wrong}` };
    complaints.push(`not ${variant}: ${wrong}`);
  }
  if (complaints.length === 0) complaints.push(`the profile has no variant ${pinned}`);
  return { identity: common, complaint: complaints.join('; ') };
}

/** Name plates and models. */
async function judgeNamed(
  context: IdentifyContext,
  identity: Identity,
  checks: readonly ProfileCheck[],
): Promise<string | null> {
  for (const models of modelsOf(checks)) {
    if (!models.some((model) => identity.models.has(model))) return `it has no SunSpec model ${models.join(' or ')}`;
  }
  for (const plate of platesOf(context.profile, checks)) {
    const wrong = judgePlate(plate, await readPlate(context, identity, plate));
    if (wrong !== null) return wrong;
  }
  return null;
}

async function readPlate(context: IdentifyContext, identity: Identity, plate: Plate): Promise<Decoded> {
  const address = located(plate.address, identity);
  if (address === null) return noValue('configuration-error');
  const { table, at, length, format } = address;
  try {
    const bytes = await context.readSpan({ table, at, length });
    return table === 'coil' || table === 'discrete' ? decodeBit(bytes, 0) : decodeRegisters(format, bytes);
  } catch (error) {
    if (isRefusal(error)) return noValue('configuration-error');
    throw error;
  }
}

async function judgeValues(
  context: IdentifyContext,
  identity: Identity,
  checks: readonly ProfileCheck[],
): Promise<string | null> {
  const names = checkedNames(checks);
  if (names.size === 0) return null;
  const verdict = judgeChecks(checks, await context.readValues(names, identity));
  return verdict === 'unheard' ? 'it does not have what this variant has' : verdict;
}
