/*
 * Topics between campus and city. At most seven levels and none of `.` ` ` `$` `*` `>`, so that a mapping to NATS stays
 * possible. The district is not in them: schools are merged and moved; the city maps campus to district itself.
 *
 *   cc/1/{shard}/{campus}/u/{lane}   frames up; `u/hello` opens and refreshes a session
 *   cc/1/{shard}/{campus}/s          snapshot of latest values, not acknowledged (reserved)
 *   cc/1/{shard}/{campus}/d/{word}   down: ack (also carries nack), cfg, cmd, req
 *   cc/1/{shard}/{campus}/w          last will {session}
 */
const root = 'cc/1';
export const shardCount = 64;

export type DownWord = 'ack' | 'cfg' | 'cmd' | 'req';

/** The shard of a campus, fixed for ever: FNV-1a (32 bit) of its id modulo 64. Ingest workers own shards. */
export function shardOf(campus: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(campus)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return (hash >>> 0) % shardCount;
}

export interface CampusAddress {
  readonly shard: number;
  readonly campus: string;
}

function base({ shard, campus }: CampusAddress): string {
  return `${root}/${shard}/${campus}`;
}

export function upTopic(address: CampusAddress, lane: string): string {
  return `${base(address)}/u/${lane}`;
}

export function snapshotTopic(address: CampusAddress): string {
  return `${base(address)}/s`;
}

export function willTopic(address: CampusAddress): string {
  return `${base(address)}/w`;
}

export function downTopic(address: CampusAddress, word: DownWord): string {
  return `${base(address)}/d/${word}`;
}

/** What a campus may publish and subscribe: nothing of any other campus. */
export function campusFilters(address: CampusAddress): { readonly publish: string[]; readonly subscribe: string[] } {
  return {
    publish: [upTopic(address, '+'), snapshotTopic(address), willTopic(address)],
    subscribe: [`${base(address)}/d/+`],
  };
}

export type UpTopic =
  | (CampusAddress & { readonly kind: 'lane'; readonly lane: string })
  | (CampusAddress & { readonly kind: 'hello' | 'snapshot' | 'will' });

/** Takes a topic from a campus apart; null when it is not one of ours or its shard is not the campus's. */
export function parseUpTopic(topic: string): UpTopic | null {
  const match = /^cc\/1\/(\d{1,2})\/(\d{10})\/(?:u\/([a-z0-9]{1,32})|([sw]))$/.exec(topic);
  if (match === null) return null;
  const [, shardText, campus = '', lane, letter] = match;
  const shard = Number(shardText);
  if (shard !== shardOf(campus)) return null;
  if (lane === 'hello') return { shard, campus, kind: 'hello' };
  if (lane !== undefined) return { shard, campus, kind: 'lane', lane };
  return { shard, campus, kind: letter === 's' ? 'snapshot' : 'will' };
}
