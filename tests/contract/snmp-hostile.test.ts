import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '#edge/runtime/clock.ts';
import { type PoeSwitch, startSwitch } from '#edge/simulators/switch.ts';
import { openSnmp, type SnmpRig } from './snmp-rig.ts';

/* An agent that answers anything but what it should: the driver neither hangs nor floods, delivers no wrong value, and goes on. */

const v3 = { user: 'campus', authPassword: 'demo-auth-password', privacyPassword: 'demo-privacy-password' };
const values = {
  link: { at: '1.3.6.1.2.1.2.2.1.8', rows: 'interface', count: 8, type: 'text', map: { 1: 'up', 2: 'down' } },
  budget: { at: '1.3.6.1.2.1.105.1.3.1.1.2.1', unit: 'W' },
  poe: {
    at: '1.3.6.1.2.1.105.1.1.1.3',
    rows: 'poe',
    count: 8,
    type: 'boolean',
    map: { 1: true, 2: false },
    write: { verify: { after: '20ms', within: '300ms' } },
  },
};
const truth: Record<string, unknown> = { budget: 120, link_3: 'up' };
for (let i = 1; i <= 8; i++) {
  truth[`link_${i}`] ??= 'down';
  truth[`poe_${i}`] = true;
}

type Send = (answer: Buffer) => void;
type Mischief = (answer: Buffer, send: Send, stranger: Send) => void;

/** Between the driver and an honest agent: what comes back is what the mischief makes of it. */
async function startBetween(agentPort: number) {
  const front = createSocket('udp4');
  const back = createSocket('udp4');
  const stranger = createSocket('udp4');
  let asked: { port: number; address: string } | null = null;
  let mischief: Mischief | null = null;
  let requests = 0;
  front.on('message', (message, from) => {
    requests++;
    asked = from;
    back.send(message, agentPort, '127.0.0.1');
  });
  const sendBy = (socket: Socket) => (answer: Buffer) => {
    if (asked !== null) socket.send(answer, asked.port, asked.address);
  };
  back.on('message', (answer) =>
    mischief === null ? sendBy(front)(answer) : mischief(answer, sendBy(front), sendBy(stranger)),
  );
  for (const socket of [front, back, stranger]) {
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
  }
  return {
    port: front.address().port,
    get requests() {
      return requests;
    },
    set mischief(next: Mischief | null) {
      mischief = next;
    },
    close: () => {
      for (const socket of [front, back, stranger]) socket.close();
    },
  };
}

let agent: PoeSwitch;
let between: Awaited<ReturnType<typeof startBetween>>;
beforeAll(async () => {
  agent = await startSwitch({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    ports: 8,
    community: 'demo',
    v3,
    powered: { 3: () => {} },
  });
  between = await startBetween(agent.port);
});
afterAll(async () => {
  between.close();
  await agent[Symbol.asyncDispose]();
});

/** Deterministic noise. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
}
const random = noise(7);

/** The request id is the first INTEGER of the PDU: 2c messages of ours are `30 .. 02 01 01 04 04 demo a2 .. 02 nn <id>`. */
function otherId(answer: Buffer): Buffer {
  const at = answer.indexOf('demo') + 4;
  const length = answer[at + 1] ?? 0;
  const id = at + 2 + (length < 0x80 ? 0 : length - 0x80) + 2;
  const changed = Buffer.from(answer);
  changed[id] = (changed[id] ?? 0) ^ 1;
  return changed;
}

const mischiefs: Record<string, Mischief> = {
  'says nothing': () => {},
  'answers noise': (_, send) => send(Buffer.from(Array.from({ length: 300 }, () => Math.floor(random() * 256)))),
  'answers nothing in many datagrams': (_, send) => {
    for (let i = 0; i < 50; i++) send(Buffer.alloc(0));
  },
  'cuts every answer': (answer, send) => send(answer.subarray(0, Math.floor(answer.length / 2))),
  'answers with another request id': (answer, send) => send(otherId(answer)),
  'answers from another port': (answer, _, stranger) => stranger(answer),
  'answers 60,000 bytes': (answer, send) => send(Buffer.concat([answer.subarray(0, 2), Buffer.alloc(60_000, 0x30)])),
  'sends back the question': (answer, send) => {
    const question = Buffer.from(answer);
    question[answer.indexOf('demo') + 4] = 0xa0;
    send(question);
  },
  'nests sequences without end': (_, send) => send(Buffer.alloc(1_400, Buffer.from([0x30, 0x82, 0x05, 0x00]))),
  'sends a length that is not there': (answer, send) => {
    const longer = Buffer.from(answer);
    longer[1] = 0x7f;
    send(longer);
  },
};

