import { describe, expect, it } from 'vitest';
import { loadProfiles } from '#edge/profiles/load.ts';
import { inVariant } from '#edge/profiles/modbus-address.ts';
import { judgePlausibility, type Plausibility } from '#edge/profiles/plausibility.ts';
import { currentRatios } from '#edge/profiles/plausibility-factors.ts';
import { type Order, type Place, placesOf, type Registers } from '#edge/profiles/plausibility-readings.ts';
import { slotOf } from '#edge/profiles/plausibility-snapshot.ts';
import type { ModbusProfile } from '#edge/profiles/profile.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import { type Planted, plausibleLoad, registersOf, seeded, type Truth, valueIn } from './plausible-load.ts';

const shelf = await loadProfiles(new URL('../../../device-profiles', import.meta.url).pathname);

interface Meter {
  readonly path: string;
  readonly profile: ModbusProfile;
  readonly places: readonly Place[];
  readonly has: (slot: string) => boolean;
}

const all = [...shelf.profiles].flatMap(([path, profile]): Meter[] => {
  if (profile.protocol !== 'modbus' || profile.bus.sunspec !== undefined) return [];
  const places = placesOf(profile);
  const slots = new Set<string>(places.map((place) => slotOf(place)?.slot ?? ''));
  return places.length === 0 ? [] : [{ path, profile, places, has: (slot) => slots.has(slot) }];
});
/** One has power and energies only: nothing there can be compared with anything. */
const meters = all.filter(({ has }) => has('voltage'));
const variantsOf = ({ profile }: Meter) => profile.variants?.map(({ variant }) => variant) ?? [undefined];

const placesIn = ({ places }: Meter, variant: string | undefined) =>
  places.filter(({ address }) => variant === undefined || inVariant(address, variant) !== null);

const none: ReadonlyMap<string, null> = new Map();

function judge({ path, profile }: Meter, registers: Registers, variant: string | null = null): Plausibility {
  return judgePlausibility({ values: none, registers, path, variant }, profile);
}

function judgeLoad(meter: Meter, truth: Truth, random: () => number, planted: Planted = {}): Plausibility | null {
  try {
    const gaps = (['zero', 'noise', 'refused'] as const)[Math.floor(random() * 3)] ?? 'zero';
    return judge(meter, registersOf(meter.places, truth, random, { gaps, ...planted }), planted.variant);
  } catch (error) {
    // Does not fit the register: such a mistake cannot be seen in this meter.
    if (codeOf(error) === 'PROFILE_NOT_ENCODABLE') return null;
    throw error;
  }
}

const times = (truth: Truth, slots: readonly string[], factor: number): Truth =>
  new Map([...truth].map(([key, value]) => [key, slots.includes(key.replace(/\d$/, '')) ? value * factor : value]));

const say = (found: Plausibility | null) =>
  JSON.stringify({
    s: found?.suspicions.map(({ says }) => says.en),
    p: found?.proposals.map(({ says, sure }) => [says.en, sure]),
  });

describe('a meter that is right', () => {
  it('raises no suspicion in 10,000 plausible loads of all shipped meters', () => {
    let judged = 0;
    const wrong: string[] = [];
    for (let seed = 1; judged < 10_000 && seed < 1_000; seed++) {
      for (const meter of meters) {
        for (const variant of variantsOf(meter)) {
          const random = seeded(seed * 7_919 + judged);
          const ratio = [1, 20, 60][seed % 3] ?? 1;
          const found = judgeLoad(meter, plausibleLoad(placesIn(meter, variant), random), random, {
            ratio,
            ...(variant === undefined ? {} : { variant }),
          });
          if (found === null) continue;
          judged++;
          expect(found.isJudged).toBe(true);
          if (found.suspicions.length > 0 || found.proposals.length > 0)
            wrong.push(`${meter.path} ${seed}: ${say(found)}`);
        }
      }
    }
    expect(wrong.slice(0, 10)).toEqual([]);
    expect(judged).toBeGreaterThanOrEqual(10_000);
  });
});

