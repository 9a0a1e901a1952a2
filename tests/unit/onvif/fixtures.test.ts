import { describe, expect, test } from 'vitest';
import type { Edge } from '#edge/drivers/onvif/edges.ts';
import { Edges } from '#edge/drivers/onvif/edges.ts';
import { type Notification, readNotification } from '#edge/drivers/onvif/notification.ts';
import { child, children, parseSoap } from '#edge/drivers/onvif/soap.ts';
import { defaultTimings } from '#edge/drivers/onvif/timings.ts';
import { interpret } from '#edge/drivers/onvif/topics.ts';
import { topicRows, typeRules } from '#edge/drivers/onvif/topics-table.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { domainWords } from '#edge/web/console/domain-words.ts';
import { fixtures, pullAnswer } from './fixture-messages.ts';

/** As the driver reads an answer from the wire. */
function read(...messages: string[]): Notification[] {
  const reply = { status: 200, type: 'application/soap+xml', body: Buffer.from(pullAnswer(messages)) };
  const { body } = parseSoap(reply, 'camera');
  const nodes = children(child(body, 'PullMessagesResponse'), 'NotificationMessage');
  return nodes.map(readNotification).filter((notification) => notification !== null);
}

function meaning(notification: Notification | undefined) {
  if (notification === undefined) return 'not read';
  const verdict = interpret(notification);
  if (verdict.kind !== 'happening') return verdict.kind;
  const { meanings } = verdict;
  const told = meanings.length === 1 ? meanings : meanings.filter(({ active }) => active === true);
  return told.map(({ type, kind, active }) => [type, kind === 'stateless' ? 'pulse' : active]);
}

describe('a notification in the shape of its maker', () => {
  test.each(
    fixtures.map(
      (fixture) => [`${fixture.maker}: ${/>\s*([^<\s]*tns[^<\s]*)\s*</.exec(fixture.xml)?.[1]}`, fixture] as const,
    ),
  )('%s means what the table says', (_name, fixture) => {
    const [notification] = read(fixture.xml);
    expect(meaning(notification)).toEqual(fixture.means);
    expect(notification?.operation).toBe(fixture.operation);
    expect(Object.fromEntries(notification?.source ?? [])).toEqual(fixture.source);
  });

  test('is read beside all the others in one answer, and alone', () => {
    expect(read(...fixtures.map(({ xml }) => xml))).toHaveLength(fixtures.length);
    expect(read()).toEqual([]);
  });

  test('every row of the table that a maker is known for has one', () => {
    const seen = new Set(
      read(...fixtures.map(({ xml }) => xml)).map(({ topic }) => topic.replace(/(^|\/)[^/:]*:/g, '$1').toLowerCase()),
    );
    const pattern = (topic: string) => new RegExp(`^${topic.toLowerCase().replace(/\*/g, '.+')}$`);
    const missing = topicRows.filter(({ topic }) => ![...seen].some((one) => pattern(topic).test(one)));
    // From the specifications alone: nobody has sent us one.
    const unseen = [
      'RuleEngine/MotionDetector/Motion',
      'RuleEngine/LoiteringDetector/*',
      'RuleEngine/IntrusionDetector/Intrusion',
      'RuleEngine/FaceDetector/*',
      'VideoSource/Tampering',
      'VideoSource/SignalLoss',
      'Device/IO/VirtualInput',
      'Media/ProfileChanged',
      'Media/ConfigurationChanged',
      'Configuration/*',
    ];
    expect(missing.map(({ topic }) => topic).filter((topic) => !unseen.includes(topic))).toEqual([]);
  });
});

function listen(timings: Partial<typeof defaultTimings> = {}) {
  const told: Edge[] = [];
  const counts = new Map<string, number>();
  const edges = new Edges({
    clock: systemClock,
    timings: { ...defaultTimings, coalesce: 0, eventsPerSecond: 10_000, ...timings },
    onEdge: (edge) => told.push(edge),
    onState: () => {},
    count: (word) => counts.set(word, (counts.get(word) ?? 0) + 1),
  });
  const hear = (...xml: string[]) => {
    for (const notification of read(...xml)) edges.hear(notification);
  };
  return { edges, told, counts, hear };
}