describe.each([
  ['v2c', { community: 'demo' }],
  ['v3', { v3 }],
])('over %s, an agent that', (_, access) => {
  test.each(Object.keys(mischiefs))('%s costs its own values only, and is heard again afterwards', async (name) => {
    const address = { host: '127.0.0.1', port: between.port, timeout: '120ms', ...access };
    await using rig = await openSnmp(values, address);
    between.mischief = null;
    await honest(rig);
    between.mischief = mischiefs[name] ?? null;
    const before = between.requests;
    const began = performance.now();
    for (let i = 0; i < 3; i++) {
      for (const [point, sample] of Object.entries(await rig.read())) {
        if (sample.quality === 'good') expect(sample.value, point).toEqual(truth[point]);
        else expect(sample).toMatchObject({ value: null, quality: 'bad' });
      }
    }
    expect(performance.now() - began).toBeLessThan(10_000);
    // Each read gives up after its first silence: two tries of a handful of datagrams, not a flood.
    expect(between.requests - before).toBeLessThan(3 * 3 * 8);
    between.mischief = null;
    await honest(rig);
  });

  test('flips bits at random is never believed against its own check, nor ends the process', async () => {
    await using rig = await openSnmp(values, { host: '127.0.0.1', port: between.port, timeout: '50ms', ...access });
    between.mischief = null;
    await rig.read();
    between.mischief = (answer, send) => {
      const bent = Buffer.from(answer);
      for (let i = 0; i < 3; i++) {
        const at = Math.floor(random() * bent.length);
        bent[at] = (bent[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      }
      send(bent);
    };
    for (let i = 0; i < 40; i++) {
      const samples = await rig.read();
      expect(Object.keys(samples)).toHaveLength(Object.keys(truth).length);
      // Authenticated answers are true or none; v2c has no check at all, so there only the form is promised.
      if ('v3' in access) {
        for (const [point, { quality, value }] of Object.entries(samples)) {
          if (quality === 'good') expect(value, point).toEqual(truth[point]);
        }
      }
    }
    between.mischief = null;
    await honest(rig);
  });
});

/** An answer in the clear that says 7 to one question, as somebody on the line could send it. */
function forged(answer: Buffer): Buffer {
  const element = (tag: number, ...parts: readonly Buffer[]) => {
    const body = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([tag, 0x82, body.length >> 8, body.length & 0xff]), body]);
  };
  const integer = (value: number) => Buffer.from([0x02, 0x01, value]);
  // 30 82 nn nn 02 01 03 30 nn 02 04 <id> ...: the id of the message is there for everybody to read.
  const at = answer.indexOf(Buffer.from([0x02, 0x01, 0x03])) + 3;
  const global = answer.subarray(at, at + 2 + (answer[at + 1] ?? 0));
  const security = answer.subarray(at + global.length);
  const params = security.subarray(0, 2 + (security[1] ?? 0));
  const flags = Buffer.from(global);
  flags[flags.length - 4] = 0;
  const oid = Buffer.from([0x06, 0x0d, 0x2b, 6, 1, 2, 1, 0x69, 1, 3, 1, 1, 2, 1]);
  oid[1] = oid.length - 2;
  const varbinds = element(0x30, element(0x30, oid, Buffer.from([0x42, 0x01, 0x07])));
  const pdu = element(0xa2, integer(1), integer(0), integer(0), varbinds);
  const scoped = element(0x30, element(0x04), element(0x04), pdu);
  return element(0x30, integer(3), flags, params, scoped);
}

test('an unsigned answer to a signed question is not believed', async () => {
  const only = { budget: values.budget };
  await using rig = await openSnmp(only, { host: '127.0.0.1', port: between.port, timeout: '300ms', v3 });
  between.mischief = null;
  await expect.poll(async () => (await rig.read()).budget?.value, { timeout: 10_000 }).toBe(120);
  between.mischief = (answer, send) => {
    send(forged(answer));
    send(answer);
  };
  const seen = new Set<unknown>();
  for (let i = 0; i < 5; i++) seen.add((await rig.read()).budget?.value);
  expect(seen).not.toContain(7);
  expect(rig.counts.unsigned).toBeGreaterThan(0);
  between.mischief = null;
});

test('a write whose answer is lost is not sent twice, and its read-back tells', async () => {
  await using rig = await openSnmp(values, {
    host: '127.0.0.1',
    port: between.port,
    timeout: '100ms',
    community: 'demo',
  });
  await rig.read();
  let lost = 0;
  between.mischief = (answer, send) => {
    // A SET is answered by one value; reads here have more or come later.
    if (lost++ > 0) send(answer);
  };
  expect(await rig.write('poe_5', false)).toMatchObject({ outcome: 'done', value: false });
  between.mischief = null;
  expect(agent.cuts[4]).toBe(1);
  expect(await rig.write('poe_5', true)).toMatchObject({ outcome: 'done', value: true });
});

test('a read that is given up settles at once', async () => {
  await using rig = await openSnmp(values, { host: '127.0.0.1', port: between.port, timeout: '5s', community: 'demo' });
  between.mischief = () => {};
  const ending = new AbortController();
  const began = performance.now();
  const reading = rig.read(ending.signal);
  ending.abort();
  await reading;
  expect(performance.now() - began).toBeLessThan(2_000);
  between.mischief = null;
});

/** A busy machine may lose an answer or two. */
async function honest(rig: SnmpRig): Promise<void> {
  await expect.poll(async () => valuesOf(await rig.read()), { timeout: 10_000, interval: 20 }).toEqual(truth);
}

function valuesOf(samples: Record<string, { value: unknown }>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(samples).map(([point, { value }]) => [point, value]));
}
