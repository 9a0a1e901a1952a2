import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readExchange } from '#edge/drivers/modbus/exchange.ts';
import { mbapLink } from '#edge/drivers/modbus/mbap-link.ts';
import type { BytePort } from '#edge/drivers/ports/port.ts';
import { systemClock } from '#edge/runtime/clock.ts';

/* Nothing in Modbus TCP checks the bytes of an answer: gateways that lose some, mix two or lie about their number. */

const long = 20_000;
const outOfStep = expect.stringContaining('out of step');
const silence = expect.stringContaining('did not answer within');

/** Two registers: `word` and 7. */
function answerTo(request: Buffer, word: number): Buffer {
  const answer = Buffer.alloc(13);
  request.copy(answer, 0, 0, 4);
  answer.writeUInt16BE(7, 4);
  request.copy(answer, 6, 6, 8);
  answer[8] = 4;
  answer.writeUInt16BE(word, 9);
  answer.writeUInt16BE(7, 11);
  return answer;
}

function open() {
  const written: Buffer[] = [];
  const counts: string[] = [];
  let hear: (bytes: Buffer) => void = () => {};
  let isClosed = false;
  const port: BytePort = {
    write: (bytes) => void written.push(Buffer.from(bytes)),
    listen: ({ data }) => {
      hear = data;
    },
    [Symbol.asyncDispose]: async () => {
      isClosed = true;
    },
  };
  const count = (word: string) => void counts.push(word);
  const link = mbapLink.open(port, systemClock, { count, late: () => {}, unsettled: () => {}, second: () => {} });
  const ask = (unit: number, timeout = long) =>
    link.exchange(readExchange(unit, 'holding', 0, 2).tcp, timeout).then(
      ({ frame }) => frame.readUInt16BE(3),
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  /** Asks units 1 and 2 at once; their answers are 111 and 222. */
  const askTwo = (...timeouts: [number?, number?]) => {
    const asked = [ask(1, timeouts[0]), ask(2, timeouts[1])];
    const [one = Buffer.alloc(0), two = Buffer.alloc(0)] = written.slice(-2);
    return { both: Promise.all(asked), first: answerTo(one, 111), second: answerTo(two, 222) };
  };
  return {
    written,
    counts,
    ask,
    askTwo,
    hear: (...pieces: Buffer[]) => pieces.forEach((piece) => void hear(piece)),
    link,
    isClosed: () => isClosed,
  };
}

const piecesOf = (bytes: Buffer, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));

