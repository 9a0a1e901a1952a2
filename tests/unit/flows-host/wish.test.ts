import { describe, expect, it } from 'vitest';
import { type AskMessage, decodeCalendar, decodeWish, encodeAsk } from '#edge/bus/codec.ts';

const bytes = (body: unknown) => Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
const words = { zh: '水浸', en: 'water' };
const alarm: AskMessage = {
  ask: 'alarm',
  key: 'wet-floor',
  class: 'medium',
  message: words,
  next: words,
  active: true,
  origin: 'flow:notify/leak/raise',
};
const notify: AskMessage = { ask: 'notify', to: ['duty'], message: words, origin: 'flow:a/b' };
const report: AskMessage = { ask: 'report', state: 'halted', message: 'too much', origin: 'flow:a/b' };
const request = { point: 'relay-1/relay_1', value: true, priority: 12, seconds: 60, reason: 'x' };

describe('what a guest may publish on its request topic', () => {
  it.each([alarm, notify, report])('is one of the asks: %o', (ask) => {
    expect(decodeWish(bytes(encodeAsk(ask)))).toEqual({ ok: true, value: { kind: 'ask', ask } });
  });

  it('is a request, with where it came from', () => {
    for (const body of [request, { ...request, origin: 'flow:comfort/room/off' }])
      expect(decodeWish(bytes(body))).toEqual({ ok: true, value: { kind: 'request', request: body } });
  });

  it.each([
    [{ ...alarm, class: 'critical' }, 'class: must be medium or low: what is graver is a rule'],
    [{ ...alarm, class: 'high' }, 'class: must be medium or low: what is graver is a rule'],
    [{ ...alarm, key: 'interlock:smoke' }, 'key: must be a slug: a-z, 0-9, _ or -, at most 63 characters'],
    [{ ...alarm, key: 'x'.repeat(64) }, 'key: must be a slug: a-z, 0-9, _ or -, at most 63 characters'],
    [{ ...alarm, message: { zh: '', en: 'x' } }, 'message.zh: must not be empty'],
    [{ ...alarm, message: { zh: 'x'.repeat(257), en: 'x' } }, 'message.zh: must be text of at most 256 characters'],
    [{ ...alarm, source: 'interlock:smoke' }, '(payload): Unrecognized key: "source"'],
    [{ ...alarm, origin: 'person:lin' }, 'origin: must be flow:<tab>/<node>, each at most 60 characters'],
    [{ ...notify, to: [] }, 'to: must name somebody'],
    [{ ...notify, to: Array(17).fill('duty') }, 'to: must name at most 16'],
    [{ ...report, state: 'fine' }, expect.stringContaining('state: ')],
    [{ ask: 'door' }, 'ask: must be alarm, notify or report'],
    [{ ask: 'alarm', point: 'relay-1/relay_1' }, expect.stringContaining('key: ')],
    [
      { ...request, origin: `flow:${'t'.repeat(61)}/n` },
      'origin: must be flow:<tab>/<node>, each at most 60 characters',
    ],
    [{ ...request, origin: 'flow:a\n/b' }, 'origin: must be flow:<tab>/<node>, each at most 60 characters'],
    // Pollution of prototypes: keys that JSON.parse makes own properties are unknown keys like any other.
    [
      `{"point":"relay-1/relay_1","value":true,"priority":12,"seconds":1,"reason":"x","__proto__":{"priority":1}}`,
      expect.stringContaining('__proto__'),
    ],
    [{ ...request, constructor: { prototype: { priority: 1 } } }, expect.stringContaining('constructor')],
    [[], expect.stringContaining('(payload)')],
    ['null', expect.stringContaining('(payload)')],
    ['{"ask":', expect.stringContaining('must be JSON')],
  ])('is not %j', (body, message) => {
    expect(decodeWish(bytes(body))).toEqual({ ok: false, message });
  });
});

it('reads what core says of the calendar', () => {
  const body = { labels: ['open'], modes: ['exam'], next: 1_800_000_000_000 };
  expect(decodeCalendar(bytes(body))).toEqual({ ok: true, value: body });
  expect(decodeCalendar(bytes({ ...body, more: 1 })).ok).toBe(false);
});
