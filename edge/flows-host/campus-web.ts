import { z } from 'zod';
import { TokenBucket } from '#edge/bus/admission.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';

/** Where the web process answers, and as whom we ask: `process:flows`, which may look and do nothing else. */
export interface CampusWebAddress {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly token: string;
}

export interface Sample {
  /** ms since epoch. */
  readonly t: number;
  readonly value: number | boolean | string | null;
  readonly quality: string;
}

export interface Bucket {
  readonly t: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly last: number | null;
  readonly delta: number | null;
  readonly goodSeconds: number;
}

/** What flows may know of what was and of what there is: the database itself is not for them. */
export interface CampusWeb {
  /** Oldest first; of a long span the oldest are left out. */
  samples(ref: PointRef, from: number, to: number, tab: string): Promise<readonly Sample[]>;
  buckets(ref: PointRef, from: number, to: number, tab: string): Promise<readonly Bucket[]>;
  /** Ids of the loudspeakers; `zones`: 'all' or ids. Asked once a minute. */
  speakers(zones: 'all' | readonly string[], tab: string): Promise<readonly string[]>;
}

const timeout = 10_000;
/** Questions of one tab, and of all: at once, and then a second. */
const ofTab = { burst: 10, perSecond: 0.5 };
const ofAll = { burst: 20, perSecond: 4 };
const mostTabs = 500;
const mostSamples = 5_000;
const speakersKept = 60_000;

const value = z.union([z.number(), z.boolean(), z.string()]).nullable();
const number = z.number().nullable();
const samplesSchema = z.object({
  samples: z.array(z.object({ t: z.number(), value, quality: z.string() })),
  truncated: z.boolean(),
});
const bucketSchema = z.object({
  t: z.number(),
  min: number,
  max: number,
  mean: number,
  last: number,
  delta: number,
  goodSeconds: z.number(),
});
const bucketsSchema = z.object({ buckets: z.array(bucketSchema) });
const campusSchema = z.object({
  devices: z.array(z.object({ id: z.string(), zone: z.string(), kind: z.string() })),
});
const problemSchema = z.object({ message: z.string() });

export function openCampusWeb({ url, token }: CampusWebAddress, clock: Clock): CampusWeb {
  const all = new TokenBucket(ofAll.perSecond, ofAll.burst, clock);
  const tabs = new Map<string, TokenBucket>();
  let speakers: { readonly at: number; readonly known: readonly { id: string; zone: string }[] } | null = null;

  function spend(tab: string): void {
    const own = tabs.get(tab) ?? new TokenBucket(ofTab.perSecond, ofTab.burst, clock);
    if (tabs.size >= mostTabs) tabs.clear();
    tabs.set(tab, own);
    if (own.available() < 1)
      throw new CodedError('FLOWS_BUSY', 'this tab asks for the past too often: once in two seconds');
    if (all.available() < 1) throw new CodedError('FLOWS_BUSY', 'all tabs together ask for the past too often');
    own.spend(1);
    all.spend(1);
  }

  async function get<T>(path: string, schema: z.ZodType<T>, tab: string): Promise<T> {
    spend(tab);
    try {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`${url}/api/v1/${path}`, { headers, signal: AbortSignal.timeout(timeout) });
      const body: unknown = await answer.json();
      if (answer.ok) return schema.parse(body);
      const { message } = problemSchema.parse(body);
      throw new CodedError('FLOWS_REFUSED', message);
    } catch (error) {
      if (error instanceof CodedError) throw error;
      throw new CodedError('FLOWS_NO_ANSWER', `the web process does not answer: ${messageOf(error)}`, { cause: error });
    }
  }

  const pathOf = (ref: PointRef, query: Record<string, string | number>): string => {
    const parts = splitPointRef(ref);
    if (parts === null) throw new CodedError('FLOWS_BAD_REQUEST', `"${ref}" is not <device>/<point>`);
    const words = Object.entries(query).map(([key, one]) => `${key}=${one}`);
    return `points/${parts.device}/${parts.point}/history?${words.join('&')}`;
  };

  return {
    async samples(ref, from, to, tab) {
      const ask = (since: number) =>
        get(pathOf(ref, { from: since, to, step: 'raw', limit: mostSamples }), samplesSchema, tab);
      const found = await ask(from);
      if (!found.truncated) return found.samples;
      // The answer is cut at its newer end: of what is too much the newest part counts.
      const first = found.samples[0]?.t ?? from;
      const last = found.samples.at(-1)?.t ?? to;
      const each = Math.max(1, (last - first) / mostSamples);
      const { samples } = await ask(Math.max(from, Math.floor(to - each * mostSamples * 0.8)));
      return samples;
    },
    buckets: async (ref, from, to, tab) =>
      (await get(pathOf(ref, { from, to, step: 'auto', buckets: 500 }), bucketsSchema, tab)).buckets,
    async speakers(zones, tab) {
      if (speakers === null || clock.monotonic() - speakers.at > speakersKept) {
        const { devices } = await get('campus', campusSchema, tab);
        speakers = { at: clock.monotonic(), known: devices.filter(({ kind }) => kind === 'speaker') };
      }
      return speakers.known.filter(({ zone }) => zones === 'all' || zones.includes(zone)).map(({ id }) => id);
    },
  };
}
