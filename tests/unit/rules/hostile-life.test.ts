import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { begunState } from '#edge/processes/core/rule-keeper.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { formatRuleFile } from '#edge/runtime/rule-file.ts';
import type { Batch } from '#edge/store/batch.ts';
import { lin, type RulesRoom, ruleBody, rulesFolder, safety, token, wang } from '../processes/rules-room.ts';

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: CodedError) => error.code,
  );
const settled = (room: RulesRoom) => code(room.book.shadow('nobody', null, 'waits for its turn', lin));
const seen = (room: RulesRoom, id: string) => {
  const { version = null, digest = null } = room.book.entries.get(id)?.state.proposal ?? {};
  return { version, digest };
};
const save = (room: RulesRoom, id: string, base: number, more: Readonly<Record<string, unknown>> = {}) =>
  room.book.save(id, { body: ruleBody(id, more), base, why: `version ${base + 1}`, origin: 'person' }, lin);
const active = (room: RulesRoom) =>
  room.running.active.map(({ rule, version }) => `${rule.kind} ${rule.id} v${version}`);

/** It runs in its first version, as two people wished. */
async function approved(room: RulesRoom, id = 'smoke'): Promise<void> {
  await save(room, id, 0, safety);
  await room.book.activate(id, 1, 'new', lin);
  await room.book.approve(id, seen(room, id), 'looked', wang);
}

describe('one person who wishes to change a safety rule alone', () => {
  test('cannot by a second session, in the name of a program, nor by any spelling of his own', async () => {
    using folder = rulesFolder();
    await using room = await folder.open();
    await save(room, 'smoke', 0, safety);
    await room.book.activate('smoke', 1, 'x', lin);
    const proposed = seen(room, 'smoke');
    const approve = (who: string) => code(room.book.approve('smoke', proposed, 'x', { who, from: '203.0.113.9' }));
    expect(await approve('person:lin')).toBe('RULE_SAME_PERSON');
    for (const who of [token.who, 'process:core', 'file', 'lin', '', 'token:person:wang']) {
      expect([who, await approve(who)]).toEqual([who, 'RULE_NEEDS_PERSON']);
    }
    expect(room.ran).toEqual([]);
  });

  test('cannot by making comfort of it, by turning it off, by watching it, nor by removing it', async () => {
    using folder = rulesFolder();
    await using room = await folder.open();
    await approved(room);
    await save(room, 'smoke', 1, { kind: 'comfort' });
    expect(await room.book.activate('smoke', 2, 'x', lin)).toMatchObject({ outcome: 'proposed' });
    expect(await code(room.book.approve('smoke', seen(room, 'smoke'), 'x', lin))).toBe('RULE_SAME_PERSON');
    expect(await room.book.activate('smoke', null, 'x', lin)).toMatchObject({ outcome: 'proposed' });
    expect(await code(room.book.remove('smoke', 'x', lin))).toBe('RULE_RUNS');
    await room.book.shadow('smoke', 2, 'x', lin);
    await room.book.shadow('smoke', null, 'x', lin);
    expect(room.ran).toEqual(['put smoke v1', 'watch smoke v2', 'unwatch smoke']);
    expect(room.book.entries.get('smoke')?.state).toMatchObject({ active: 1 });
  });

  test('cannot where the version that runs cannot be read any more', async () => {
    using folder = rulesFolder();
    const broken = { now: false };
    await using room = await folder.open();
    await approved(room);
    await save(room, 'smoke', 1, safety);
    await save(room, 'smoke', 2, { kind: 'comfort' });
    await room.kill();
    await using second = await folder.open(({ reader }) => ({
      reader: {
        documents: (kind) => reader.documents(kind),
        document: (kind, id) => {
          if (broken.now && id === 'smoke-v1') throw new CodedError('STORE_BAD_DOCUMENT', 'it cannot be read');
          return reader.document(kind, id);
        },
      },
    }));
    await settled(second);
    broken.now = true;
    expect(await second.book.activate('smoke', 3, 'x', lin)).toMatchObject({ outcome: 'proposed' });
    expect(await second.book.activate('smoke', null, 'x', lin)).toMatchObject({ outcome: 'proposed' });
  });

  test('cannot approve what a file says that changed after somebody looked', async () => {
    using folder = rulesFolder();
    await using room = await folder.open();
    await approved(room);
    await room.kill();
    folder.write('smoke', ruleBody('smoke', { ...safety, clearAfter: '1min' }));
    await using second = await folder.open();
    await settled(second);
    const first = seen(second, 'smoke');
    await second.kill();
    folder.write('smoke', ruleBody('smoke', { ...safety, clearAfter: '31d' }));
    await using third = await folder.open();
    await settled(third);
    expect(await code(third.book.approve('smoke', first, 'x', wang))).toBe('RULE_CHANGED');
    expect(active(third)).toEqual(['safety smoke v1']);
    expect(third.troubles()).toEqual([expect.stringContaining('is not what two people approved')]);
  });
});