describe.each(meters.map((meter) => [meter.path, meter] as const))('%s', (_, meter) => {
  const loads = 5;
  const eachLoad = (act: (truth: Truth, random: () => number, seed: number) => string | null) => {
    const wrong: string[] = [];
    for (let seed = 1; seed <= loads; seed++) {
      const random = seeded(seed * 104_729);
      const problem = act(plausibleLoad(meter.places, random, { isLoaded: true }), random, seed);
      if (problem !== null) wrong.push(`load ${seed}: ${problem}`);
    }
    expect(wrong).toEqual([]);
  };
  const variant = variantsOf(meter)[0];
  const plain: Planted = variant === undefined ? {} : { variant };

  /**
   * Floats in a row, one register off, are nearly right with their words turned round: the upper half of each value then stands
   * where it should. Rounded floats tell the two apart; others leave both, and neither is called certain.
   */
  const isFound = (found: Plausibility | null, kind: string, seed: number) => {
    if (found === null) return true;
    const at = found.proposals.findIndex(({ kinds }) => kinds.join() === kind);
    return at === 0 || (at > 0 && seed % 2 === 1 && found.proposals.every(({ sure }) => sure === 'possible'));
  };

  it.each(['CDAB', 'BADC', 'DCBA'] as const)(
    'is found out when its byte order is turned round (%s)',
    (order: Order) => {
      const isVisible = order !== 'CDAB' || meter.places.some(({ address }) => address.length > 1);
      if (!isVisible) return expect(isVisible).toBe(false);
      return eachLoad((truth, random, seed) => {
        const found = judgeLoad(meter, truth, random, { ...plain, order, isRounded: seed % 2 === 0 });
        return isFound(found, 'order', seed) ? null : say(found);
      });
    },
  );

  it.each([-1, 1] as const)('is found out when its addresses are off by one (%i)', (shift) => {
    const first = Math.min(...meter.places.map(({ address }) => address.at));
    if (first + shift < 0) return expect(first).toBe(0);
    return eachLoad((truth, random, seed) => {
      const found = judgeLoad(meter, truth, random, { ...plain, shift, isRounded: seed % 2 === 0 });
      return isFound(found, 'base', seed) ? null : say(found);
    });
  });

  it('is found out when its values are in the other table', () => {
    eachLoad((truth, random, seed) => {
      const found = judgeLoad(meter, truth, random, { ...plain, isOtherTable: true, isRounded: seed % 2 === 0 });
      return isFound(found, 'table', seed) ? null : say(found);
    });
  });

  it('is found out when two of these come together', () => {
    eachLoad((truth, random, seed) => {
      const planted: Planted = { ...plain, isOtherTable: true, order: 'DCBA', isRounded: seed % 2 === 0 };
      const found = judgeLoad(meter, truth, random, planted);
      return isFound(found, 'table,order', seed) ? null : say(found);
    });
  });

  const finds = (found: Plausibility, factor: number, slot: string) =>
    found.proposals.some(({ factors }) =>
      factors.some(
        (one) =>
          Math.abs(one.factor / factor - 1) < 1e-6 &&
          one.points.some((point) => slotOf({ name: point, unit: unitNamed(point) })?.slot === slot),
      ),
    );
  /** So few steps of a register are left that no factor can be told; it is suspicious all the same. */
  const isTooCoarse = (truth: Truth, slot: string, ratio: number, found: Plausibility) =>
    (slot === 'current' || slot === 'power') &&
    found.suspicions.length > 0 &&
    meter.places.some((place) => {
      const where = slotOf(place);
      const { as, scale } = place.address.format;
      if (where?.slot !== slot || (as.startsWith('f') && scale >= 1)) return false;
      return Math.abs(valueIn(place, truth)) / ratio / scale < 60;
    });
  const unitNamed = (point: string) => meter.places.find(({ name }) => name === point)?.unit ?? '1';
  const canCompare = meter.has('current') && meter.has('power');

  it.skipIf(!canCompare)(
    'is found out when the ratio of its current transformers is left out of currents or of powers',
    () => {
      eachLoad((truth, random, seed) => {
        const ratio = currentRatios[(seed * 5) % currentRatios.length] ?? 40;
        for (const [slots, slot] of [
          [['current'], 'current'],
          [['power', 'apparent', 'reactive'], 'power'],
        ] as const) {
          // What a profile believes of a direct meter's current is no limit of one behind transformers.
          const found = judgeLoad(meter, times(truth, slots, 1 / ratio), random, plain);
          if (found !== null && !finds(found, ratio, slot) && !isTooCoarse(truth, slot, ratio, found))
            return `${slot} / ${ratio}: ${say(found)}`;
        }
        return null;
      });
    },
  );

  it.each([
    ['voltage', 10],
    ['voltage', 0.1],
    ['frequency', 10],
    ['frequency', 0.1],
    ['frequency', 100],
    ['factor', 1_000],
    ['power', 1_000],
    ['power', 0.001],
    ['power', 10],
    ['current', 10],
    ['current', 0.01],
    ['current', 1_000],
  ] as const)('is found out when its %s is %d times what it should be', (slot, factor) => {
    const needs = slot === 'power' || slot === 'current' ? canCompare : meter.has(slot);
    if (!needs) return expect(needs).toBe(false);
    const slots = slot === 'power' ? ['power', 'apparent', 'reactive'] : [slot];
    return eachLoad((truth, random) => {
      const found = judgeLoad(meter, times(truth, slots, factor), random, plain);
      return found === null || finds(found, 1 / factor, slot) || isTooCoarse(truth, slot, 1 / factor, found)
        ? null
        : say(found);
    });
  });

  const isThree = meter.places.some(({ name }) => /power_l2$/.test(name));

  it.skipIf(!isThree || !canCompare)('is found out when a current transformer is the wrong way round', () => {
    eachLoad((truth, random, seed) => {
      const phase = 1 + (seed % 3);
      const turned = new Map(truth);
      turned.set(`power${phase}`, -(truth.get(`power${phase}`) ?? 0));
      turned.set(
        'power0',
        [1, 2, 3].reduce((sum, one) => sum + (turned.get(`power${one}`) ?? 0), 0),
      );
      turned.set('factor0', Math.sign(turned.get('power0') ?? 1) * Math.abs(truth.get('factor0') ?? 1));
      turned.set('exported0', 0);
      const found = judgeLoad(meter, turned, random, plain);
      const [first] = found?.proposals ?? [];
      return first?.kinds.join() === 'turned' && first.points.every((point) => point.endsWith(`_l${phase}`))
        ? null
        : say(found);
    });
  });

  it.skipIf(!isThree || !canCompare)('is found out when two current transformers are on the phase of the other', () => {
    eachLoad((truth, random, seed) => {
      const right = 1 + (seed % 3);
      const swapped = new Map(truth);
      const angle = Math.acos(
        (truth.get(`power${right}`) ?? 0) / ((truth.get(`voltage${right}`) ?? 1) * (truth.get(`current${right}`) ?? 1)),
      );
      [1, 2, 3]
        .filter((one) => one !== right)
        .forEach((phase, i) => {
          const va = (truth.get(`voltage${phase}`) ?? 0) * (truth.get(`current${phase}`) ?? 0);
          swapped.set(`power${phase}`, va * Math.cos(angle + (i === 0 ? 1 : -1) * ((2 * Math.PI) / 3)));
        });
      const sum = [1, 2, 3].reduce((total, one) => total + (swapped.get(`power${one}`) ?? 0), 0);
      swapped.set('power0', sum);
      swapped.set('reactive0', 0);
      const va = [1, 2, 3].reduce(
        (total, one) => total + (truth.get(`voltage${one}`) ?? 0) * (truth.get(`current${one}`) ?? 0),
        0,
      );
      swapped.set('factor0', sum / va);
      swapped.set('exported0', 0);
      const found = judgeLoad(meter, swapped, random, plain);
      return found?.proposals[0]?.kinds.join() === 'swapped' ? null : say(found);
    });
  });
});

