import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Facts, type LearnedFacts, Teachings } from '#edge/drivers/modbus/learned.ts';
import { openLearned } from '#edge/drivers/modbus/learned-file.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { makeRig, registers, shape } from './modbus-rig.ts';

/* What a device refuses is learned once, also over restarts, and not believed for ever. */

const day = 86_400_000;

/** Keeps facts whatever the address: each rig has a port of its own. */
function notebook(): LearnedFacts & { facts: Facts | null } {
  const book = {
    facts: null as Facts | null,
    recall: () => book.facts,
    keep: (_device: string, _fingerprint: string, facts: Facts | null) => {
      book.facts = facts;
    },
  };
  return book;
}

describe('a restarted driver', () => {
  it('knows the holes, and what the device does not have', async () => {
    const learned = notebook();
    const profile = shape({ a: { at: 0 }, b: { at: 10 }, c: { at: 11 } });
    const unit = registers([5, 11]);
    {
      await using rig = await makeRig(profile, unit, { learned });
      expect((await rig.values()).c).toEqual([null, 'bad', 'configuration-error']);
    }
    await using rig = await makeRig(profile, unit, { learned });
    expect(await rig.values()).toEqual({
      a: [0, 'good', undefined],
      b: [10, 'good', undefined],
      c: [null, 'bad', 'configuration-error'],
    });
    expect(rig.asked).toEqual(['3:0+1', '3:10+1']);
    expect(rig.states[0]).toContain('1 values');
  });

  it('knows the longest read: a length, not a hole', async () => {
    const learned = notebook();
    const profile = shape(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`v${i}`, { at: i }])));
    {
      await using rig = await makeRig(profile, registers([], 16), { learned });
      await rig.values();
    }
    expect(learned.facts).toMatchObject({ max: 10, barriers: [] });
    await using rig = await makeRig(profile, registers([], 16), { learned });
    expect(Object.values(await rig.values()).every(([, quality]) => quality === 'good')).toBe(true);
    expect(rig.asked).toEqual(['3:0+10', '3:10+10', '3:20+10', '3:30+10']);
  });
});

describe('what was learned', () => {
  it('is asked for again ever more rarely, at last once a day', () => {
    const teachings = new Teachings(null, 0);
    const pauses = Array.from({ length: 9 }, () => {
      teachings.refuse('holding:1+1', 'exception 2', 0);
      return teachings.notBefore('holding:1+1', 0);
    });
    expect(pauses.slice(0, 4)).toEqual([60_000, 240_000, 960_000, 3_840_000]);
    expect(pauses.at(-1)).toBe(day);
    expect(teachings.notBefore('holding:1+1', day)).toBe(0);
    expect(teachings.accept('holding:1+1')).toBe(true);
    expect(teachings.facts()).toBeNull();
  });

  it('is forgotten after a month, and does not outlive a clock that was wrong', () => {
    const facts: Facts = {
      barriers: ['holding:5'],
      max: 10,
      since: 0,
      refused: [{ place: 'holding:1+1', until: 900 * day, pause: day, message: '' }],
    };
    expect(new Teachings(facts, 29 * day).max).toBe(10);
    expect(new Teachings(facts, 31 * day).facts()).toBeNull();
  });
});

describe('the file of what was learned', () => {
  let folder = '';
  const file = () => join(folder, 'learned.json');
  const open = () => openLearned({ file: file(), log: silentLog, saveAfter: 5 });
  const facts: Facts = { barriers: ['holding:5'], max: 16, since: 1, refused: [] };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'campus-learned-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is there after a restart, and only for the same profile and address', async () => {
    {
      await using learned = await open();
      learned.keep('meter', 'one', facts);
    }
    await using learned = await open();
    expect(learned.recall('meter', 'one')).toEqual(facts);
    expect(learned.recall('meter', 'two')).toBeNull();
    expect(learned.recall('other', 'one')).toBeNull();
  });

  it('is written while it runs, too', async () => {
    await using learned = await open();
    learned.keep('meter', 'one', facts);
    await expect.poll(() => readFile(file(), 'utf8').catch(() => '')).toContain('holding:5');
  });

  it.each(['', '{', '[]', '{"learned": 2, "devices": {}}'])(
    'that says %j costs nothing but learning it again',
    async (text) => {
      await writeFile(file(), text);
      await using learned = await open();
      expect(learned.recall('meter', 'one')).toBeNull();
      learned.keep('meter', 'one', facts);
      expect(learned.recall('meter', 'one')).toEqual(facts);
    },
  );

  it('of more devices than there can be, or more bytes, is not taken into memory', async () => {
    const one = { fingerprint: 'one', facts };
    const devices = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`meter-${i}`, one]));
    await writeFile(file(), JSON.stringify({ learned: 1, devices }));
    {
      await using learned = await open();
      expect(learned.recall('meter-2999', 'one')).toEqual(facts);
      expect(learned.recall('meter-0', 'one')).toBeNull();
    }
    await writeFile(file(), `${JSON.stringify({ learned: 1, devices })}${' '.repeat(40 * 2 ** 20)}`);
    await using learned = await open();
    expect(learned.recall('meter-2999', 'one')).toBeNull();
  });
});
