import { describe, expect, test, vi } from 'vitest';
import { decodeCommand } from '#edge/bus/codec.ts';
import { longestOrder, orderText, parseOrder } from '#edge/domain/broadcast.ts';
import { coerce } from '#edge/ingest/coerce.ts';
import { isSameOrder } from '#edge/processes/core/school-acts.ts';
import { temporaryFolder } from '../../fixtures/store/site.ts';
import { Desk, holdOf } from '../commands/desk.ts';
import { actor, bellAt, eight, openSchool, type SchoolRoom } from './school-room.ts';

const half = 8 * 3_600 + 30 * 60;
const rung = ['speaker-east/clip=bell schedule:bell 15', 'speaker-west/clip=bell schedule:bell 15'];

async function started(folder: string, more: Parameters<SchoolRoom['put']>[0] = {}): Promise<SchoolRoom> {
  const room = await openSchool(folder, eight - 60_500);
  room.desk.tick();
  await room.run(0);
  await room.run(500);
  await room.put({ bell: bellAt(half), ...more });
  return room;
}

/** What the ledger says, once it is on disk. */
function outcomes(room: SchoolRoom, expected: readonly string[]): Promise<void> {
  return vi.waitFor(
    async () => {
      await room.run(250);
      expect(room.lines().map(({ entry, outcome, reason }) => `${entry} ${outcome} ${reason}`)).toEqual(expected);
    },
    { timeout: 20_000 },
  );
}

test('the longest order goes through the bus, through commands and back through ingest as it is', () => {
  const clips = ['a', 'b', 'c'].map((letter) => letter.repeat(60));
  const order = { source: { kind: 'clips', clips, loop: true }, since: 1_795_394_273_767, level: 60 } as const;
  const text = orderText({ ...order, item: 'i'.repeat(longestOrder - orderText({ ...order, item: '' }).length) });
  expect([text.length, parseOrder(text)?.source]).toEqual([longestOrder, order.source]);
  const desk = new Desk();
  desk.interlock({ ...holdOf('speaker-gate/clip', text, 'schedule:bell', 15), lasts: 10_000 });
  expect(desk.last.value).toBe(text);
  expect(decodeCommand(Buffer.from(JSON.stringify(desk.last)))).toMatchObject({ ok: true, value: { value: text } });
  expect(coerce(text, 'text')).toEqual({ ok: true, value: text });
  expect([isSameOrder('bell', 'bell level=100'), isSameOrder('bell level=60', 'bell')]).toEqual([true, false]);
});

