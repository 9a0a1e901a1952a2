import type { SoundClass } from '#edge/domain/broadcast.ts';
import type { BroadcastRecord, Delivery, DeliveryState } from '#edge/domain/delivery.ts';
import type { Emergency } from '#edge/domain/emergency.ts';
import type { Db } from './database.ts';

export interface BroadcastFilter {
  /** Asked for at from <= t < until, ms since epoch. */
  readonly from?: number;
  readonly until?: number;
  readonly class?: SoundClass;
  /** Only those that came to this on some loudspeaker. */
  readonly state?: DeliveryState;
  /** Only what is not over. */
  readonly isOpen?: boolean;
  /** Id of the last item of the page before. */
  readonly before?: string;
  readonly limit: number;
}

export interface EmergencyFilter {
  readonly open?: boolean;
  readonly limit: number;
}

const farthest = Number.MAX_SAFE_INTEGER;
type Asked = Record<string, string | number | null>;

/** Newest first. Bodies were written by this room from checked values: reading them back is the parse. */
export function soundReader(db: Db) {
  const bodies = <T>(sql: string): ((asked: Asked) => T[]) => {
    const statement = db.prepare<[Asked], string>(sql).pluck();
    return (asked) => statement.all(asked).map((text) => JSON.parse(text) as T);
  };
  const bodyOf = (table: string) => db.prepare<[string], string>(`SELECT body FROM ${table} WHERE id = ?`).pluck();
  const [one, emergency] = [bodyOf('broadcast'), bodyOf('emergency')];
  const parsed = <T>(text: string | undefined): T | null => (text === undefined ? null : (JSON.parse(text) as T));
  const timeOf = db.prepare<[string], number>('SELECT time FROM broadcast WHERE id = ?').pluck();
  const sounds = db.prepare<[], string>('SELECT body FROM sound ORDER BY id').pluck();
  const broadcasts = bodies<BroadcastRecord>(
    `SELECT body FROM broadcast WHERE (time, id) < (@time, @id) AND time >= @from AND (@class IS NULL OR class = @class)
       AND (@open = 0 OR over = 0) AND (@state IS NULL OR EXISTS (SELECT 1 FROM delivery WHERE item = broadcast.id AND state = @state))
     ORDER BY time DESC, id DESC LIMIT @limit`,
  );
  const deliveries = bodies<Delivery>('SELECT body FROM delivery WHERE item = @item ORDER BY ref LIMIT @limit');
  const between = bodies<Delivery>(
    `SELECT delivery.body FROM broadcast JOIN delivery ON delivery.item = broadcast.id
     WHERE broadcast.time >= @from AND broadcast.time < @until ORDER BY broadcast.time, delivery.ref LIMIT @limit`,
  );
  const emergencies = bodies<Emergency>(
    'SELECT body FROM emergency WHERE (@open IS NULL OR open = @open) ORDER BY time DESC, id DESC LIMIT @limit',
  );
  return {
    /** `StoredSound` of rules/sound.ts, as they were put. */
    sounds: (): unknown[] => sounds.all().map((text) => JSON.parse(text)),
    broadcasts: (
      { from = 0, until = farthest, before, class: soundClass, state, isOpen = false }: BroadcastFilter,
      limit: number,
    ) => {
      // Let go of meanwhile, and with it all that is older.
      const time = before === undefined ? until : timeOf.get(before);
      if (time === undefined) return [];
      const about = { class: soundClass ?? null, state: state ?? null, open: Number(isOpen) };
      return broadcasts({ time, id: before ?? '', from, ...about, limit });
    },
    broadcast: (id: string) => parsed<BroadcastRecord>(one.get(id)),
    deliveries: (item: string, limit: number) => deliveries({ item, limit }),
    deliveriesBetween: (from: number, until: number, limit: number) => between({ from, until, limit }),
    emergencies: ({ open }: EmergencyFilter, limit: number) =>
      emergencies({ open: open === undefined ? null : Number(open), limit }),
    emergency: (id: string) => parsed<Emergency>(emergency.get(id)),
  };
}
