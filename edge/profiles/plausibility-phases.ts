import type { Name } from '#edge/domain/place.ts';
import { highestVoltage, isLoaded, isMissing, productOf } from './plausibility-relations.ts';
import type { Snapshot } from './plausibility-snapshot.ts';
import { listed, shown } from './plausibility-words.ts';

/* How current transformers are put on: the wrong way round, or on another phase than the voltage they are multiplied with. */

export interface WiringFault {
  readonly kind: 'turned' | 'swapped' | 'missing';
  /** 1 to 3. */
  readonly phases: readonly number[];
  readonly points: readonly string[];
  readonly isSure: boolean;
  readonly says: Name;
}

/** Power factors of the phases, signed by the direction of power; null: too little flows on one of them to tell. */
function factorsOf({ phases }: Snapshot): number[] | null {
  const factors = phases.map((phase) => {
    const product = productOf(phase);
    return product === null || phase.power === null || !isLoaded(phase) ? null : phase.power.value / product.va;
  });
  const known = factors.filter((one) => one !== null);
  return known.length === 3 && factors.length === 3 ? known : null;
}

const powerPoints = (snapshot: Snapshot, phases: readonly number[]) =>
  phases.flatMap((phase) => snapshot.phases[phase - 1]?.power?.name ?? []);

/** Feeding in is known here: power one way and the other is nothing special then. */
const ownShare = 0.01;

function feedsIn({ imported, exported }: Snapshot): boolean {
  if (exported === null) return false;
  return exported.value > ownShare * ((imported?.value ?? 0) + exported.value);
}

const tolerance = 0.12;
const near = (a: number, b: number, by = tolerance) => Math.abs(a - b) <= by;

/** One or two phases with the other sign and the same power factor: a load on one phase can hardly give back what it takes. */
function turnedOf(snapshot: Snapshot, factors: readonly number[]): WiringFault | null {
  const negative = factors.flatMap((one, i) => (one < 0 ? [i + 1] : []));
  if (negative.length === 0 || negative.length === 3) return null;
  const sizes = factors.map(Math.abs);
  const low = Math.min(...sizes);
  const high = Math.max(...sizes);
  if (low < 0.5 || high - low > 2 * tolerance) return null;
  const watts = snapshot.phases.map(({ power }) => Math.abs(power?.value ?? 0));
  if (Math.min(...watts) < 0.1 * Math.max(...watts)) return null;
  const figures = listed(factors.map((one, i) => `L${i + 1} ${shown(one, '')}`));
  const which = listed(negative.map((phase) => `L${phase}`));
  return {
    kind: 'turned',
    phases: negative,
    points: powerPoints(snapshot, negative),
    isSure: high - low <= tolerance && !near(low, 0.5, 0.05),
    says: {
      zh: `${which} 的有功为负，其余相为正，而各相功率因数大小相近（${figures}）；电能表几乎没有反向电能`,
      en: `${which} shows negative power and the rest positive, with power factors of the same size (${figures}); hardly any exported energy was ever counted`,
    },
  };
}

const third = (2 * Math.PI) / 3;

/** Two transformers on each other's phases: their angles are a third of a turn too large and too small. */
function swappedOf(snapshot: Snapshot, factors: readonly number[]): WiringFault | null {
  for (const right of [0, 1, 2]) {
    const pf = factors[right] ?? 0;
    if (pf < 0.6) continue;
    const others = [0, 1, 2].filter((i) => i !== right);
    const [a = 0, b = 0] = others.map((i) => factors[i] ?? 0);
    const phi = Math.acos(Math.min(1, pf));
    const [plus, minus] = [Math.cos(phi + third), Math.cos(phi - third)];
    const fits = (near(a, plus) && near(b, minus)) || (near(a, minus) && near(b, plus));
    if (!fits) continue;
    const phases = others.map((i) => i + 1);
    const figures = listed(factors.map((one, i) => `L${i + 1} ${shown(one, '')}`));
    const which = phases.map((phase) => `L${phase}`);
    return {
      kind: 'swapped',
      phases,
      points: powerPoints(snapshot, phases),
      isSure: near(a + b + pf, 0, 0.06),
      says: {
        zh: `${which.join('、')} 的功率因数各偏 120°（${figures}），像是这两相的电流互感器互换了`,
        en: `the angles of ${which.join(' and ')} are 120° off (power factors ${figures}), as when their current transformers are on each other's phase`,
      },
    };
  }
  return null;
}

function missingOf(snapshot: Snapshot): WiringFault[] {
  const highest = highestVoltage(snapshot);
  return snapshot.phases.flatMap((phase, i): WiringFault[] => {
    if (snapshot.phases.length < 2 || !isMissing(phase, highest)) return [];
    const figure = shown(phase.voltage?.value ?? 0, 'V');
    return [
      {
        kind: 'missing',
        phases: [i + 1],
        points: phase.voltage === null ? [] : [phase.voltage.name],
        isSure: true,
        says: { zh: `L${i + 1} 没有电压（${figure}）`, en: `L${i + 1} has no voltage (${figure})` },
      },
    ];
  });
}

/** What looks wrong with how it is wired, in a snapshot that is a circuit otherwise. */
export function wiringFaults(snapshot: Snapshot): readonly WiringFault[] {
  const missing = missingOf(snapshot);
  const factors = factorsOf(snapshot);
  if (factors === null || feedsIn(snapshot)) return missing;
  const fault = swappedOf(snapshot, factors) ?? turnedOf(snapshot, factors);
  return fault === null ? missing : [...missing, fault];
}
