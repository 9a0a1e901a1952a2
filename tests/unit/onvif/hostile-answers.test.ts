import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { pathOf } from '#edge/drivers/onvif/library.ts';
import { readNotification } from '#edge/drivers/onvif/notification.ts';
import { Paced } from '#edge/drivers/onvif/paced.ts';
import { certificateOf } from '#edge/drivers/onvif/scan.ts';
import { parseSoap, referenceParameters } from '#edge/drivers/onvif/soap.ts';
import { streamAddress } from '#edge/drivers/onvif/streams.ts';
import { bareTopic, interpret } from '#edge/drivers/onvif/topics.ts';
import { exchange } from '#edge/drivers/onvif/transport.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { eventually, type Scene, startScene, streaming } from './bench.ts';
import { type Front, soapAnswer, standBefore } from './front.ts';

/* What a camera that means harm (or is broken in a creative way) answers. One process reads the events of all cameras: none may hold it up. */

/** The largest body that is taken; each of these kept the process busy for more than a second, most for minutes. */
const size = 590_000;
const fill = (part: string) => part.repeat(Math.floor((size - 300) / part.length));
const wrap = (body: string) =>
  `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>${body}</s:Body></s:Envelope>`;
const many = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i)).join('');

/** Whatever becomes of it, soon. Generous: what this is about takes minutes. */
function soon(work: () => unknown): void {
  const started = performance.now();
  try {
    work();
  } catch {
    // refused is as good
  }
  expect(performance.now() - started).toBeLessThan(4_000);
}

describe('an answer that is made to keep its reader busy', () => {
  const reference = '<ReferenceParameters><a>1</a></ReferenceParameters>';
  test.each<[string, string]>([
    [
      'namespaces for each element',
      `<r ${many(3_000, (i) => `xmlns:a${i}="b" `)}>${'<c/>'.repeat(7_000)}${reference}</r>`,
    ],
    ['elements', `${fill('<a/>')}${reference}`],
    ['attributes', `<a ${many(40_000, (i) => `a${i}="b" `)}/>${reference}`],
    ['stray ampersands', `${fill('&')}${reference}`],
    ['text between elements', fill('x<b/>')],
    ['depth', '<a>'.repeat(80_000) + '</a>'.repeat(80_000)],
    ['a long name', `<${'a'.repeat(250_000)}></${'a'.repeat(250_000)}>`],
    ['processing instructions', fill('<?a?>')],
    ['comments', fill('<!---->')],
  ])('by many %s is read or refused at once', (_, body) => {
    soon(() => {
      const { raw } = parseSoap({ status: 200, type: '', body: Buffer.from(wrap(body)) }, 'x');
      referenceParameters(raw);
    });
  });

  test('is refused by what is in it before any parser sees it', () => {
    const body = Buffer.from(wrap('<a/>'.repeat(70_000)));
    expect(() => parseSoap({ status: 200, type: '', body }, 'x')).toThrow(/more XML elements than any camera/);
  });

  test('still gives the reference parameters of an honest camera', () => {
    const xml = wrap(
      '<r xmlns:v="urn:v"><SubscriptionReference><ReferenceParameters><v:Id>7</v:Id></ReferenceParameters></SubscriptionReference></r>',
    );
    expect(referenceParameters(xml)).toMatch(/<v:Id [^>]*xmlns:v="urn:v"[^>]*>7<\/v:Id>/);
  });

  test.each([
    ['a topic', () => readNotification({ Topic: `a${'/.'.repeat(280_000)}b` })],
    [
      'a fault',
      () => {
        const value = 'subscri'.repeat(80_000);
        const fault = `<s:Fault><s:Code><s:Value>s:R</s:Value><s:Subcode><s:Value>${value}</s:Value></s:Subcode></s:Code></s:Fault>`;
        const { fault: found } = parseSoap({ status: 400, type: '', body: Buffer.from(wrap(fault)) }, 'x');
        expect(found?.subcode.length).toBeLessThanOrEqual(100);
      },
    ],
    ['the address of a stream', () => streamAddress(`rtsp://${'@a'.repeat(280_000)}:x`, { host: 'h', password: '' })],
    ['the address of a service', () => expect(pathOf(`http://x/${'a'.repeat(500_000)}`, '/f')).toBe('/f')],
  ])('within %s is cut before patterns go over it', (_, work) => soon(work));
});