describe('many hands at once', () => {
  test('leave running what the store says, and no safety rule that was not approved as it is', async () => {
    using folder = rulesFolder();
    await using room = await folder.open();
    await approved(room);
    for (let version = 1; version < 6; version++)
      await save(room, 'smoke', version, { ...safety, clearAfter: `${version}min` });
    const proposals = [2, 3, 4, 5, 6].map((version) =>
      room.book.activate('smoke', version, 'x', version % 2 ? lin : wang),
    );
    const guess = seen(room, 'smoke');
    const acts = [
      ...proposals,
      room.book.approve('smoke', guess, 'x', wang),
      room.book.reject('smoke', guess, 'x', wang),
      room.book.approve('smoke', { version: 6, digest: null }, 'x', lin),
      save(room, 'smoke', 6, { ...safety, latch: true }),
      save(room, 'smoke', 6, { ...safety, latch: true, clearAfter: '2min' }),
    ];
    const outcomes = await Promise.all(acts.map(code));
    expect(outcomes.slice(5)).toEqual(
      ['RULE_NOT_PROPOSED', 'RULE_NOT_PROPOSED', 'RULE_CHANGED', 'done', 'RULE_CHANGED'].map((one) =>
        one === 'RULE_NOT_PROPOSED' ? expect.stringMatching(/^RULE_(CHANGED|NOT_PROPOSED)$/) : one,
      ),
    );
    expect(room.ran).toEqual(['put smoke v1']);
    // Whoever proposed last is not who approves.
    const last = room.book.entries.get('smoke')?.state.proposal;
    const other = last?.by === lin.who ? wang : lin;
    const both = await Promise.all(
      [other, other].map((who) => code(room.book.approve('smoke', seen(room, 'smoke'), 'x', who))),
    );
    expect(both).toEqual(['done', 'RULE_NOT_PROPOSED']);
    expect(room.ran).toEqual(['put smoke v1', 'put smoke v6']);
    expect(room.book.entries.get('smoke')?.state.approvals).toMatchObject([
      { version: 1 },
      { version: 6, by: other.who },
    ]);
  });

  test('an answer of the store that never came is believed once it has happened, and not before', async () => {
    using folder = rulesFolder();
    const late: Batch[] = [];
    let isHanging = false;
    await using room = await folder.open(({ store }) => ({
      append: (batch) => {
        if (!isHanging) return store.append(batch);
        late.push(batch);
        return Promise.reject(new CodedError('STORE_TIMEOUT', 'no answer'));
      },
    }));
    await save(room, 'leak', 0);
    isHanging = true;
    expect(await code(room.book.activate('leak', 1, 'x', lin))).toBe('STORE_TIMEOUT');
    room.book.tick();
    expect(await code(room.book.shadow('leak', 1, 'x', lin))).toBe('STORE_TIMEOUT');
    expect(room.ran).toEqual([]);
    isHanging = false;
    for (const batch of late.slice(0, 1)) await room.store.append(batch);
    room.book.tick();
    await settled(room);
    expect(room.ran).toEqual(['put leak v1']);
    expect(room.book.entries.get('leak')?.state).toMatchObject({ active: 1 });
    expect(await room.book.activate('leak', null, 'x', lin)).toMatchObject({ outcome: 'done' });
    expect(room.ran).toEqual(['put leak v1', 'remove leak']);
  });
});

