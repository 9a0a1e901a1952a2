import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { mostShadows } from '#edge/processes/core/rule-keeper.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { lin, type RulesRoom, ruleBody, rulesFolder, safety, token, wang } from './rules-room.ts';

const versions = (running: RulesRoom['running']) => running.active.map(({ rule, version }) => `${rule.id} v${version}`);
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: CodedError) => error.code,
  );
const settled = (room: RulesRoom) => code(room.book.shadow('nobody', null, 'waits for its turn', lin));
const lines = (room: RulesRoom) => room.reader.newestAudit(50).reverse();
const seen = (room: RulesRoom, id: string) => {
  const { version = null, digest = null } = room.book.entries.get(id)?.state.proposal ?? {};
  return { version, digest };
};
const save = (room: RulesRoom, id: string, base: number, more: Readonly<Record<string, unknown>> = {}) =>
  room.book.save(id, { body: ruleBody(id, more), base, why: `version ${base + 1}`, origin: 'person' }, lin);

describe('a rule that is not for safety', () => {
  test('is saved without running, runs when it is activated, and its file says so', async () => {
    using folder = rulesFolder();
    await using room = await folder.open();
    expect(await save(room, 'leak', 0)).toEqual({ version: 1, problems: [] });
    expect([room.ran, folder.files()]).toEqual([[], []]);
    expect(await room.book.activate('leak', 1, 'it rains', lin)).toEqual({ outcome: 'done', message: 'v1 runs' });
    expect(room.ran).toEqual(['put leak v1']);
    expect(folder.read('leak')).toContain('id: leak');
    expect(room.reader.document('rule', 'leak')?.body).toMatchObject({
      active: 1,
      writing: null,
      latest: 1,
      ran: true,
    });
    await save(room, 'leak', 1, { clearAfter: '5min' });
    await room.book.activate('leak', 2, 'it drips', lin);
    expect(folder.read('leak')).toContain('clearAfter: 5min');
    expect(await room.book.activate('leak', 1, 'back', lin)).toMatchObject({ outcome: 'done' });
    expect(folder.read('leak')).not.toContain('clearAfter');
    expect(await room.book.activate('leak', null, 'winter', wang)).toEqual({ outcome: 'done', message: 'it is off' });
    expect(room.ran.slice(-2)).toEqual(['put leak v1', 'remove leak']);
    expect(folder.files()).toEqual([]);
    const words = lines(room).map(({ who, what, why, result }) => [who, what, why, result]);
    expect(words).toContainEqual(['person:lin', 'rule.save leak v2', 'version 2', 'clearAfter added "5min"']);
    expect(words).toContainEqual([
      'person:lin',
      'rule.activate leak v2',
      'it drips',
      'v1 -> v2: clearAfter added "5min"',
    ]);
    expect(words).toContainEqual(['person:wang', 'rule.off leak', 'winter', 'v1 -> off']);
  });

  test('cannot be saved over what somebody else saved, nor with mistakes, nor under another name', async () => {
    using folder = rulesFolder();
    await using room = await folder.open();
    await save(room, 'leak', 0);
    expect(await code(save(room, 'leak', 0))).toBe('RULE_CHANGED');
    expect(await code(save(room, 'leak', 5))).toBe('RULE_CHANGED');
    expect(
      await code(room.book.save('other', { body: ruleBody('leak'), base: 0, why: 'x', origin: 'person' }, lin)),
    ).toBe('RULE_INVALID');
    const broken = room.book.save(
      'leak',
      { body: { ...ruleBody('leak'), when: 7 }, base: 1, why: 'x', origin: 'person' },
      lin,
    );
    await expect(broken).rejects.toThrow(/when/);
    expect(await code(room.book.activate('leak', 9, 'x', lin))).toBe('RULE_NOT_FOUND');
    expect(await code(room.book.activate('leak', null, 'x', lin))).toBe('RULE_SAME');
  });

  test('does not run with a test of its own that fails', async () => {
    using folder = rulesFolder();
    await using room = await folder.open({
      play: async () => [{ name: { zh: '滴水', en: 'drips' }, passed: false, detail: 'after 5s: no alarm' }],
    });
    await save(room, 'leak', 0);
    await expect(room.book.activate('leak', 1, 'x', lin)).rejects.toThrow(
      'v1 of "leak" fails its own test "drips": after 5s',
    );
    expect([room.ran, folder.files()]).toEqual([[], []]);
  });

  test('watches in shadow beside the active one, of which there are only so many, and is gone when it is removed', async () => {
    using folder = rulesFolder();
    await using room = await folder.open();
    await save(room, 'leak', 0);
    expect(await room.book.shadow('leak', 1, 'a week', lin)).toMatchObject({ outcome: 'done' });
    expect(folder.files()).toEqual([]);
    expect(await code(room.book.remove('leak', 'x', lin))).toBe('RULE_RUNS');
    await room.book.activate('leak', 1, 'it was right', lin);
    expect(room.ran).toEqual(['watch leak v1', 'unwatch leak', 'put leak v1']);
    for (let n = 0; n < mostShadows; n++) {
      await save(room, `r${n}`, 0);
      await room.book.shadow(`r${n}`, 1, 'x', lin);
    }
    await save(room, 'leak', 1, { clearAfter: '1s' });
    expect(await code(room.book.shadow('leak', 2, 'x', lin))).toBe('RULE_SHADOW_LIMIT');
    expect(await code(room.book.shadow('leak', 1, 'x', lin))).toBe('RULE_SAME');
    await room.book.activate('leak', null, 'x', lin);
    expect(await room.book.remove('leak', 'of no use', lin)).toEqual({
      outcome: 'done',
      message: '"leak" is gone, with 2 versions',
    });
    expect(room.reader.document('ruleVersion', 'leak-v1')).toBeNull();
    expect(room.book.entries.has('leak')).toBe(false);
  });

  test('keeps a hundred versions, and never lets go of the one that runs', async () => {
    using folder = rulesFolder();
    await using room = await folder.open();
    await save(room, 'leak', 0);
    await room.book.activate('leak', 1, 'x', lin);
    for (let n = 1; n < 102; n++) await save(room, 'leak', n, { clearAfter: `${n}s` });
    const kept = room.book.entries.get('leak')?.state.versions ?? [];
    expect([kept.length, kept[0], kept[1], kept.at(-1)]).toEqual([100, 1, 4, 102]);
    expect(room.reader.document('ruleVersion', 'leak-v2')).toBeNull();
    expect(room.reader.documents('ruleVersion')).toHaveLength(100);
  }, 30_000);
});