const pick = (topic: RegExp, maker: string) =>
  fixtures.find((fixture) => fixture.maker === maker && topic.test(fixture.xml))?.xml ?? '';

describe('what makers do otherwise than others', () => {
  test("Tapo's real edge is called Initialized: it counts once the subscription has settled, and not at its beginning", () => {
    const crossing = pick(/LineCrossDetector\/LineCross/, 'Tapo');
    const quiet = crossing.replace('Value="true"', 'Value="false"');
    const { edges, told, hear } = listen({ settled: -1 });
    using _edges = edges;
    edges.subscribed();
    hear(quiet);
    expect(told).toEqual([]);
    hear(crossing);
    expect(told.map(({ type, active, note }) => [type, active, note])).toEqual([['line_cross', true, 'resync']]);
    const fresh = listen({ settled: 60_000 });
    using _fresh = fresh.edges;
    fresh.edges.subscribed();
    fresh.hear(quiet, crossing);
    expect(fresh.told).toEqual([]);
  });

  test("Hikvision's line crossing is a pulse: each is told, none is ended", () => {
    const { edges, told, hear } = listen({ coalesce: -1 });
    using _edges = edges;
    const crossed = pick(/LineDetector\/Crossed/, 'Hikvision');
    hear(crossed, crossed, crossed);
    expect(told.map(({ type, active }) => [type, active])).toEqual([
      ['line_cross', undefined],
      ['line_cross', undefined],
      ['line_cross', undefined],
    ]);
  });

  test('Hikvision numbers what it sees, and never twice the same: the thousandth intrusion is still told', () => {
    const { edges, told, counts, hear } = listen();
    using _edges = edges;
    const inside = pick(/FieldDetector/, 'Hikvision');
    for (let id = 1; id <= 1_000; id++) {
      const of = inside.replace('Name="ObjectId" Value="7"', `Name="ObjectId" Value="${id}"`);
      hear(of, of.replace('Value="true"', 'Value="false"'));
    }
    expect(told.filter(({ active }) => active === true)).toHaveLength(1_000);
    expect(told.filter(({ active }) => active === false)).toHaveLength(1_000);
    expect(counts.get('storm-dropped')).toBeUndefined();
  });

  test('Ajax names all classes that are in the picture at once: each begins and ends by itself', () => {
    const { edges, told, hear } = listen();
    using _edges = edges;
    const both = pick(/ObjectDetection/, 'Ajax');
    hear(both, both.replace('Human Vehicle', 'Vehicle'), both.replace('Human Vehicle', ''));
    expect(told.map(({ type, active }) => [type, active])).toEqual([
      ['person', true],
      ['vehicle', true],
      ['person', false],
      ['vehicle', false],
    ]);
  });

  test('a topic that nobody knows is kept as it is, once an hour, and every one is counted', () => {
    const { edges, told, counts, hear } = listen();
    using _edges = edges;
    const limping = pick(/Limping/, 'nobody');
    for (let i = 0; i < 5; i++) hear(limping);
    expect(told.map(({ type, topic }) => [type, topic])).toEqual([['unknown', 'tns1:RuleEngine/tnsacme:Gait/Limping']]);
    for (let i = 0; i < 200; i++) hear(limping.replace('Limping', `Limping${i}`));
    expect(told).toHaveLength(64);
    expect(counts.get('unknown-topic')).toBe(205);
    expect(counts.get('unknown-topics-dropped')).toBe(137);
  });
});

test.each(['zh', 'en'] as const)('every type of event has a word (%s)', (language) => {
  const silent = new Set(['info', 'health', 'counter', 'ignore']);
  const types = [...Object.keys(typeRules), ...topicRows.map(({ type }) => type), 'snapshot', 'event_storm'];
  const words: Readonly<Record<string, unknown>> = domainWords[language];
  expect(types.filter((type) => !silent.has(type) && words[`event:${type}`] === undefined)).toEqual([]);
});
