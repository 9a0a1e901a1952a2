import { expect, test } from 'vitest';
import type { BroadcastRecord, Delivery } from '#edge/domain/delivery.ts';
import type { Emergency } from '#edge/domain/emergency.ts';
import type { DeviceId, HappeningId } from '#edge/domain/ids.ts';
import type { Incident } from '#edge/domain/incident.ts';
import type { Clip } from '#edge/domain/recording.ts';
import { Debt } from '#edge/processes/core/debt.ts';
import type { Batch } from '#edge/store/batch.ts';
import { event, newId, start } from '../../fixtures/store/site.ts';

const incident = (id: HappeningId, rev: number): Incident => ({
  ...{
    id,
    state: 'new',
    class: 'high',
    zone: null,
    types: ['person'],
    devices: [],
    from: start,
    to: start,
    isClosed: false,
  },
  ...{
    events: [],
    count: rev,
    picture: null,
    claimedBy: null,
    seenBy: null,
    escalatesAt: null,
    outcome: null,
    note: '',
  },
  ...{ emergency: null, course: [], rev },
});
const clip = (id: string): Clip => ({
  ...{
    id,
    camera: 'camera-gate' as DeviceId,
    from: 0,
    to: 1,
    why: 'event',
    state: 'pending',
    isProtected: false,
    note: '',
  },
});

test('what the gatehouse brings is owed to a disk that refuses, in its newest form, until it is written', () => {
  const debt = new Debt();
  const [one, other] = [newId(), newId()];
  const patrol = { id: newId(), place: 'gate', time: start, who: 'card:1', name: '', way: 'card' as const, note: '' };
  debt.owe({ events: [event(start)], incidents: [incident(one, 1)], clips: [clip('a')], patrols: [patrol] }, 'camera');
  debt.owe({ incidents: [incident(one, 2), incident(other, 1)] }, '');
  expect(debt.isEmpty).toBe(false);
  const paid: Batch[] = [];
  const part = debt.next();
  if (part !== null) paid.push(part.batch);
  expect(paid[0]?.incidents).toEqual([incident(one, 2), incident(other, 1)]);
  expect(paid[0]).toMatchObject({ clips: [{ id: 'a' }], patrols: [patrol] });
  // It changed again while the disk wrote: the newer form is still owed.
  debt.owe({ incidents: [incident(other, 2)] }, '');
  part?.paid();
  expect(debt.next()?.batch).toEqual({ incidents: [incident(other, 2)] });
  // Written by another way.
  debt.forget({ incidents: [incident(other, 2)] });
  expect(debt.isEmpty).toBe(true);
  for (let i = 0; i < 20_010; i++) debt.owe({ clips: [clip(`clip-${i}`)] }, '');
  expect(debt.dropped).toBe(10);
});

test('an emergency, what sounded and where it was heard are owed, too', () => {
  const debt = new Debt();
  const emergency = { id: newId(), since: start, why: 'smoke' } as unknown as Emergency;
  const record = { item: { id: newId() }, over: null } as unknown as BroadcastRecord;
  const delivery = (state: string) => ({ item: record.item.id, output: 'a/clip', state }) as unknown as Delivery;
  debt.owe({ emergencies: [emergency], broadcasts: [record], deliveries: [delivery('sent')] }, '');
  const newer = { ...emergency, why: 'toast' };
  debt.owe({ emergencies: [newer], deliveries: [delivery('heard')] }, '');
  const part = debt.next();
  expect(part?.batch).toEqual({ emergencies: [newer], broadcasts: [record], deliveries: [delivery('heard')] });
  part?.paid();
  expect(debt.isEmpty).toBe(true);
  debt.owe({ emergencies: [emergency] }, '');
  debt.forget({ emergencies: [newer] });
  expect(debt.isEmpty).toBe(true);
});
