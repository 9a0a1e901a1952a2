import type { Name } from '#edge/domain/place.ts';
import { currentRatios } from './plausibility-factors.ts';
import { shown } from './plausibility-words.ts';

/* Whether an energy counter counts what flows: its rise against the integral of power over some minutes. */

export interface PowerSample {
  /** ms, of any clock that does not step. */
  readonly time: number;
  /** W; negative: fed back. */
  readonly watts: number;
  /** W.h, by point. */
  readonly counters: ReadonlyMap<string, number>;
}

export interface CounterFace {
  readonly point: string;
  /** Which power it counts; `both`: whatever its sign. */
  readonly counts: 'import' | 'export' | 'both';
  /** Its last digit, W.h. */
  readonly step: number;
}

export interface EnergyVerdict {
  readonly point: string;
  /** `too-little`: less flowed than the counter can show. */
  readonly state: 'fits' | 'differs' | 'too-little';
  /** W.h. */
  readonly counted: number;
  readonly expected: number;
  readonly tolerance: number;
  /** The counter would fit times this; null: nothing simple makes it fit. */
  readonly factor: number | null;
  readonly says: Name;
}

const hour = 3_600_000;

interface Flow {
  readonly energy: number;
  /** How far the truth between the samples may be from a straight line, and how late the counter may be read. */
  readonly slack: number;
}

function flowOf(samples: readonly PowerSample[], counts: CounterFace['counts']): Flow {
  const watts = samples.map((sample) =>
    counts === 'both' ? Math.abs(sample.watts) : Math.max(0, counts === 'import' ? sample.watts : -sample.watts),
  );
  let [energy, slack, longest] = [0, 0, 0];
  for (let i = 1; i < samples.length; i++) {
    const ms = (samples[i]?.time ?? 0) - (samples[i - 1]?.time ?? 0);
    const [before = 0, after = 0] = [watts[i - 1], watts[i]];
    energy += (((before + after) / 2) * ms) / hour;
    slack += ((Math.abs(after - before) / 2) * ms) / hour;
    longest = Math.max(longest, ms);
  }
  // The counter of an answer may be a second or so older than its power, at both ends.
  const late = (2 * Math.max(0, ...watts) * Math.min(longest, 2_000)) / hour;
  return { energy, slack: slack + late };
}

const factors: readonly number[] = [
  1_000,
  0.001,
  10,
  0.1,
  100,
  0.01,
  ...currentRatios.filter((one) => one !== 10 && one !== 100),
];

/** Samples in order of time; fewer than two judge nothing. */
export function judgeEnergy(samples: readonly PowerSample[], faces: readonly CounterFace[]): readonly EnergyVerdict[] {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || samples.length < 2) return [];
  return faces.flatMap((face): EnergyVerdict[] => {
    const [from, to] = [first.counters.get(face.point), last.counters.get(face.point)];
    return from === undefined || to === undefined ? [] : [judgeOne(samples, face, to - from)];
  });
}

function judgeOne(
  samples: readonly PowerSample[],
  { point, counts, step }: CounterFace,
  counted: number,
): EnergyVerdict {
  const { energy: expected, slack } = flowOf(samples, counts);
  const tolerance = 2 * step + slack + 0.03 * expected;
  const figures: Name = {
    zh: `${point}：增加 ${shown(counted, 'Wh')}，功率积分 ${shown(expected, 'Wh')}（±${shown(tolerance, 'Wh')}）`,
    en: `${point} rose by ${shown(counted, 'Wh')}, power makes ${shown(expected, 'Wh')} (±${shown(tolerance, 'Wh')})`,
  };
  const common = { point, counted, expected, tolerance };
  const fits = Math.abs(counted - expected) <= tolerance;
  if (fits && expected > 0 && expected < 5 * step + slack) {
    const says = tooLittle(samples, figures, step, expected);
    return { ...common, state: 'too-little', factor: null, says };
  }
  if (fits) return { ...common, state: 'fits', factor: null, says: figures };
  const factor = factorOf(counted, expected, { step, slack });
  const times = factor === null ? { zh: '不符', en: ': they differ' } : factorWords(factor);
  return {
    ...common,
    state: 'differs',
    factor,
    says: { zh: `${figures.zh}，${times.zh}`, en: `${figures.en}${times.en}` },
  };
}

function tooLittle(samples: readonly PowerSample[], figures: Name, step: number, expected: number): Name {
  const ms = (samples.at(-1)?.time ?? 0) - (samples[0]?.time ?? 0);
  const minutes = Math.ceil(((20 * step) / expected) * (ms / 60_000));
  return {
    zh: `${figures.zh}：流过的太少，约需 ${minutes} 分钟才能判断`,
    en: `${figures.en}: too little to tell; about ${minutes} minutes are needed`,
  };
}

/** The only simple factor that makes the rise fit; null: none, or several do. */
function factorOf(counted: number, expected: number, { step, slack }: { step: number; slack: number }): number | null {
  if (counted < 4 * step || expected <= 0) return null;
  const fitting = factors.filter(
    (factor) => Math.abs(counted * factor - expected) <= 2 * step * factor + slack + 0.04 * expected,
  );
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

function factorWords(factor: number): Name {
  if (factor === 1_000) return { zh: '像是以 kWh 计而不是 Wh', en: ': as if it counted in kWh and not in Wh' };
  if (factor === 0.001) return { zh: '像是以 Wh 计而不是 kWh', en: ': as if it counted in Wh and not in kWh' };
  const by = factor > 1 ? factor : 1 / factor;
  return factor > 1
    ? {
        zh: `少计 ${by} 倍（小数位或互感器变比）`,
        en: `: ${by} times too little (a decimal place, or the transformers' ratio)`,
      }
    : { zh: `多计 ${by} 倍（小数位）`, en: `: ${by} times too much (a decimal place)` };
}