describe('the school desk', () => {
  test('an unsigned draft never runs', async () => {
    await using folder = await temporaryFolder();
    await using room = await started(folder.path);
    await room.run(120_000);
    expect([room.said, room.lines()]).toEqual([[], []]);
  });

  test('what is signed rings once, is begun in the ledger before, and done when the loudspeakers say so', async () => {
    await using folder = await temporaryFolder();
    await using room = await started(folder.path);
    await room.sign();
    await room.run(90_000);
    expect(room.said).toEqual(rung);
    await outcomes(room, ['bell done in-time']);
    expect(room.lines()[0]).toMatchObject({ class: 'bell', planned: eight, message: '2 of 2 outputs confirmed it' });
  });

  test('a draft that was changed after it was signed runs as it was signed', async () => {
    await using folder = await temporaryFolder();
    await using room = await started(folder.path);
    await room.sign();
    await room.put({ bell: bellAt(half + 10), more: bellAt(half + 20) });
    await room.run(120_000);
    expect(room.said).toEqual(rung);
  });

  test('signing again takes the days over, and taking it back gives them back', async () => {
    await using folder = await temporaryFolder();
    await using room = await started(folder.path);
    const first = await room.sign();
    await room.put({ bell: bellAt(half + 600) });
    const second = await room.sign();
    expect(room.book.releaseOn('2026-11-23')?.id).toBe(second);
    await room.book.undo(second, 'no', actor);
    expect(room.book.releaseOn('2026-11-23')?.id).toBe(first);
    await expect(room.book.undo(second, 'no', actor)).rejects.toMatchObject({ code: 'RELEASE_UNDONE' });
    await room.run(90_000);
    expect(room.said).toEqual(rung);
  });

  test('two people who edit at once lose nothing, and nobody signs what he has not seen', async () => {
    await using folder = await temporaryFolder();
    await using room = await started(folder.path);
    const mine = { id: 'bell', rev: 1, body: bellAt(half + 60) };
    await room.book.put([mine], 'mine', actor);
    const both = [
      { id: 'other', rev: 0, body: bellAt(half) },
      { id: 'bell', rev: 1, body: bellAt(half + 120) },
    ];
    await expect(room.book.put(both, 'theirs', actor)).rejects.toMatchObject({ code: 'DOCUMENT_CHANGED' });
    expect(room.reader.documents('school').map(({ id, rev }) => `${id} ${rev}`)).toEqual(['bell 2']);
    const span = { from: '2026-11-23', to: '2026-11-24', accept: [], why: 'x' };
    await expect(room.book.sign({ ...span, revs: { bell: 1 } }, actor)).rejects.toMatchObject({
      code: 'DOCUMENT_CHANGED',
    });
    await expect(room.book.sign({ ...span, revs: { bell: 2, gone: 1 } }, actor)).rejects.toMatchObject({
      code: 'DOCUMENT_CHANGED',
    });
    await room.book.sign({ ...span, revs: { bell: 2 } }, actor);
  });

  test('mistakes, days too far ahead and assumptions that nobody accepted are not signed', async () => {
    await using folder = await temporaryFolder();
    await using room = await openSchool(folder.path, eight + 30 * 86_400_000);
    room.desk.tick();
    await room.put({ bell: bellAt(half) });
    const wish = { from: room.book.today(), to: room.book.today(), revs: { bell: 1 }, accept: [], why: 'x' };
    await expect(room.book.sign({ ...wish, to: '2027-03-01' }, actor)).rejects.toMatchObject({ code: 'BAD_TIME' });
    await expect(room.book.sign({ ...wish, from: '2026-12-01' }, actor)).rejects.toMatchObject({ code: 'BAD_TIME' });
    const later = { ...wish, to: '2027-01-05' };
    await expect(room.book.sign(later, actor)).rejects.toMatchObject({
      code: 'SCHOOL_UNCONFIRMED',
      message: expect.stringContaining('unconfirmed-year'),
    });
    await room.put({ bell: bellAt(half, { layer: 'nowhere' }) });
    await expect(room.book.sign({ ...wish, revs: { bell: 2 } }, actor)).rejects.toMatchObject({
      code: 'SCHOOL_MISTAKES',
    });
    await expect(room.book.put([{ id: 'x', rev: 0, body: { part: 'party' } }], '', actor)).rejects.toMatchObject({
      code: 'BAD_ENTRY',
    });
  });

  test('quiet for an hour silences a bell at once, and says so; ended it rings again', async () => {
    await using folder = await temporaryFolder();
    await using room = await started(folder.path, { second: bellAt(half + 30) });
    await room.sign();
    const now = room.clock.now();
    const what = { kind: 'quiet', classes: [], zones: [] } as const;
    const { id } = await room.book.override(
      { what, layer: 'campus', from: now, until: now + 3_600_000, why: 'x' },
      actor,
    );
    await room.run(62_000);
    await outcomes(room, ['bell skipped silenced']);
    await room.book.endOverride(id, 'over', actor);
    await room.run(30_000);
    expect(room.said.map((one) => one.split(' ')[1])).toEqual(['schedule:second', 'schedule:second']);
  });

  test('without a disk nothing rings, it is an alarm, and the line is there when the disk is back', async () => {
    await using folder = await temporaryFolder();
    await using room = await started(folder.path);
    await room.sign();
    room.refuse = true;
    await room.run(90_000);
    expect(room.said).toEqual([]);
    expect(room.alarms.get('school:ledger')).toBe(true);
    room.refuse = false;
    await room.run(20_000);
    await outcomes(room, ['bell failed not-recorded']);
    await room.run(20_000);
    expect(room.alarms.get('school:ledger')).toBe(false);
  });

  test('a loudspeaker that does not answer is told', async () => {
    await using folder = await temporaryFolder();
    await using room = await started(folder.path, {
      odd: bellAt(half, { do: { kind: 'sound', clip: 'none', zones: [], seconds: 5 } }),
    });
    await room.sign();
    room.mute = true;
    await room.run(100_000);
    await outcomes(room, ['bell failed not-confirmed', 'odd failed refused']);
  });

  test.each([0, 1, 3, 5, 8, 11, 20])(
    'core that is killed %i s after a bell began neither repeats nor forgets it',
    async (second) => {
      await using folder = await temporaryFolder();
      await using room = await started(folder.path);
      await room.sign();
      room.mute = second % 2 === 1;
      await room.run(59_750 + second * 1_000);
      await room.restart(1_500);
      await room.run(30_000);
      expect(room.said).toEqual(rung);
      const [line] = room.lines();
      expect(room.lines()).toHaveLength(1);
      expect(['done', 'failed', 'late']).toContain(line?.outcome);
    },
  );

  test('core that starts again just after a bell rings it late, and long after says that it did not', async () => {
    await using folder = await temporaryFolder();
    await using room = await started(folder.path, { early: bellAt(half - 20) });
    await room.sign();
    await room.run(30_000);
    await room.restart(40_000);
    await room.run(20_000);
    await outcomes(room, ['early skipped too-late', 'bell late late']);
  });

  test('a clock that jumps pauses ringing, and that is an alarm until it is believed again', async () => {
    await using folder = await temporaryFolder();
    await using room = await started(folder.path);
    await room.sign();
    room.sync = { synchronised: false, source: 'chrony' };
    room.clock.step(600_000);
    await room.run(40_000);
    expect([room.said, room.alarms.get('school:clock')]).toEqual([[], true]);
    room.sync = { synchronised: true, source: 'chrony' };
    await room.run(20_000);
    expect(room.alarms.get('school:clock')).toBe(false);
    await outcomes(room, ['bell skipped clock-jumped']);
  });

  test('a box that nothing synchronises rings when somebody vouched for its clock, also after a restart', async () => {
    await using folder = await temporaryFolder();
    const room = await openSchool(folder.path, eight - 500_000);
    await using _ = room;
    room.sync = { synchronised: null, source: 'unknown' };
    room.desk.tick();
    await room.put({ bell: bellAt(half) });
    await room.sign();
    await room.run(30_000);
    expect(room.desk.now().clock.paused).toBe('start');
    await room.clockWatch.vouch(true, 'it has a good battery', actor);
    await room.run(400_000);
    expect(room.desk.now().clock.paused).toBeNull();
    await room.restart(2_000);
    await room.run(90_000);
    expect(room.said).toEqual(rung);
  });

  test('a command of an examination that is late asks somebody, who gives it', async () => {
    await using folder = await temporaryFolder();
    await using room = await started(folder.path, { bell: bellAt(half, { class: 'exam' }) });
    await room.sign();
    await room.run(58_000);
    room.clock.advance(8_000);
    await room.run(1_000);
    expect([room.said, room.alarms.get('school:exam')]).toEqual([[], true]);
    const [asked] = room.desk.now().asked;
    await room.desk.answer(asked?.key ?? '', true, 'now', actor);
    await room.run(12_000);
    expect(room.said).toEqual(rung);
    await outcomes(room, ['bell done asked']);
    expect(room.alarms.get('school:exam')).toBe(false);
  });

  test('nothing signed for tomorrow is said in the afternoon, and an unconfirmed year on its days', async () => {
    await using folder = await temporaryFolder();
    await using room = await started(folder.path);
    await room.sign(0);
    await room.run(11_000);
    expect(room.alarms.get('school:unsigned')).toBe(false);
    room.clock.advance(8 * 3_600_000);
    await room.run(11_000);
    expect(room.alarms.get('school:unsigned')).toBe(true);
    await room.sign();
    await room.run(11_000);
    expect([room.alarms.get('school:unsigned'), room.alarms.get('school:unconfirmed')]).toEqual([false, false]);
  });

  test('circuits are asked about every ten seconds, with what is signed', async () => {
    await using folder = await temporaryFolder();
    await using room = await started(folder.path);
    await room.sign();
    room.moments.length = 0;
    await room.run(30_000);
    expect(room.moments.length).toBeGreaterThanOrEqual(3);
    expect(room.moments.at(-1)?.planOn('2026-11-23')?.items).toHaveLength(1);
  });

  test('a bell for one zone rings there only', async () => {
    await using folder = await temporaryFolder();
    await using room = await started(folder.path, {
      bell: bellAt(half, { do: { kind: 'sound', clip: 'bell', zones: ['west' as never], seconds: 5 } }),
    });
    await room.sign();
    await room.run(70_000);
    expect(room.said).toEqual(['speaker-west/clip=bell schedule:bell 15']);
  });

  test('a bell with a volume is an order with a level, and is done when the loudspeaker says that order', async () => {
    await using folder = await temporaryFolder();
    await using room = await started(folder.path, {
      bell: bellAt(half, { do: { kind: 'sound', clip: 'bell', zones: [], seconds: 10, volume: 0.6 } }),
    });
    await room.sign();
    await room.run(90_000);
    expect(room.said).toEqual(rung.map((one) => one.replace('clip=bell', 'clip=bell level=60')));
    await outcomes(room, ['bell done in-time']);
  });

  test('a signature that is taken back ends what it began, and nothing else', async () => {
    await using folder = await temporaryFolder();
    const long = (clip: string, zone: string) =>
      bellAt(half, { class: 'programme', do: { kind: 'sound', clip, zones: [zone as never], seconds: 3_600 } });
    await using room = await started(folder.path, { bell: bellAt(half + 7_200), east: long('song', 'east') });
    const first = await room.sign();
    await room.put({ west: long('song', 'west') });
    const second = await room.sign();
    await room.run(70_000);
    expect(room.said.map((one) => one.split(' ')[0])).toEqual(['speaker-east/clip=song', 'speaker-west/clip=song']);
    await room.restart(2_000);
    room.said.length = 0;
    await room.book.undo(second, 'no', actor);
    await room.run(1_000);
    // The first signature says the same of the east, and nothing of the west.
    expect(room.said).toEqual(['speaker-west/clip let go by schedule:west']);
    await room.book.undo(first, 'no', actor);
    await room.run(1_000);
    expect(room.said.slice(1)).toEqual(['speaker-east/clip let go by schedule:east']);
    await outcomes(room, ['east done in-time', 'west done in-time']);
    expect(room.desk.now().conflicts.map(({ code, date }) => `${code} ${date}`)).toEqual([
      ...['nothing-signed 2026-11-23', 'nothing-signed 2026-11-24'],
    ]);
  });

  test('what the signature before says otherwise for the same time is done for the rest of it', async () => {
    await using folder = await temporaryFolder();
    const song = (clip: string, seconds: number) =>
      bellAt(half, {
        ...{
          class: 'screen',
          do: { kind: 'hold', seconds, outputs: [{ ref: 'speaker-east/clip' as never, value: clip }] },
        },
      });
    await using room = await started(folder.path, { bell: bellAt(half + 7_200), show: song('bell', 7_200) });
    await room.sign();
    await room.put({ show: song('song', 3_600) });
    const second = await room.sign();
    await room.run(70_000);
    await room.book.undo(second, 'no', actor);
    await room.run(2_000);
    expect(room.said).toEqual([
      'speaker-east/clip=song schedule:show 15',
      'speaker-east/clip let go by schedule:show',
      'speaker-east/clip=bell schedule:show 15',
    ]);
    await outcomes(room, ['show done in-time']);
  });
});
