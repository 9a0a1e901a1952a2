import { describe, expect, test } from 'vitest';
import {
  blankExample,
  fieldsOf,
  idFrom,
  inWay,
  parseAddress,
  valueAt,
  withoutEmpty,
  withValue,
} from '../../../edge/web/console/pages/inbox/address-form.ts';
import { bodyOf, firstDraft, mistakesOf, withProfile } from '../../../edge/web/console/pages/inbox/draft.ts';
import { adoptBody, type InboxView, type ProfileView } from '../../../edge/web/place-schemas.ts';

const profile = (protocol: string, addressExample: Record<string, unknown>): ProfileView => ({
  id: `kind/${protocol}`,
  name: { zh: protocol, en: protocol },
  kind: 'sensor',
  protocol,
  points: 1,
  outputs: 0,
  addressExample,
});
const line: InboxView = {
  key: 'zigbee2mqtt/leak-2',
  kind: 'unknown-device',
  client: 'zigbee2mqtt',
  topic: 'zigbee2mqtt/leak-2',
  message: '',
  excerpt: '{}',
  count: 1,
  first: 1,
  last: 1,
  ignored: false,
  suggestion: { id: 'leak-2', profile: 'sensor/zigbee-water-leak', address: { zigbee2mqtt: 'leak-2' } },
};

describe('an address as a form', () => {
  test('has a field for each value of the example, however deep, and hides what is secret', () => {
    const example = { tcp: { host: '192.0.2.10', port: 502 }, unit: 1, password: '', json: true, list: [1] };
    expect(fieldsOf(example)).toEqual([
      { path: 'tcp.host', kind: 'text' },
      { path: 'tcp.port', kind: 'number' },
      { path: 'unit', kind: 'number' },
      { path: 'password', kind: 'secret' },
      { path: 'json', kind: 'boolean' },
    ]);
  });

  test('is changed in copies, and what is left empty is left out', () => {
    const before = { tcp: { host: 'a', port: 502 } };
    expect(withValue(before, 'tcp.host', 'b')).toEqual({ tcp: { host: 'b', port: 502 } });
    expect(before.tcp.host).toBe('a');
    expect(withoutEmpty({ tcp: { host: '', port: null }, unit: 1, password: '' })).toEqual({ unit: 1 });
    expect(valueAt({}, 'tcp.host')).toBeUndefined();
  });

  test('begins without the hosts of documentation, which are nobody', () => {
    expect(blankExample({ tcp: { host: '192.0.2.10', port: 502 } })).toEqual({ tcp: { host: '', port: 502 } });
  });

  test('of Modbus keeps host and unit when the way changes', () => {
    const moved = inWay({ tcp: { host: '10.0.0.9', port: 502 }, unit: 7 }, 'rtuOverTcp');
    expect(moved).toEqual({ rtuOverTcp: { host: '10.0.0.9', port: 502, baud: 9_600 }, unit: 7 });
    expect(Object.keys(inWay(moved, 'serial'))).toEqual(['serial', 'unit']);
  });

  test('can be typed as JSON, but only an object is one', () => {
    expect(parseAddress('{"unit": 1}')).toEqual({ unit: 1 });
    for (const text of ['[1]', 'null', '{', '"x"']) expect(parseAddress(text), text).toBeNull();
  });
});

describe('adopting', () => {
  const zones = [{ id: 'gate' }, { id: 'canteen' }];

  test('begins with what the inbox guesses and says what is missing', () => {
    const draft = firstDraft(line, zones);
    expect(draft).toMatchObject({ id: 'leak-2', profile: 'sensor/zigbee-water-leak', zone: null });
    expect(mistakesOf(draft, new Set(['leak-2']))).toEqual(['nameNeeded', 'idTaken', 'zoneNeeded']);
    expect(bodyOf(draft, undefined)).toBeNull();
  });

  test('keeps the guessed address for another sensor profile, and begins anew for another protocol', () => {
    const draft = firstDraft(line, zones);
    expect(withProfile(draft, profile('mqtt', { zigbee2mqtt: 'x' }), line).address).toEqual({ zigbee2mqtt: 'leak-2' });
    expect(withProfile(draft, profile('modbus', { unit: 1 }), line).address).toEqual({ unit: 1 });
  });

  test('sends what the server takes, the Chinese name standing for a missing English one', () => {
    const body = bodyOf({ ...firstDraft(line, zones), zh: ' 锅炉房水浸 ', zone: 'gate' }, line.key);
    expect(adoptBody.parse(body)).toMatchObject({ name: { zh: '锅炉房水浸', en: '锅炉房水浸' }, inboxKey: line.key });
  });

  test.each([
    ['Meter 1F (east)', 'meter-1f-east'],
    ['__Pump', 'pump'],
    ['电表', ''],
  ])('makes of the name "%s" the id "%s"', (name, id) => {
    expect(idFrom(name)).toBe(id);
  });
});
