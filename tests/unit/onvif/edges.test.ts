import { afterEach, describe, expect, test } from 'vitest';
import type { Edge } from '#edge/drivers/onvif/edges.ts';
import { Edges } from '#edge/drivers/onvif/edges.ts';
import type { Notification } from '#edge/drivers/onvif/notification.ts';
import { defaultTimings, type OnvifTimings } from '#edge/drivers/onvif/timings.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { eventually } from './bench.ts';

const open: Edges[] = [];
afterEach(() => {
  for (const edges of open.splice(0)) edges[Symbol.dispose]();
});

function setUp(timings: Partial<OnvifTimings> = {}) {
  const heard: Edge[] = [];
  const states: [string, boolean][] = [];
  const counters = new Map<string, number>();
  const edges = new Edges({
    clock: systemClock,
    timings: { ...defaultTimings, coalesce: 60, settled: 0, ...timings },
    onEdge: (edge) => heard.push(edge),
    onState: (type, active) => states.push([type, active]),
    count: (word) => counters.set(word, (counters.get(word) ?? 0) + 1),
  });
  open.push(edges);
  return { edges, heard, states, counters };
}

function motion(state: boolean, operation: Notification['operation'] = 'Changed', source = '000'): Notification {
  return {
    topic: 'tns1:VideoSource/MotionAlarm',
    operation,
    source: new Map([['Source', source]]),
    data: new Map([['State', String(state)]]),
  };
}

const crossing: Notification = {
  topic: 'tns1:RuleEngine/LineDetector/Crossed',
  operation: 'none',
  source: new Map([['Rule', 'fence']]),
  data: new Map([['ObjectId', '7']]),
};

describe('edges of a camera', () => {
  test('a state that is told at the start is a state and no event', () => {
    const { edges, heard, states } = setUp();
    edges.subscribed();
    edges.hear(motion(true, 'Initialized'));
    expect(heard).toEqual([]);
    expect(states).toEqual([['motion', true]]);
    // Nobody was told of its begin, so nobody is told of its end.
    edges.hear(motion(false));
    expect(heard).toEqual([]);
    expect(edges.active('motion')).toBe(false);
  });

  test('an end that was missed during an outage is made up for', async () => {
    const { edges, heard } = setUp({ settled: 60_000, coalesce: 1 });
    edges.hear(motion(true));
    edges.subscribed();
    edges.hear(motion(false, 'Initialized'));
    await eventually(() => heard.map(({ active, note }) => [active, note])).toEqual([
      [true, undefined],
      [false, 'resync'],
    ]);
  });

  test('a real edge that is called Initialized (Tapo) is an edge once the subscription has settled', () => {
    const { edges, heard } = setUp({ settled: -1 });
    edges.subscribed();
    edges.hear(motion(false, 'Initialized'));
    edges.hear(motion(true, 'Initialized'));
    expect(heard).toMatchObject([{ type: 'motion', active: true }]);
  });

  test('a state of another source is another state', () => {
    const { edges, heard, states } = setUp();
    edges.hear(motion(true, 'Changed', '000'));
    edges.hear(motion(true, 'Changed', '001'));
    edges.hear(motion(true, 'Changed', '001'));
    edges.hear(motion(false, 'Changed', '000'));
    expect(heard).toHaveLength(2);
    expect(edges.active('motion')).toBe(true);
    expect(states.every(([type, active]) => type === 'motion' && active)).toBe(true);
  });

  test('of forty changes in a row the first is told at once and the last state is told in the end', async () => {
    const { edges, heard, states } = setUp({ coalesce: 200 });
    for (let i = 0; i < 41; i++) edges.hear(motion(i % 2 === 0));
    expect(heard).toHaveLength(1);
    edges.hear(motion(false));
    await eventually(() => heard.length).toBe(2);
    expect(heard.map(({ active }) => active)).toEqual([true, false]);
    expect(states.length).toBeLessThan(6);
    expect(states.at(-1)).toEqual(['motion', false]);
  });

  test('pulses of one source are merged and say how many', async () => {
    const { edges, heard } = setUp({ coalesce: 40 });
    for (let i = 0; i < 10; i++) edges.hear(crossing);
    expect(heard).toHaveLength(1);
    await eventually(() => {
      edges.hear(crossing);
      return heard.length;
    }).toBe(2);
    expect(heard[1]?.merged).toBeGreaterThanOrEqual(9);
    expect(heard[1]).not.toHaveProperty('active');
  });

  test('a storm of sources is capped, counted, and its end states still come', async () => {
    const { edges, heard, counters } = setUp({ eventsPerSecond: 20, coalesce: 20 });
    for (let i = 0; i < 100; i++) edges.hear({ ...crossing, source: new Map([['Rule', `r${i}`]]) });
    expect(heard).toHaveLength(20);
    expect(counters.get('storm-dropped')).toBe(80);
    edges.hear(motion(true));
    await eventually(() => heard.filter(({ type }) => type === 'motion')).toHaveLength(1);
    await eventually(() => heard.find(({ type }) => type === 'event_storm')?.dropped).toBe(80);
  });

  test('sources without end do not take memory without end', () => {
    const { edges, counters } = setUp({ eventsPerSecond: 10_000 });
    for (let i = 0; i < 1000; i++) edges.hear(motion(true, 'Changed', String(i)));
    expect(counters.get('storm-dropped')).toBe(1000 - 256);
  });

  test('a state that the camera forgets to end is ended, but not while it is told again', async () => {
    const { edges, heard } = setUp({ stuck: 150, coalesce: 1 });
    edges.hear(motion(true));
    await eventually(() => heard.at(-1)).toMatchObject({ active: false, note: 'expired' });
    edges.hear({ ...motion(true), topic: 'tns1:Device/Trigger/DigitalInput' });
    expect(heard.at(-1)).toMatchObject({ type: 'digital_input', active: true });
  });

  test('what is deleted has ended', async () => {
    const { edges, heard } = setUp({ coalesce: 1 });
    edges.hear(motion(true));
    edges.hear(motion(true, 'Deleted'));
    await eventually(() => heard.at(-1)).toMatchObject({ active: false, note: 'deleted' });
  });

  test('an unknown topic is told once an hour and is never an alarm', () => {
    const { edges, heard, counters } = setUp();
    for (let i = 0; i < 5; i++) edges.hear({ ...motion(true), topic: 'tns1:RuleEngine/tnsacme:Teapot/Boiling' });
    edges.hear({ ...motion(true), topic: 'tns1:Monitoring/ProcessorUsage' });
    edges.hear({ ...motion(true), topic: 'tns1:MediaControl/VideoEncoderConfiguration' });
    expect(heard).toMatchObject([{ type: 'unknown', topic: 'tns1:RuleEngine/tnsacme:Teapot/Boiling' }]);
    expect(heard[0]).not.toHaveProperty('active');
    expect(Object.fromEntries(counters)).toMatchObject({ 'unknown-topic': 5, health: 1, ignore: 1 });
  });
});