describe('an answer that was cut short', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
    'by %i bytes is not completed from the one after it',
    async (missing) => {
      const { askTwo, hear, counts, isClosed } = open();
      const { both, first, second } = askTwo();
      hear(Buffer.concat([first.subarray(0, -missing), second]));
      expect(await both).toEqual([outOfStep, outOfStep]);
      expect(counts).toEqual(['desync']);
      expect(isClosed()).toBe(true);
    },
  );

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
    'by %i bytes is not completed from one that comes apart',
    async (missing) => {
      const { askTwo, hear } = open();
      const { both, first, second } = askTwo();
      hear(first.subarray(0, -missing), second);
      expect(await both).toEqual([outOfStep, outOfStep]);
    },
  );

  it('is not completed from the first bytes of one whose others come later', async () => {
    for (const isOnePiece of [true, false]) {
      for (const missing of [1, 2, 3, 4, 5, 6]) {
        const { askTwo, hear } = open();
        const { both, first, second } = askTwo();
        const [short, taken] = [first.subarray(0, -missing), second.subarray(0, missing)];
        hear(...(isOnePiece ? [Buffer.concat([short, taken])] : [short, taken]), second.subarray(missing));
        expect(await both).toEqual([outOfStep, outOfStep]);
      }
    }
  });

  it('is not completed from one that is mixed with it', async () => {
    for (const cut of [1, 3, 7, 9, 11]) {
      const { askTwo, hear } = open();
      const { both, first, second } = askTwo();
      hear(first.subarray(0, cut), second, first.subarray(cut));
      expect(await both).toEqual([outOfStep, outOfStep]);
    }
  });

  it('and that nothing follows ends the connection with its time, so that no later one completes it', async () => {
    const { ask, written, hear, isClosed } = open();
    const asked = ask(1, 30);
    hear(answerTo(written[0] ?? Buffer.alloc(0), 111).subarray(0, -2));
    expect(await asked).toEqual(silence);
    expect(isClosed()).toBe(true);
  });

  it('is not completed from a copy of one before it, or from a late one', async () => {
    for (const missing of [1, 2, 5]) {
      const { ask, written, hear } = open();
      const before = ask(1);
      const copy = answerTo(written[0] ?? Buffer.alloc(0), 111);
      hear(copy);
      expect(await before).toBe(111);
      const asked = ask(2);
      hear(Buffer.concat([answerTo(written[1] ?? Buffer.alloc(0), 222).subarray(0, -missing), copy]));
      expect(await asked).toEqual(outOfStep);
    }
  });

  it('never brings a wrong value, wherever bytes are lost and however the rest is cut up', async () => {
    const words = fc.integer({ min: 0, max: 0xffff });
    await fc.assert(
      fc.asyncProperty(
        words,
        words,
        fc.nat(25),
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.integer({ min: 1, max: 12 })),
        async (a, b, from, lost, sizes) => {
          const { ask, written, hear, link } = open();
          const asked = [ask(1, long), ask(2, long)];
          const [one = Buffer.alloc(0), two = Buffer.alloc(0)] = written;
          const stream = Buffer.concat([answerTo(one, a), answerTo(two, b)]);
          let rest = Buffer.concat([stream.subarray(0, from), stream.subarray(from + lost)]);
          for (const size of [...sizes, 26]) {
            hear(rest.subarray(0, size));
            rest = rest.subarray(size);
          }
          await link[Symbol.asyncDispose]();
          const got = await Promise.all(asked);
          for (const [i, value] of got.entries()) if (typeof value === 'number') expect(value).toBe([a, b][i]);
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

describe('an answer that is whole', () => {
  it.each([1, 2, 3, 5, 12, 13, 14, 26])('is believed, in pieces of %i bytes too', async (size) => {
    const { askTwo, hear, counts } = open();
    const { both, first, second } = askTwo();
    hear(...piecesOf(Buffer.concat([first, second]), size));
    expect(await both).toEqual([111, 222]);
    expect(counts).toEqual([]);
  });

  it('is believed once the next one begins in step', async () => {
    const { ask, written, hear } = open();
    const [asked] = [ask(1), ask(2)];
    const [one = Buffer.alloc(0), two = Buffer.alloc(0)] = written;
    hear(Buffer.concat([answerTo(one, 111), answerTo(two, 222).subarray(0, 6)]));
    expect(await asked).toBe(111);
  });

  it('is believed when the other one does not come', async () => {
    const { askTwo, hear, counts } = open();
    const { both, first } = askTwo(long, 30);
    hear(first);
    expect(await both).toEqual([111, silence]);
    const again = askTwo(30, long);
    hear(again.second);
    expect(await again.both).toEqual([silence, 222]);
    expect(counts).toEqual([]);
  });

  it('is believed by its own time, though the other one has more', async () => {
    const { ask, written, hear } = open();
    const [asked] = [ask(1, 50), ask(2)];
    hear(answerTo(written[0] ?? Buffer.alloc(0), 111));
    expect(await asked).toBe(111);
  });

  it('is believed when a copy of it comes along', async () => {
    const { askTwo, hear, counts } = open();
    const { both, first, second } = askTwo();
    hear(Buffer.concat([first, first, second, second]));
    expect(await both).toEqual([111, 222]);
    expect(counts).toEqual(['doubled', 'doubled']);
  });

  it('is not believed in pieces when the other one does not come, nor keeps anybody waiting', async () => {
    const { askTwo, hear } = open();
    const { both, first } = askTwo(long, 30);
    hear(first.subarray(0, 9), first.subarray(9));
    expect(await both).toEqual([outOfStep, silence]);
  });
});

describe('a stream that is no answers', () => {
  it('ends with a header that says another length than was asked for', async () => {
    for (const length of [2, 4, 6, 8, 254, 255, 65_535]) {
      const { ask, written, hear } = open();
      const asked = ask(1);
      const answer = answerTo(written[0] ?? Buffer.alloc(0), 111);
      answer.writeUInt16BE(length, 4);
      hear(answer);
      expect(await asked).toEqual(outOfStep);
    }
  });

  it('ends when answers that nobody waits for do not end', async () => {
    const { ask, written, hear, isClosed, counts } = open();
    const asked = ask(1);
    const answer = answerTo(written[0] ?? Buffer.alloc(0), 111);
    hear(answer);
    expect(await asked).toBe(111);
    for (let i = 0; i < 100 && !isClosed(); i++) hear(Buffer.concat(Array.from({ length: 50 }, () => answer)));
    expect(isClosed()).toBe(true);
    expect(counts.length).toBeLessThan(400);
  });
});