describe('a safety rule', () => {
  test('runs when a second person approves exactly what was proposed', async () => {
    using folder = rulesFolder();
    await using room = await folder.open();
    await save(room, 'smoke', 0, safety);
    expect(await code(room.book.activate('smoke', 1, 'x', token))).toBe('RULE_NEEDS_PERSON');
    expect(await room.book.activate('smoke', 1, 'new detectors', lin)).toMatchObject({ outcome: 'proposed' });
    const proposed = seen(room, 'smoke');
    expect(room.ran).toEqual([]);
    expect(await code(room.book.approve('smoke', proposed, 'x', lin))).toBe('RULE_SAME_PERSON');
    expect(await code(room.book.approve('smoke', proposed, 'x', token))).toBe('RULE_NEEDS_PERSON');
    expect(await code(room.book.approve('smoke', { version: 1, digest: null }, 'x', wang))).toBe('RULE_CHANGED');
    expect(await code(room.book.approve('smoke', { version: null, digest: null }, 'x', wang))).toBe('RULE_CHANGED');
    expect(await room.book.approve('smoke', proposed, 'looked at it', wang)).toEqual({
      outcome: 'done',
      message: 'v1 runs',
    });
    expect(room.ran).toEqual(['put smoke v1']);
    expect(room.book.entries.get('smoke')?.state.approvals).toMatchObject([{ version: 1, by: 'person:wang' }]);
    expect(await code(room.book.approve('smoke', proposed, 'x', wang))).toBe('RULE_NOT_PROPOSED');
    expect(folder.read('smoke')).toContain('kind: safety');
    expect(lines(room).map(({ who, what }) => [who, what])).toContainEqual([
      'person:wang',
      'rule.approve smoke v1 (proposed by person:lin)',
    ]);
  });

  test('needs an approval anew when something else is proposed meanwhile', async () => {
    using folder = rulesFolder();
    await using room = await folder.open();
    await save(room, 'smoke', 0, safety);
    await room.book.activate('smoke', 1, 'x', lin);
    const first = seen(room, 'smoke');
    await save(room, 'smoke', 1, { ...safety, clearAfter: '1min' });
    await room.book.activate('smoke', 2, 'better', lin);
    expect(await code(room.book.approve('smoke', first, 'x', wang))).toBe('RULE_CHANGED');
    expect(await code(room.book.reject('smoke', first, 'x', wang))).toBe('RULE_CHANGED');
    expect(await room.book.reject('smoke', seen(room, 'smoke'), 'too slow', wang)).toMatchObject({ outcome: 'done' });
    expect(room.ran).toEqual([]);
  });

  test('is turned off, or made something else than a safety rule, by two people as well', async () => {
    using folder = rulesFolder();
    folder.write('smoke', ruleBody('smoke', safety));
    await using room = await folder.open();
    expect(versions(room.running)).toEqual(['smoke v1']);
    expect(await room.book.activate('smoke', null, 'it rings too often', lin)).toMatchObject({ outcome: 'proposed' });
    expect(await code(room.book.remove('smoke', 'x', lin))).toBe('RULE_RUNS');
    await room.book.reject('smoke', seen(room, 'smoke'), 'no', wang);
    await save(room, 'smoke', 1, { kind: 'comfort' });
    expect(await room.book.activate('smoke', 2, 'only a hint', lin)).toMatchObject({ outcome: 'proposed' });
    await room.book.approve('smoke', seen(room, 'smoke'), 'very well', wang);
    expect(room.ran).toEqual(['put smoke v2']);
    expect(await room.book.activate('smoke', null, 'not even that', lin)).toMatchObject({ outcome: 'done' });
    await room.book.activate('smoke', 1, 'after all', lin);
    expect(room.book.entries.get('smoke')?.state).toMatchObject({
      active: null,
      proposal: { version: 1, by: 'person:lin' },
    });
  });
});

