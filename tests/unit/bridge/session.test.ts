import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeFrame } from '#bridge/contract/frame.ts';
import { lanes } from '#bridge/contract/lanes.ts';
import { readHello } from '#bridge/contract/messages.ts';
import { Session } from '#bridge/uplink/session.ts';
import { uplinkLimits } from '#bridge/uplink/uplink.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { campus, makeBody, type TempFolder, tempFolder } from '../../fixtures/bridge/campus.ts';
import { FixtureOutbox } from '../../fixtures/bridge/outbox.ts';

const start = 1_795_400_000_000;
let folder: TempFolder;
let outbox: FixtureOutbox;
let clock: ManualClock;
let sent: { word: string; bytes: Buffer }[];
let faults: string[];
let told: string[];
let session: Session;

beforeEach(async () => {
  folder = await tempFolder();
  outbox = new FixtureOutbox(join(folder.path, 'outbox.db'), true);
  clock = new ManualClock(start);
  sent = [];
  faults = [];
  told = [];
  session = new Session({
    source: outbox,
    campus,
    clock,
    limits: uplinkLimits,
    send: (word, bytes) => sent.push({ word, bytes }),
    onWatermark: (epoch, lane, watermark) => told.push(`${lane} ${epoch}/${watermark}`),
    onFault: (error) => faults.push(`${error.code} ${error.message}`),
  });
});
afterEach(async () => {
  outbox[Symbol.dispose]();
  await folder[Symbol.asyncDispose]();
});

const answer = (message: object) => session.answer(Buffer.from(JSON.stringify({ v: 1, ...message })));
const ack = (more: object = {}) => {
  const base = { kind: 'ack', proto: 1, lanes: {}, credit: 16, paceMs: 0, time: clock.now() };
  answer({ ...base, ...more });
};
const welcome = (more: object = {}) => {
  const all = Object.fromEntries(lanes.map((lane) => [lane, { epoch: 1, wm: 0 }]));
  ack({ session: session.id, lanes: all, ...more });
};
/** What went out since the last call: `hello`, or `<lane> <seq>`. */
const went = () => {
  const list = sent.map(({ word, bytes }) => (word === 'hello' ? word : `${word} ${decodeFrame(bytes).header.s}`));
  sent.length = 0;
  return list;
};
const fill = (lane: 'alarm' | 'event' | 'agg1m', count: number) => {
  for (let n = 1; n <= count; n++) outbox.append(lane, makeBody(lane, n));
};

