import { z } from 'zod';

/* What a Snapcast server says of itself (`Server.GetStatus`); of what it says more nothing is read. */

const text = z.string().max(200);
const client = z.object({
  id: text,
  connected: z.boolean(),
  config: z.object({
    name: text.optional(),
    volume: z.object({ muted: z.boolean(), percent: z.number().min(0).max(100) }),
  }),
  host: z.object({ name: text.optional() }).optional(),
  lastSeen: z.object({ sec: z.number(), usec: z.number() }).optional(),
});
const group = z.object({ id: text, muted: z.boolean(), stream_id: text, clients: z.array(client).max(1_000) });
const answer = z.object({
  server: z.object({
    groups: z.array(group).max(1_000),
    streams: z.array(z.object({ id: text, status: text })).max(200),
  }),
});

export interface SnapClient {
  readonly id: string;
  /** What people call it. */
  readonly name: string;
  readonly isConnected: boolean;
  readonly isMuted: boolean;
  /** 0 to 100. */
  readonly volume: number;
  /** When the server heard it last, by the server's clock; '': it does not say. */
  readonly seen: string;
}

export interface SnapGroup {
  readonly id: string;
  readonly isMuted: boolean;
  readonly stream: string;
  readonly clients: readonly SnapClient[];
}

export interface SnapStatus {
  readonly groups: readonly SnapGroup[];
  /** `idle`, `playing`, ... by the name of the stream. */
  readonly streams: ReadonlyMap<string, string>;
}

/** null: it is not what a Snapcast server says. */
export function readStatus(said: unknown): SnapStatus | null {
  const read = answer.safeParse(said);
  if (!read.success) return null;
  const { groups, streams } = read.data.server;
  return {
    streams: new Map(streams.map(({ id, status }) => [id, status])),
    groups: groups.map((one) => ({
      ...{ id: one.id, isMuted: one.muted, stream: one.stream_id },
      clients: one.clients.map(({ id, connected, config, host, lastSeen }) => ({
        ...{ id, isConnected: connected, isMuted: config.volume.muted, volume: config.volume.percent },
        seen: lastSeen === undefined ? '' : `${lastSeen.sec}.${lastSeen.usec}`,
        name: [config.name, host?.name, id].find((word) => word !== undefined && word !== '') ?? id,
      })),
    })),
  };
}