describe('what is no electricity meter, or nothing at all', () => {
  it('is never explained: 300 devices of random registers get no proposal', () => {
    const wrong: string[] = [];
    for (let seed = 1; seed <= 300; seed++) {
      const meter = meters[seed % meters.length];
      if (meter === undefined) continue;
      const random = seeded(seed * 31_337);
      const words = new Map<string, number>();
      const isSmall = seed % 2 === 0;
      const registers: Registers = {
        read(table, at, length) {
          const bytes = Buffer.alloc(2 * length);
          for (let i = 0; i < length; i++) {
            const key = `${table}:${at + i}`;
            const word = words.get(key) ?? Math.floor(isSmall ? 65_536 ** random() : random() * 65_536);
            words.set(key, word);
            bytes.writeUInt16BE(Math.min(65_535, word), 2 * i);
          }
          return bytes;
        },
      };
      const found = judge(meter, registers);
      if (found.suspicions.length === 0) wrong.push(`${meter.path} ${seed}: no suspicion`);
      if (found.proposals.length > 0) wrong.push(`${meter.path} ${seed}: ${say(found)}`);
    }
    expect(wrong.slice(0, 10)).toEqual([]);
  });

  it('is not judged: a room sensor, a relay', () => {
    for (const path of ['climate/xy-md02', 'relay/waveshare-relay-8']) {
      const profile = shelf.profiles.get(path);
      if (profile === undefined) throw new Error(`no ${path}`);
      expect(judgePlausibility({ values: new Map([['temperature', 21]]) }, profile)).toMatchObject({
        isJudged: false,
        suspicions: [],
        proposals: [],
      });
    }
  });
});