describe('a conversation with the city', () => {
  it('says what it holds and sends nothing before the answer', () => {
    fill('event', 3);
    outbox.evict('event', 1);
    session.tick();
    const [hello] = sent;
    expect(readHello(hello?.bytes ?? Buffer.alloc(0))).toMatchObject({
      session: session.id,
      time: start,
      lanes: { event: { epoch: 1, min: 2, head: 3 }, alarm: { epoch: 1, min: 1, head: 0 } },
    });
    clock.advance(1_000);
    session.tick();
    expect(went()).toEqual(['hello']);
    expect(session.open).toBe(false);
  });

  it('does not take the answer to another session for its own', () => {
    fill('event', 1);
    session.tick();
    ack({ session: 'another', lanes: { event: { epoch: 1, wm: 0 } } });
    expect([session.open, went()]).toEqual([false, ['hello']]);
  });

  it('sends the most urgent lane first and keeps to the credit of each', () => {
    fill('agg1m', 5);
    fill('event', 3);
    fill('alarm', 1);
    session.tick();
    welcome({ credit: 2 });
    expect(went()).toEqual(['hello', 'alarm 1', 'event 1', 'event 2', 'agg1m 1', 'agg1m 2']);
    ack({ credit: 2, lanes: { event: { epoch: 1, wm: 1 } } });
    expect(went()).toEqual(['event 3']);
    expect(told.at(-1)).toBe('event 1/1');
  });

  it('paces the bulk and not what a person waits for', () => {
    fill('agg1m', 3);
    fill('alarm', 3);
    session.tick();
    welcome({ paceMs: 100 });
    expect(went()).toEqual(['hello', 'alarm 1', 'alarm 2', 'alarm 3', 'agg1m 1']);
    clock.advance(99);
    session.tick();
    expect(went()).toEqual([]);
    clock.advance(1);
    session.tick();
    expect(went()).toEqual(['agg1m 2']);
  });

  it('flags times that its clock cannot vouch for', () => {
    fill('event', 1);
    session.tick();
    welcome({ time: start - 61_000 });
    expect(decodeFrame(sent[1]?.bytes ?? Buffer.alloc(0)).header).toMatchObject({ off: 61_000, q: 'clock' });
  });

  it('holds what the city cannot read yet and sends it again ever more slowly', () => {
    fill('event', 1);
    session.tick();
    welcome();
    answer({ kind: 'nack', lane: 'event', epoch: 9, expect: 1, reason: 'unsupported', message: 'body type "x"' });
    expect(session.progress('event')).toMatchObject({ held: 'body type "x"', inFlight: 1 });
    expect(faults).toEqual(['UPLINK_UNSUPPORTED lane event: body type "x"']);
    went();
    for (const pause of [1_500, 3_000]) {
      clock.advance(pause - 1);
      session.tick();
      expect(went()).toEqual([]);
      clock.advance(1);
      session.tick();
      expect(went()).toEqual(['event 1']);
    }
  });

  it('goes back to what the city misses, but not for a word about another epoch or the future', () => {
    fill('event', 4);
    session.tick();
    welcome();
    went();
    answer({ kind: 'nack', lane: 'event', epoch: 7, expect: 1, reason: 'gap' });
    answer({ kind: 'nack', lane: 'event', epoch: 1, expect: 40, reason: 'gap' });
    answer({ kind: 'nack', lane: 'later', epoch: 1, expect: 1, reason: 'gap' });
    expect(went()).toEqual([]);
    answer({ kind: 'nack', lane: 'event', epoch: 1, expect: 3, reason: 'gap' });
    expect(went()).toEqual(['event 3', 'event 4']);
  });

  it('repeats its hello as a sign of life, and gives up on a city that says nothing', () => {
    session.tick();
    welcome();
    went();
    clock.advance(uplinkLimits.helloEvery);
    session.tick();
    expect(went()).toEqual(['hello']);
    clock.advance(uplinkLimits.silence);
    expect(() => session.tick()).toThrow(/has said nothing for 90000 ms/);
  });

  it('asks at most once a second about a new outbox', () => {
    session.tick();
    welcome();
    went();
    outbox.recreate(2);
    fill('event', 1);
    for (let step = 0; step < 30; step++) {
      clock.advance(100);
      session.tick();
    }
    expect(went().length).toBeLessThanOrEqual(4);
    welcome({ lanes: Object.fromEntries(lanes.map((lane) => [lane, { epoch: 2, wm: 0 }])) });
    expect(went()).toEqual(['event 1']);
  });

  it('tells of a lane that the city does not know, and goes on with the others', () => {
    fill('event', 1);
    fill('alarm', 1);
    session.tick();
    welcome({ lanes: { alarm: { epoch: 1, wm: 0 } } });
    expect(went()).toEqual(['hello', 'alarm 1']);
    expect(session.progress('event').held).toBe('the city does not know this lane');
  });

  it('keeps the other lanes going when the rows of one cannot be read', () => {
    fill('event', 1);
    fill('alarm', 1);
    const read = outbox.outbox.bind(outbox);
    outbox.outbox = (lane, after, limit) => {
      if (lane === 'alarm') throw new Error('the row is damaged');
      return read(lane, after, limit);
    };
    session.tick();
    welcome();
    clock.advance(4_999);
    session.tick();
    expect(went()).toEqual(['hello', 'event 1', 'event 1']);
    expect(faults).toEqual(['UPLINK_OUTBOX_UNREADABLE lane alarm: the row is damaged']);
    outbox.outbox = read;
    clock.advance(1);
    session.tick();
    expect(went()).toEqual(['alarm 1']);
  });

  it('refuses an answer that it cannot read, naming the field', () => {
    expect(() => ack({ credit: 0 })).toThrow(/answer of the city: credit:/);
    expect(() => session.answer(Buffer.from('{'))).toThrow(/is not UTF-8 JSON/);
    session.tick();
    expect(() => welcome({ proto: 2 })).toThrow(/the city speaks version 2/);
  });
});
