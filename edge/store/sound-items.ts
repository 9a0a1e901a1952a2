import type { BroadcastRecord, Delivery } from '#edge/domain/delivery.ts';
import type { Emergency } from '#edge/domain/emergency.ts';
import type { Db } from './database.ts';

/* What sounded, where it was heard, and emergencies, as rows: upserts by key. */

/** id, body; null: it is over. */
type SoundRow = [string, string | null];
/** id, time, class, over, missed, body */
type BroadcastRow = [string, number, string, number, number, string];
/** item, ref, time, state, body */
type DeliveryRow = [string, string, number, string, string];
/** id, time, open, drill, body */
type EmergencyRow = [string, number, number, number, string];

export type SoundItem =
  | { readonly kind: 'sound'; readonly row: Readonly<SoundRow> }
  | { readonly kind: 'broadcast'; readonly row: Readonly<BroadcastRow> }
  | { readonly kind: 'delivery'; readonly row: Readonly<DeliveryRow> }
  | { readonly kind: 'emergency'; readonly row: Readonly<EmergencyRow> };

export function soundItem({ id, body }: { readonly id: string; readonly body: object | null }): SoundItem {
  return { kind: 'sound', row: [id, body === null ? null : JSON.stringify(body)] };
}

export function broadcastItem(record: BroadcastRecord): SoundItem {
  const { item, over, counts } = record;
  const missed = Number((counts.missed ?? 0) > 0);
  return {
    kind: 'broadcast',
    row: [item.id, item.since, item.class, Number(over !== null), missed, JSON.stringify(record)],
  };
}

export function deliveryItem(delivery: Delivery): SoundItem {
  const { item, output, state } = delivery;
  return { kind: 'delivery', row: [item, output, timeOfId(item), state, JSON.stringify(delivery)] };
}

/** A UUIDv7 says when it was made, ms: rows of one item go together. */
function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) || 0;
}

export function emergencyItem(one: Emergency): SoundItem {
  return {
    kind: 'emergency',
    row: [one.id, one.since, Number(one.cleared === null), Number(one.drill), JSON.stringify(one)],
  };
}

/** The statements, inside the caller's transaction. */
export function soundWriter(db: Db): (item: SoundItem) => void {
  const put = db.prepare<[string, string]>('INSERT OR REPLACE INTO sound VALUES (?, ?)');
  const forget = db.prepare<[string]>('DELETE FROM sound WHERE id = ?');
  const broadcast = db.prepare<BroadcastRow>('INSERT OR REPLACE INTO broadcast VALUES (?, ?, ?, ?, ?, ?)');
  const delivery = db.prepare<DeliveryRow>(
    `INSERT INTO delivery VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (item, ref) DO UPDATE SET state = excluded.state, body = excluded.body`,
  );
  const emergency = db.prepare<EmergencyRow>('INSERT OR REPLACE INTO emergency VALUES (?, ?, ?, ?, ?)');
  return (one) => {
    switch (one.kind) {
      case 'sound': {
        const [id, body] = one.row;
        if (body === null) forget.run(id);
        else put.run(id, body);
        return;
      }
      case 'broadcast':
        broadcast.run(...one.row);
        return;
      case 'delivery':
        delivery.run(...one.row);
        return;
      case 'emergency':
        emergency.run(...one.row);
        return;
    }
  };
}