describe('at the start', () => {
  test('files are taken as they are when nothing was ever stored, safety and all, and broken ones are named', async () => {
    using folder = rulesFolder();
    folder.write('smoke', ruleBody('smoke', safety));
    folder.write('leak', ruleBody('leak'));
    folder.write('bad', 'rule: [');
    folder.write('other', ruleBody('somebody-else'));
    {
      await using room = await folder.open();
      expect(versions(room.running)).toEqual(['leak v1', 'smoke v1']);
      expect(room.book.broken.map(({ file }) => file)).toEqual(['bad.yaml', 'other.yaml']);
      expect(room.troubles()).toHaveLength(2);
      expect(await settled(room)).toBe('RULE_NOT_FOUND');
      expect(lines(room).map(({ who, from, what }) => `${who} ${from} ${what}`)).toContain(
        'process:core smoke.yaml rule.activate smoke v1',
      );
    }
    await using again = await folder.open();
    expect(versions(again.running)).toEqual(['leak v1', 'smoke v1']);
    expect(again.reader.documents('ruleVersion')).toHaveLength(2);
  });

  test('an edited file is a new version that runs; of a safety rule a proposal, while what was approved goes on', async () => {
    using folder = rulesFolder();
    folder.write('smoke', ruleBody('smoke', safety));
    folder.write('leak', ruleBody('leak'));
    await (await folder.open()).kill();
    await using first = await folder.open();
    await settled(first);
    await first.kill();
    folder.write('leak', ruleBody('leak', { clearAfter: '1min' }));
    folder.write('smoke', ruleBody('smoke', { ...safety, clearAfter: '1min' }));
    folder.write('gas', ruleBody('gas', safety));
    for (const _ of ['once', 'and again, which changes nothing']) {
      await using room = await folder.open();
      await settled(room);
      expect(versions(room.running)).toEqual(['leak v2', 'smoke v1']);
      expect([...room.troubles()].sort()).toEqual([
        'gas.yaml is not what two people approved: it does not run until v1 is approved',
        'smoke.yaml is not what two people approved: v1 goes on until v2 is approved',
      ]);
      expect(room.book.entries.get('smoke')?.state).toMatchObject({ latest: 2, proposal: { version: 2, by: 'file' } });
      expect(room.reader.document('ruleVersion', 'leak-v2')?.body).toMatchObject({ from: 'file', by: 'file' });
    }
    await using room = await folder.open();
    await room.book.approve('smoke', seen(room, 'smoke'), 'the technician was right', wang);
    expect(room.ran).toEqual(['put smoke v2']);
    expect(room.troubles()).toHaveLength(1);
    await room.book.reject('gas', seen(room, 'gas'), 'there is no gas here', wang);
    expect([room.troubles(), folder.files()]).toEqual([[], ['leak.yaml', 'smoke.yaml']]);
  });

  test('turning an edited file of a safety rule down writes what two people approved back into it', async () => {
    using folder = rulesFolder();
    folder.write('smoke', ruleBody('smoke', safety));
    await using first = await folder.open();
    await settled(first);
    await first.kill();
    const before = folder.read('smoke');
    folder.write('smoke', ruleBody('smoke', { ...safety, clearAfter: '1h' }));
    await using room = await folder.open();
    await room.book.reject('smoke', seen(room, 'smoke'), 'no', lin);
    expect(folder.read('smoke')).toBe(before);
    expect([room.troubles(), room.ran]).toEqual([[], []]);
  });

  test('a file that says the same in other words changes nothing', async () => {
    using folder = rulesFolder();
    folder.write('smoke', ruleBody('smoke', safety));
    await using first = await folder.open();
    await settled(first);
    await first.kill();
    folder.write('smoke', `# mended by hand\n${folder.read('smoke')}`);
    await using room = await folder.open();
    expect([versions(room.running), room.troubles()]).toEqual([['smoke v1'], []]);
    expect(folder.read('smoke')).toContain('mended by hand');
  });

  test('a file that broke, or a folder that is gone, leaves what ran running; a file that was taken away turns its rule off', async () => {
    using folder = rulesFolder();
    for (const id of ['leak', 'frost']) folder.write(id, ruleBody(id));
    for (const id of ['smoke', 'gas']) folder.write(id, ruleBody(id, safety));
    await using first = await folder.open();
    await settled(first);
    await first.kill();
    folder.write('leak', 'not: [a rule');
    folder.write('smoke', '');
    rmSync(`${folder.rules}/frost.yaml`);
    rmSync(`${folder.rules}/gas.yaml`);
    await using room = await folder.open();
    await settled(room);
    expect(versions(room.running).sort()).toEqual(['gas v1', 'leak v1', 'smoke v1']);
    expect(room.troubles().map((text) => text.split(' ')[0])).toEqual(['leak.yaml:', 'smoke.yaml:', 'gas.yaml']);
    expect(lines(room).at(-1)).toMatchObject({ what: 'rule.off frost', why: 'its file was taken away' });
    await room.kill();
    rmSync(folder.rules, { recursive: true });
    await using without = await folder.open();
    await settled(without);
    expect(versions(without.running).sort()).toEqual(['gas v1', 'leak v1', 'smoke v1']);
    expect(without.troubles()).toEqual(['the rules folder cannot be read: what ran before goes on']);
  });

  test('a file whose writing was cut short is written, and not taken for somebody’s edit', async () => {
    using folder = rulesFolder();
    folder.write('smoke', ruleBody('smoke', safety));
    folder.write('leak', ruleBody('leak'));
    await using first = await folder.open({
      files: { read: async () => ({ isThere: true, files: [], broken: [] }), write: async () => 'the power went' },
      hasBegun: true,
    });
    await save(first, 'leak', 0);
    await save(first, 'leak', 1, { clearAfter: '9min' });
    await first.book.activate('leak', 1, 'x', lin);
    await first.kill();
    await using second = await folder.open();
    await settled(second);
    await second.kill();
    // What ran was v1, whose file was there already; now v2 is decided on and never reaches the disk.
    await using third = await folder.open({
      files: { read: async () => ({ isThere: false, files: [], broken: [] }), write: async () => 'the power went' },
    });
    expect(await third.book.activate('leak', 2, 'x', lin)).toMatchObject({
      message: expect.stringContaining('the power went'),
    });
    expect(third.troubles()).toContainEqual(expect.stringContaining('leak.yaml could not be written'));
    await third.kill();
    await using fourth = await folder.open();
    expect(versions(fourth.running)).toContain('leak v2');
    await settled(fourth);
    expect(folder.read('leak')).toContain('clearAfter: 9min');
    expect(fourth.book.entries.get('leak')?.state).toMatchObject({ latest: 2, writing: null });
  });

  test('without a store rules run from their files, and nothing can be changed', async () => {
    using folder = rulesFolder();
    folder.write('smoke', ruleBody('smoke', safety));
    const none = () => {
      throw new CodedError('STORE_NOT_READY', 'no');
    };
    await using room = await folder.open({
      reader: { document: none, documents: none },
      append: () => Promise.reject(new CodedError('STORE_IO', 'the disk is gone')),
    });
    expect(versions(room.running)).toEqual(['smoke v1']);
    expect(await code(save(room, 'leak', 0))).toBe('STORE_IO');
    expect(room.ran).toEqual([]);
  });
});

test('changes are one after the other: two who activate at once do not overtake each other', async () => {
  using folder = rulesFolder();
  await using room = await folder.open();
  await save(room, 'leak', 0);
  await save(room, 'leak', 1, { clearAfter: '1min' });
  await Promise.all([room.book.activate('leak', 1, 'a', lin), room.book.activate('leak', 2, 'b', wang)]);
  expect(room.ran).toEqual(['put leak v1', 'put leak v2']);
  expect(folder.read('leak')).toContain('clearAfter');
  await vi.waitFor(() =>
    expect(room.reader.document('rule', 'leak')?.body).toMatchObject({ active: 2, writing: null }),
  );
});

test('a folder that cannot be written to keeps no rule from running, and says so', async () => {
  using folder = rulesFolder();
  await using room = await folder.open();
  await save(room, 'leak', 0);
  rmSync(folder.rules, { recursive: true });
  writeFileSync(folder.rules, 'a file where the folder was');
  expect((await room.book.activate('leak', 1, 'x', lin)).message).toContain('its file could not be written');
  expect(room.ran).toEqual(['put leak v1']);
  expect(room.troubles()).toHaveLength(1);
});
