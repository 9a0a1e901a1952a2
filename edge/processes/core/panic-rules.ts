import { type Device, speaksToLoudspeakers } from '#edge/domain/device.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import type { Action, Condition, Rule, RuleVersion } from '#edge/domain/rule.ts';
import type { RaiseDecision } from '#edge/rules/decision.ts';
import type { Site } from '#edge/runtime/site.ts';
import type { SitePanic } from '#edge/runtime/site-gatehouse.ts';

/*
 * The rules of the one-key alarms, made of the site file. They are rules like any other to the engine, and like none to people: no name of a
 * rule in the rules folder can be theirs (a dot is in none), so nothing replaces, edits, shadows or turns them off.
 */

const prefix = 'panic.';
const wireEnding = '.wire';
/** A line whose value cannot be used for so long is cut, ms. A word of the line itself (`open`, `short`) is believed at once. */
const cutAfter = 3_000;

export type PanicSite = Pick<Site, 'panic'> & {
  readonly devices: readonly { readonly id: DeviceId; readonly zone: string; readonly power?: PointRef | undefined }[];
};

export function panicRuleId(button: string): string {
  return `${prefix}${button}`;
}

/** Whether an interlock is one of the one-key alarms, and so is ended in their way only. */
export function isPanicRule(id: string): boolean {
  return id.startsWith(prefix);
}

/** The button behind the source of an alarm; null: of none, or of its line. */
export function buttonOfSource(source: string): string | null {
  const start = `interlock:${prefix}`;
  return source.startsWith(start) && !source.endsWith(wireEnding) ? source.slice(start.length) : null;
}

/** Two of each button: pressed, and its line is broken. `problems`: buttons that cannot work, a sentence each. */
export function panicRules(
  site: PanicSite,
  devices: readonly Device[],
): { readonly rules: readonly RuleVersion[]; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const rules = site.panic.flatMap((button): RuleVersion[] => {
    const type = typeOf(button.input, devices);
    if (type === 'number') problems.push(`panic ${button.id}: ${button.input} is a number, and no button`);
    if (type === null) problems.push(`panic ${button.id}: there is no point ${button.input}`);
    for (const { device, preset } of button.cameras) {
      const camera = devices.find(({ id }) => id === device);
      if (camera?.protocol !== 'onvif') problems.push(`panic ${button.id}: ${device} is no camera`);
      else if (preset !== null && !camera.points.some(({ name }) => name === 'ptz_preset'))
        problems.push(`panic ${button.id}: ${device} knows no presets`);
    }
    return [
      { version: 1, rule: pressed(button, type === 'boolean' ? true : 'alarm', site, devices) },
      { version: 1, rule: broken(button) },
    ];
  });
  return { rules, problems };
}

type Button = SitePanic[number];

function typeOf(ref: PointRef, devices: readonly Device[]): 'boolean' | 'text' | 'number' | null {
  const parts = splitPointRef(ref);
  const points = devices.find(({ id }) => id === parts?.device)?.points ?? [];
  return points.find(({ name }) => name === parts?.point)?.type ?? null;
}

function pressed(button: Button, value: boolean | string, site: PanicSite, devices: readonly Device[]): Rule {
  const { name, input, sound, cameras } = button;
  const [camera] = cameras;
  const spoken: readonly Action[] =
    sound === null
      ? []
      : [
          { kind: 'broadcast', clip: sound.clip, zones: sound.zones, for: null },
          ...poweredBy(sound.zones, site, devices),
        ];
  return {
    ...rule(panicRuleId(button.id), button, 1),
    // A broken line is no silence of the button: the other rule says so.
    when: { kind: 'point', points: { of: input }, needs: 'any', test: { is: value }, for: 0, onBad: 'ignore' },
    latch: true,
    then: [
      ...spoken,
      {
        kind: 'alarm',
        class: 'critical',
        message: { zh: `一键报警：${name.zh}`, en: `One-key alarm: ${name.en}` },
        next: {
          zh: '立即查看画面、派人到场并联系公安；处置完毕后在一键报警页面说明原因并解除',
          en: 'Look at the pictures, send people and call the police at once; when it is over, end it on its page with a reason',
        },
        ...(camera === undefined ? {} : { camera: camera.device }),
      },
    ],
  };
}

/** What carries the power of the loudspeakers stays on: no rule that saves energy, and nobody, switches them off now. */
function poweredBy(zones: readonly string[] | 'all', site: PanicSite, devices: readonly Device[]): readonly Action[] {
  const speakers = new Set(devices.filter(({ protocol }) => speaksToLoudspeakers(protocol)).map(({ id }) => id));
  const carriers = site.devices.flatMap(({ id, zone, power }) =>
    power !== undefined && speakers.has(id) && (zones === 'all' || zones.some((wanted) => wanted === zone))
      ? [power]
      : [],
  );
  return [...new Set(carriers)].map((of) => ({ kind: 'hold', outputs: { of }, value: true, for: null }));
}

function broken(button: Button): Rule {
  const { id, name, input } = button;
  const says = (value: string): Extract<Condition, { kind: 'point' }> => ({
    kind: 'point',
    points: { of: input },
    needs: 'any',
    test: { is: value },
    for: 0,
    onBad: 'ignore',
  });
  // No value of the line is this word, but no value at all counts as it.
  const silent: Condition = { ...says('cut'), for: cutAfter, onBad: 'trip' };
  return {
    ...rule(`${panicRuleId(id)}${wireEnding}`, button, 5),
    when: { kind: 'any', conditions: [says('open'), says('short'), silent] },
    latch: false,
    clearAfter: 5_000,
    then: [
      {
        kind: 'alarm',
        class: 'high',
        message: { zh: `一键报警线路故障：${name.zh}`, en: `The line of a one-key alarm is broken: ${name.en}` },
        next: {
          zh: '检查按钮、线路和供电；修复之前请派人值守，并告知按钮不可用',
          en: 'Check the button, its line and its power; until it is mended keep somebody there, and say that it does not work',
        },
      },
    ],
  };
}

function rule(id: string, { name }: Button, priority: 1 | 5): Omit<Rule, 'when' | 'then' | 'latch'> {
  return {
    id,
    name,
    about: null,
    kind: 'safety',
    priority,
    each: null,
    while: [],
    clearAfter: 0,
    coolDown: 0,
    tests: [],
  };
}

export const panicSiteSource = 'site:panic';

/** A button that cannot work must not wait for the day on which somebody presses it. */
export function buttonMistakes(problems: readonly string[]): RaiseDecision {
  const first = problems.slice(0, 4).join('; ');
  return {
    kind: 'raise',
    source: panicSiteSource,
    class: 'high',
    message: {
      zh: `一键报警配置有 ${problems.length} 处错误`,
      en: `The one-key alarms have ${problems.length} mistakes`,
    },
    next: { zh: `修正站点文件的 panic：${first}`, en: `Correct the section panic of the site file: ${first}` },
    reason: problems.join('; '),
  };
}