describe('what a camera calls things', () => {
  test('holds nothing that a terminal or a page obeys', () => {
    const notification = readNotification({
      Topic: 'tns1:Device/\u202eTrigger\u0007/x',
      Message: {
        Message: { Source: { SimpleItem: [{ '@Name': 'To\u0000k\u200ben', '@Value': '\u001b[31m1\ud800' }] } },
      },
    });
    expect(notification?.topic).toBe('tns1:Device/Trigger/x');
    expect([...(notification?.source ?? [])]).toEqual([['To k en', ' [31m1\ufffd']]);
    const fault = wrap('<s:Fault><s:Reason><s:Text>no\u202e way\u0085</s:Text></s:Reason></s:Fault>');
    expect(parseSoap({ status: 400, type: '', body: Buffer.from(fault) }, 'x').fault?.reason).toBe('no way ');
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'may be %s, and is a word like others',
    (word) => {
      for (const topic of [`tns1:RuleEngine/ObjectDetector/${word}`, `tns1:RuleEngine/MyRuleDetector/${word}`]) {
        const verdict = interpret({
          topic,
          operation: 'Changed',
          source: new Map(),
          data: new Map([['State', 'true']]),
        });
        const types = verdict.kind === 'happening' ? verdict.meanings.map(({ type }) => typeof type) : [];
        expect(types.every((type) => type === 'string')).toBe(true);
      }
      const data = new Map([['ClassTypes', word]]);
      const verdict = interpret({
        topic: 'tns1:RuleEngine/ObjectDetection/Object',
        operation: 'Changed',
        source: new Map(),
        data,
      });
      expect(verdict).toMatchObject({
        meanings: expect.arrayContaining([expect.objectContaining({ type: 'object', active: true })]),
      });
      expect(bareTopic(`a:${word}`)).toBe(word);
    },
  );
});

/** A scene whose camera is spoken to through a front, which answers pulls at once and as it likes from the moment on it is told to. */
async function throughFront(
  options: Parameters<typeof startScene>[0] = {},
): Promise<{ scene: Scene; front: Front; [Symbol.asyncDispose](): Promise<void> }> {
  let front: Front | undefined;
  const config: Record<string, unknown> = {};
  const scene = await startScene({
    ...options,
    config,
    before: async (camera) => {
      front = await standBefore(camera);
      config.port = front.port;
    },
  });
  if (front === undefined) throw new Error('no front');
  const own = front;
  await streaming(scene);
  return {
    scene,
    front: own,
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      await own[Symbol.asyncDispose]();
    },
  };
}

function message(topic: string, source: string, data: string): string {
  const inner = `<tt:Message xmlns:tt="http://www.onvif.org/ver10/schema" UtcTime="2024-05-06T07:08:09Z" PropertyOperation="Changed"><tt:Source><tt:SimpleItem Name="Token" Value="${source}"/></tt:Source><tt:Data><tt:SimpleItem Name="State" Value="${data}"/></tt:Data></tt:Message>`;
  return `<wsnt:NotificationMessage><wsnt:Topic>${topic}</wsnt:Topic><wsnt:Message>${inner}</wsnt:Message></wsnt:NotificationMessage>`;
}

const pulled = (messages: string) =>
  soapAnswer(
    `<tev:PullMessagesResponse xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"><tev:CurrentTime>2024-05-06T07:08:09Z</tev:CurrentTime><tev:TerminationTime>2024-05-06T08:08:09Z</tev:TerminationTime>${messages}</tev:PullMessagesResponse>`,
  );

describe('a camera that tells thousands of things a second', () => {
  test('costs its share of the process and no more, and few of them go on', async () => {
    await using through = await throughFront({ points: ['input_1'], timings: { coalesce: 1_000 } });
    const { scene, front } = through;
    const flood = pulled(
      many(
        300,
        (i) =>
          message('tns1:Device/Trigger/DigitalInput', '1', i % 2 === 0 ? 'true' : 'false') +
          message(`tns1:RuleEngine/CellMotionDetector/Motion`, `s${i}`, 'true'),
      ),
    );
    front.answer = (operation) => (operation === 'PullMessages' ? flood : null);
    const pulls = scene.heard.count('pull');
    const [events, samples, begun] = [scene.heard.events.length, scene.heard.samples.length, performance.now()];
    await eventually(() => scene.heard.count('pull'), { timeout: 40_000 }).toBeGreaterThan(pulls + 1);
    const seconds = (performance.now() - begun) / 1000;
    expect(scene.heard.count('messages-dropped')).toBeGreaterThan(0);
    expect(scene.heard.events.length - events).toBeLessThan(30 + 15 * seconds);
    expect(scene.heard.samples.length - samples).toBeLessThan(60 + 40 * seconds);
    // 600 messages, and thirty times as long as they took to read until the next, or five seconds.
    const gaps = front.seen
      .filter(({ operation }) => operation === 'PullMessages')
      .slice(-2)
      .map(({ at }) => at);
    expect((gaps.at(-1) ?? 0) - (gaps[0] ?? 0)).toBeGreaterThan(60);
    front.answer = () => null;
    await streaming(scene);
  }, 60_000);

  test('is heard of each contact at once, and of a storm the last', async () => {
    const told: boolean[] = [];
    using paced = new Paced(systemClock, (_, value) => void told.push(value));
    paced.set('input_1', true);
    expect(told).toEqual([true]);
    for (let i = 0; i < 1_000; i++) paced.set('input_1', i % 2 === 1);
    paced.set('input_1', false);
    expect(told.length).toBeLessThan(15);
    await eventually(() => told.at(-1)).toBe(false);
  });
});

describe('a host that takes connections and never says a word', () => {
  async function silent() {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.resume();
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return {
      ...{ port, sockets },
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      },
    };
  }

  test.each([
    ['with a pinned certificate', { fingerprint: 'AA' }],
    ['with any', {}],
    ['without TLS', undefined],
  ])('keeps no connection of ours (%s)', async (_, tls) => {
    await using host = await silent();
    const endpoint = { host: '127.0.0.1', port: host.port, tls };
    const request = { method: 'GET', path: '/', headers: {}, timeout: 60, cap: 10, what: 'X' } as const;
    const signal = new AbortController().signal;
    for (let i = 0; i < 4; i++) {
      await expect(exchange(endpoint, { ...request, signal })).rejects.toMatchObject({ kind: 'timeout' });
    }
    await eventually(() => host.sockets.size).toBe(0);
  });

  test('is left when the search for cameras ends', async () => {
    await using host = await silent();
    const ending = new AbortController();
    const asked = certificateOf('127.0.0.1', host.port, ending.signal);
    await eventually(() => host.sockets.size).toBe(1);
    ending.abort();
    expect(await asked).toBeNull();
    await eventually(() => host.sockets.size).toBe(0);
  });
});