describe('a rules folder in which somebody works against us', () => {
  const spoil: readonly [string, (path: string, root: string) => void][] = [
    [
      'a link to another rule',
      (path, root) => {
        writeFileSync(join(root, 'other'), formatRuleFile(ruleBody('smoke', { ...safety, clearAfter: '31d' })));
        symlinkSync(join(root, 'other'), path);
      },
    ],
    ['a link to a device that never ends', (path) => symlinkSync('/dev/zero', path)],
    ['a link to itself', (path) => symlinkSync(path, path)],
    ['a folder', (path) => mkdirSync(path)],
    ['a pipe to which nobody writes', (path) => void execFileSync('mkfifo', [path])],
    ['five megabytes', (path) => writeFileSync(path, 'a'.repeat(5_000_000))],
    ['nothing', (path) => writeFileSync(path, '')],
    ['bytes that are no text', (path) => writeFileSync(path, Buffer.from([0xff, 0xfe, 0x00, 0xd8]))],
    ['another rule under its name', (path) => writeFileSync(path, formatRuleFile(ruleBody('other', safety)))],
    ['two documents', (path) => writeFileSync(path, `${formatRuleFile(ruleBody('smoke', safety))}---\n{}\n`)],
  ];

  test('what two people approved goes on whatever lies in the place of its file, and the file is named', async () => {
    using folder = rulesFolder();
    await using room = await folder.open();
    const ids = spoil.map((_, i) => `smoke-${i}`);
    for (const id of ids) await approved(room, id);
    await room.kill();
    for (const [i, [, put]] of spoil.entries()) {
      const path = join(folder.rules, `smoke-${i}.yaml`);
      rmSync(path);
      put(path, folder.data);
    }
    await using second = await folder.open();
    expect(active(second)).toEqual(ids.map((id) => `safety ${id} v1`));
    await settled(second);
    const named = second.troubles().map((trouble) => trouble.slice(0, trouble.indexOf(':')));
    expect(named.sort()).toEqual(ids.map((id) => `${id}.yaml`).sort());
    for (const [i, id] of ids.entries()) {
      expect(second.book.entries.get(id)?.state).toMatchObject({ active: 1, proposal: null });
      // A version that is approved takes the place of whatever lies there, but for a folder.
      await save(second, id, 1, { ...safety, latch: true });
      await second.book.activate(id, 2, 'x', lin);
      await second.book.approve(id, seen(second, id), 'x', wang);
      expect(second.ran.at(-1)).toBe(`put ${id} v2`);
      const isFolder = spoil[i]?.[0] === 'a folder';
      expect(second.troubles().some((trouble) => trouble.startsWith(`${id}.yaml`))).toBe(isFolder);
    }
  });

  test('names that lead elsewhere, or are none, are named and never followed', async () => {
    using folder = rulesFolder();
    const names = [
      '..yaml',
      'Leak.yaml',
      'leak@r301.yaml',
      'lеak.yaml',
      'leak.yml',
      `${'a'.repeat(64)}.yaml`,
      'a\u202eb.yaml',
    ];
    for (const name of names) writeFileSync(join(folder.rules, name), formatRuleFile(ruleBody('leak')));
    for (const name of ['.hidden.yaml', 'leak.yaml~', 'leak.yaml.0123456789ab.tmp', 'README']) {
      writeFileSync(join(folder.rules, name), formatRuleFile(ruleBody('leak')));
    }
    await using room = await folder.open();
    expect(active(room)).toEqual([]);
    expect(room.book.broken).toHaveLength(names.length - 1);
  });

  test('a folder that is a link is followed once it is the site’s; one that turned into a pipe changes nothing', async () => {
    using folder = rulesFolder();
    await using room = await folder.open();
    await approved(room);
    await room.kill();
    const moved = join(folder.data, 'elsewhere');
    renameSync(folder.rules, moved);
    symlinkSync(moved, folder.rules);
    await using second = await folder.open();
    await settled(second);
    expect([active(second), second.troubles()]).toEqual([['safety smoke v1'], []]);
    await second.kill();
    rmSync(folder.rules);
    execFileSync('mkfifo', [folder.rules]);
    await using third = await folder.open();
    await settled(third);
    expect(active(third)).toEqual(['safety smoke v1']);
    expect(third.troubles().join('\n')).toContain('the rules folder cannot be read');
  });

  test('a folder put in the place of ours before the first start is taken; later its safety rules wait for people', async () => {
    using folder = rulesFolder();
    await using room = await folder.open();
    await settled(room);
    expect((await room.store.restore()).state[begunState]).toBeDefined();
    await room.kill();
    folder.write('smoke', ruleBody('smoke', { ...safety, priority: 1 }));
    folder.write('leak', ruleBody('leak'));
    await using second = await folder.open();
    await settled(second);
    expect(active(second)).toEqual(['comfort leak v1']);
    expect(seen(second, 'smoke')).toMatchObject({ version: 1 });
  });
});

test('what is too large to run is refused where it would begin to run, not where it is written down', async () => {
  using folder = rulesFolder();
  await using room = await folder.open({ refuses: ({ id }) => (id === 'leak' ? 'looks at too much' : null) });
  await save(room, 'leak', 0);
  for (const act of [room.book.activate('leak', 1, 'x', lin), room.book.shadow('leak', 1, 'x', lin)]) {
    expect(await code(act)).toBe('RULE_TOO_LARGE');
  }
  await save(room, 'leak', 1, safety);
  expect(await code(room.book.activate('leak', 2, 'x', lin))).toBe('RULE_TOO_LARGE');
  expect(room.ran).toEqual([]);
});

test('a body that its own file could not give back is not saved', async () => {
  using folder = rulesFolder();
  await using room = await folder.open();
  expect(await code(save(room, 'leak', 0, { about: { zh: '['.repeat(80), en: 'x' } }))).toBe('RULE_INVALID');
  expect(await room.book.check(ruleBody('leak', { about: { zh: '['.repeat(80), en: 'x' } }))).toMatchObject({
    mistakes: [expect.stringContaining('as a file it could not be read again')],
  });
  expect(room.book.entries.size).toBe(0);
});
