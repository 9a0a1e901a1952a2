import type { Device, Point } from '#edge/domain/device.ts';
import { type PointRef, pointRef, splitPointRef, type ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { LocalDate, Occurrence } from '#edge/domain/school.ts';
import type { AmplifierPlan, AmplifierRelay } from '#edge/rules/amplifier.ts';
import type { LineOutput } from '#edge/rules/amplifier-line.ts';
import type { RaiseDecision } from '#edge/rules/decision.ts';
import type { SiteAmplifier } from '#edge/runtime/site-amplifiers.ts';
import { addDays } from '#edge/school/dates.ts';
import { isLoudspeaker } from '#edge/school/site-facts.ts';

/* The amplifiers of the site file with what the campus knows of their relays and loudspeakers, and what people are told of them. */

export interface Amplifier {
  readonly id: string;
  readonly name: Name;
  readonly plan: AmplifierPlan;
  readonly outputs: readonly LineOutput[];
}

export interface AmplifierPlans {
  readonly amplifiers: readonly Amplifier[];
  /** A sentence each; such an amplifier is left out, and its loudspeakers sound as if they had none. */
  readonly problems: readonly string[];
}

/** Besides the time that a relay has for reading back, ms: the way there and back over a busy line. */
const wayThere = 1_000;
const leastAnswer = 3_000;

export function amplifierPlans(site: readonly SiteAmplifier[], devices: readonly Device[]): AmplifierPlans {
  const known = new Map(devices.map((device) => [device.id as string, device]));
  const amplifiers: Amplifier[] = [];
  const problems: string[] = [];
  for (const [i, { id, name, power, warmUp, afterRun, speakers, zones }] of site.entries()) {
    const mine: string[] = [];
    const relayAt = (ref: PointRef, where: string): AmplifierRelay => {
      const point = pointOf(ref, known);
      if (point?.type !== 'boolean' || point.write === undefined || point.write.momentary === true)
        mine.push(`amplifiers[${i}].${where}: "${ref}" is no output that is on or off`);
      const { minOn = 0, minOff = 0 } = point?.write ?? {};
      // How it is read back, or not, is the driver's: what `commands` hears of it counts.
      return { point: ref, minOn, minOff, readsBack: true };
    };
    const relays = new Map(
      Object.entries(zones).map(([zone, ref]) => [zone as ZoneId, relayAt(ref, `zones.${zone}`)] as const),
    );
    const outputs = speakers.flatMap((speaker, j) => {
      const device = known.get(speaker);
      const point = device?.points.find(isLoudspeaker);
      if (device !== undefined && point !== undefined)
        return [{ ref: pointRef(device.id, point.name), zone: device.zone }];
      mine.push(`amplifiers[${i}].speakers[${j}]: "${speaker}" is no loudspeaker`);
      return [];
    });
    const all = [power, ...Object.values(zones)];
    const answers = all.map((ref) => (pointOf(ref, known)?.write?.verifyWithin ?? 0) + wayThere);
    const plan: AmplifierPlan = {
      ...{ power: relayAt(power, 'power'), warmUp, off: afterRun, zones: relays },
      answerWithin: Math.max(leastAnswer, ...answers),
    };
    if (mine.length === 0) amplifiers.push({ id, name, plan, outputs });
    problems.push(...mine);
  }
  return { amplifiers, problems };
}

function pointOf(ref: PointRef, known: ReadonlyMap<string, Device>): Point | undefined {
  const { device, point } = splitPointRef(ref) ?? {};
  return known.get(device ?? '')?.points.find(({ name }) => name === point);
}

export function words({ zh, en }: Name): string {
  return `${zh} / ${en}`;
}

export function relaySource(id: string, relay: PointRef): string {
  return `amplifier:${id}:${relay}`;
}

export const amplifierMistakesSource = 'site:amplifiers';

export function amplifierMistakes(problems: readonly string[]): RaiseDecision {
  return {
    ...{ kind: 'raise', source: amplifierMistakesSource, class: 'high' },
    message: {
      zh: `功放配置有 ${problems.length} 处错误，这些功放不会被自动开关`,
      en: `The amplifiers of the site file have ${problems.length} mistake${problems.length === 1 ? '' : 's'}; these are not switched`,
    },
    next: { zh: `修正站点文件：${problems[0] ?? ''}`, en: `Correct the site file: ${problems[0] ?? ''}` },
    reason: problems.join('; '),
  };
}

export function relayAlarm(
  { id, name, plan }: Amplifier,
  relay: PointRef,
  why: string,
  { isUrgent, isOn }: { readonly isUrgent: boolean; readonly isOn: boolean },
): RaiseDecision {
  const isPower = relay === plan.power.point;
  const what = isPower ? { zh: '电源继电器', en: 'power relay' } : { zh: '分区继电器', en: 'zone relay' };
  const harm = isOn
    ? { zh: '接通失败，可能没有声音', en: 'did not switch on: there may be no sound' }
    : { zh: '断开失败', en: 'did not switch off' };
  return {
    ...{ kind: 'raise', source: relaySource(id, relay), ref: relay },
    class: isOn ? (isUrgent ? 'critical' : 'high') : 'low',
    message: { zh: `${name.zh}：${what.zh}${harm.zh}`, en: `${name.en}: ${what.en} ${harm.en}` },
    next: isOn
      ? {
          zh: `到功放处手动接通；检查继电器 ${relay} 的电源和接线。`,
          en: `Switch it on by hand at the amplifier; look at the supply and the wiring of ${relay}.`,
        }
      : { zh: `检查继电器 ${relay}。`, en: `Look at the relay ${relay}.` },
    reason: why,
  };
}

/** A planned sound counts as ahead until it has had the time to begin, ms. */
const beginsWithin = 10_000;

/** When the next sound of the school day in one of these zones begins, ms since epoch; null: none today or tomorrow. */
export function nextPlanned(
  book: { today(): LocalDate; occurrences(date: LocalDate): readonly Occurrence[] },
  now: number,
  zones: ReadonlySet<ZoneId>,
): number | null {
  try {
    const today = book.today();
    const times = [today, addDays(today, 1)]
      .flatMap((date) => book.occurrences(date))
      .filter((one) => one.do.kind === 'sound' && one.silenced === null && one.at > now - beginsWithin)
      .filter((one) => one.zones.some((zone) => zones.has(zone)))
      .map(({ at }) => at);
    return times.length === 0 ? null : Math.min(...times);
  } catch {
    // A school day that cannot be read is told by those who ring by it; then a bell waits for its amplifier, as any sound does.
    return null;
  }
}
