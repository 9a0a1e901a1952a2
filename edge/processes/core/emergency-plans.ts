import type { SoundClass, SoundSource } from '#edge/domain/broadcast.ts';
import { type EmergencyKind, emergencyKinds } from '#edge/domain/emergency.ts';
import type { ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import { type FireClip, type FireCycleMistake, fireCycle } from '#edge/rules/sound-fire-cycle.ts';
import type { SiteEmergency } from '#edge/runtime/site-emergency.ts';

/* What is done in each kind of emergency: the site's word, else the usual. */

export interface EmergencyPlan {
  readonly kind: EmergencyKind;
  readonly name: Name;
  readonly class: SoundClass;
  readonly clips: readonly string[];
  readonly words: Name;
  readonly zones: 'all' | readonly ZoneId[];
  readonly steps: readonly Name[];
  /** Where its siren and voices are not what the code of practice for fire alarms wants; it sounds all the same. */
  readonly mistakes: readonly FireCycleMistake[];
}

/** What is known of the clips of this campus. */
export interface KnownClips {
  readonly hasClip: (name: string) => boolean;
  /** ms; null: unknown or endless. */
  readonly lengthOf: (name: string) => number | null;
  readonly drillWord: FireClip | null;
}

export const emergencyNames: Readonly<Record<EmergencyKind, Name>> = {
  fire: { zh: '火灾', en: 'Fire' },
  earthquake: { zh: '地震', en: 'Earthquake' },
  intrusion: { zh: '入侵 / 暴力', en: 'Intruder / violence' },
  storm: { zh: '恶劣天气', en: 'Severe weather' },
  other: { zh: '其他紧急情况', en: 'Other emergency' },
};

const classes: Readonly<Record<EmergencyKind, SoundClass>> = {
  fire: 'fire',
  earthquake: 'danger',
  intrusion: 'danger',
  storm: 'warning',
  other: 'danger',
};

/** The first of these that the site file has. */
const usualClips: Readonly<Record<EmergencyKind, readonly string[]>> = {
  fire: ['fire', 'evacuation'],
  earthquake: ['earthquake', 'take-cover'],
  intrusion: ['intrusion', 'lockdown'],
  storm: ['storm', 'take-shelter'],
  other: ['attention'],
};

const usualWords: Readonly<Partial<Record<string, Name>>> = {
  evacuation: { zh: '疏散警报', en: 'Evacuation signal' },
  lockdown: { zh: '封闭警报', en: 'Lockdown signal' },
  earthquake: { zh: '地震预警，请就近躲避，护住头部', en: 'Earthquake: take cover, protect your head' },
  storm: { zh: '恶劣天气预警，请立即回到室内', en: 'Severe weather: go inside at once' },
  attention: { zh: '请注意，听从老师指挥', en: 'Attention: do as your teachers say' },
};

const count: Name = { zh: '各班清点人数并报告', en: 'Each class counts its pupils and reports' };
const usualSteps: Readonly<Record<EmergencyKind, readonly Name[]>> = {
  fire: [
    { zh: '拨打 119，说明地点和火情', en: 'Call the fire brigade: where, and what burns' },
    { zh: '派人到消防主机确认报警部位', en: 'Somebody looks at the fire panel where it burns' },
    { zh: '打开疏散门和消防通道', en: 'Open the escape doors and the way for the fire engines' },
    { zh: '组织师生疏散到操场', en: 'Everybody goes to the assembly place' },
    count,
    { zh: '校门接应消防车', en: 'Meet the fire engines at the gate' },
  ],
  earthquake: [
    { zh: '就近躲避，护住头部', en: 'Take cover where you are, protect your head' },
    { zh: '震动停止后有序疏散到操场', en: 'When it stops, go to the assembly place in order' },
    count,
    { zh: '关闭燃气、电源总阀', en: 'Shut off gas and mains' },
    { zh: '检查建筑，未经确认不得返回', en: 'Have the buildings looked at; nobody goes back before' },
  ],
  intrusion: [
    { zh: '拨打 110', en: 'Call the police' },
    { zh: '关闭校门，师生留在教室锁门', en: 'Close the gates; classes stay in locked rooms' },
    { zh: '安保人员携带器械到位', en: 'Guards with their equipment go there' },
    count,
  ],
  storm: [
    { zh: '停止室外活动，回到教室', en: 'Stop what is outdoors, go inside' },
    { zh: '关好门窗，固定室外设施', en: 'Close doors and windows, secure what stands outside' },
    { zh: '通知家长放学安排', en: 'Tell parents how children get home' },
  ],
  other: [{ zh: '确认情况并通知值班领导', en: 'Find out what it is, tell whoever is on duty' }, count],
};

export function emergencyPlans(site: SiteEmergency, known: KnownClips): Readonly<Record<EmergencyKind, EmergencyPlan>> {
  const planOf = (kind: EmergencyKind): EmergencyPlan => {
    const own = site.plans[kind];
    const usual = usualClips[kind].find(known.hasClip);
    const clips = own?.clips ?? (usual === undefined ? [] : [usual]);
    return {
      ...{ kind, name: emergencyNames[kind], class: classes[kind], clips },
      words: own?.words ?? usualWords[clips[0] ?? ''] ?? { zh: clips.join('、'), en: clips.join(', ') },
      zones: own?.zones ?? 'all',
      steps: own?.steps ?? usualSteps[kind],
      mistakes: kind === 'fire' ? (cycleOf(clips, known)?.mistakes ?? []) : [],
    };
  };
  const [fire, earthquake, intrusion, storm, other] = emergencyKinds;
  return {
    [fire]: planOf(fire),
    [earthquake]: planOf(earthquake),
    [intrusion]: planOf(intrusion),
    [storm]: planOf(storm),
    [other]: planOf(other),
  };
}

/** How often a public warning is said; then it is shown, and whoever is there may have it said again. */
const timesWarned = 3;

/** What sounds for it: a fire as a cycle of siren and voice, a public warning three times, the rest again and again. */
export function soundOf(
  { kind, clips }: EmergencyPlan,
  known: Pick<KnownClips, 'lengthOf' | 'drillWord'> & { readonly isWarning: boolean },
): { readonly source: SoundSource; readonly length?: null } {
  if (known.isWarning)
    return { source: { kind: 'clips', clips: Array.from({ length: timesWarned }, () => clips).flat(), loop: false } };
  const cycle = kind === 'fire' ? cycleOf(clips, known) : null;
  return { source: cycle?.source ?? { kind: 'clips', clips, loop: true }, length: null };
}

/** A siren and one or two voices; null: one clip is all of it, or nobody knows yet how long they are. */
function cycleOf(clips: readonly string[], { lengthOf, drillWord }: Pick<KnownClips, 'lengthOf' | 'drillWord'>) {
  const parts = clips.map((clip) => ({ clip, length: lengthOf(clip) ?? 0 }));
  const [siren, ...voices] = parts;
  if (siren === undefined || voices.length === 0 || parts.some(({ length }) => length === 0)) return null;
  return fireCycle({ siren, voices, drillWord });
}
