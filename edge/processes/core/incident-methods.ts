import { z } from 'zod';
import type { DeviceId } from '#edge/domain/ids.ts';
import { slugPattern, uuidPattern } from '#edge/domain/ids.ts';
import { incidentOutcomes } from '#edge/domain/incident.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { ClipDesk } from './clips.ts';
import type { KeptFootage } from './clips-kept.ts';
import type { CaseDesk } from './incident-cases.ts';
import type { IncidentDesk } from './incident-desk.ts';
import type { PanicDesk } from './panic.ts';
import type { PatrolDesk } from './patrol-desk.ts';
import { asked, checked } from './rpc-params.ts';

/** Whoever is named in a hand-over is named as he was called then. */
const person = { ...asked, name: z.string().min(1).max(100) };
const id = z.string().regex(uuidPattern, 'must be an id');
const slug = z.string().regex(slugPattern);
const text = z.string().max(2_000);
const why = z.string().min(1).max(500);
const outcome = z.enum(incidentOutcomes);
const camera = slug.transform((device) => device as DeviceId);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const nothing = z.strictObject({});

/** Of footage, ms since epoch, end exclusive. */
const span = { begin: z.int().min(0), end: z.int().min(0) };
const mark = { camera, ...span, note: z.string().max(500) };
/** Most that are marked as seen at once. */
const mostSeen = 2_000;

export interface IncidentMethodsOptions {
  readonly incidents: IncidentDesk;
  readonly clips: ClipDesk;
  readonly kept: KeptFootage;
  /** Of the database: another one remembers other things. Throws what the reader throws. */
  readonly epoch: () => number;
  readonly cases: CaseDesk;
  readonly panic: PanicDesk;
  readonly patrols: PatrolDesk;
  readonly commit: (batch: Batch) => Promise<void>;
  readonly clock: Clock;
}

/** What people do at the gatehouse; each answers when it is on disk. See docs/architecture.md. */
export function createIncidentMethods(options: IncidentMethodsOptions): Readonly<Record<string, RpcMethod>> {
  return { ...incidentMethods(options), ...footageMethods(options), ...caseMethods(options), ...guardMethods(options) };
}

function incidentMethods({ incidents, clips }: IncidentMethodsOptions): Readonly<Record<string, RpcMethod>> {
  const seeParams = z.strictObject({ ids: z.array(id).min(1).max(mostSeen), ...person });
  const claimParams = z.strictObject({ id, take: z.boolean(), ...person });
  const noteParams = z.strictObject({ id, note: text, ...person });
  const whyParams = z.strictObject({ id, reason: why, ...person });
  const resolveParams = z.strictObject({ id, outcome, note: text, ...person });
  const mergeParams = z.strictObject({ id, part: id, ...person });
  const bookmarkParams = z.strictObject({ id, ...mark, ...person });
  return {
    'incident.see': checked(seeParams, async ({ ids, ...who }) => ({ seen: await incidents.see(ids, who) })),
    'incident.claim': checked(claimParams, ({ id: of, take, ...who }) =>
      incidents.act(of, { act: take ? 'take' : 'claim' }, who),
    ),
    'incident.release': checked(noteParams, ({ id: of, note, ...who }) =>
      incidents.act(of, { act: 'release', text: note }, who),
    ),
    'incident.note': checked(noteParams, ({ id: of, note, ...who }) =>
      incidents.act(of, { act: 'note', text: note }, who),
    ),
    'incident.escalate': checked(whyParams, ({ id: of, reason, ...who }) =>
      incidents.act(of, { act: 'escalate', text: reason }, who),
    ),
    'incident.resolve': checked(resolveParams, ({ id: of, note, outcome: came, ...who }) =>
      incidents.act(of, { act: 'resolve', outcome: came, text: note }, who),
    ),
    'incident.reopen': checked(whyParams, ({ id: of, reason, ...who }) =>
      incidents.act(of, { act: 'reopen', text: reason }, who),
    ),
    'incident.merge': checked(mergeParams, ({ id: of, part, ...who }) => incidents.merge(of, part, who)),
    'incident.bookmark': checked(bookmarkParams, async ({ id: of, camera: at, begin, end, note, ...who }) => {
      const clip = clips.mark(at, { from: begin, to: end }, note, incidents.find(of).id);
      const what = `${at} ${new Date(begin).toISOString()} ${Math.round((end - begin) / 1000)} s`;
      const said = note === '' ? what : `${what}: ${note}`;
      const more = { clips: [clip], audit: [clips.markLine(clip, who)] };
      await incidents.act(of, { act: 'bookmark', text: said }, who, more);
      return clip;
    }),
  };
}

function footageMethods(options: IncidentMethodsOptions): Readonly<Record<string, RpcMethod>> {
  const { clips, kept, epoch, commit, clock } = options;
  const place = z.strictObject({ edition: z.int().min(0), from: z.int().min(0) });
  const keptParams = z.strictObject({ age: z.number().optional(), place: place.nullable().optional() });
  return {
    'clip.mark': checked(z.strictObject({ ...mark, ...person }), async ({ camera: at, begin, end, note, ...who }) => {
      const clip = clips.mark(at, { from: begin, to: end }, note);
      await commit({ clips: [clip], audit: [clips.markLine(clip, who)] });
      return clip;
    }),
    'clip.unprotect': checked(z.strictObject({ id, reason: why, ...person }), ({ id: of, reason, ...who }) =>
      clips.unprotect(of, reason, who),
    ),
    // A clock that runs ahead here has ended nothing for media, which knows how late it surely is.
    'footage.protected': checked(keptParams, async ({ age, place = null }) => ({
      ...(await kept.page(Math.min(clock.now(), age ?? Number.POSITIVE_INFINITY), place)),
      epoch: epoch(),
    })),
  };
}

function caseMethods({ cases }: IncidentMethodsOptions): Readonly<Record<string, RpcMethod>> {
  const beginParams = z.strictObject({
    incident: id,
    cameras: z.array(camera).max(64),
    ...span,
    masked: z.boolean(),
    reason: why,
    ...person,
  });
  const message = z.string().max(1_000);
  const endParams = z.strictObject({
    id,
    result: z.discriminatedUnion('ok', [
      z.strictObject({ ok: z.literal(true), sha256: digest, manifest: digest, bytes: z.int().min(0), message }),
      z.strictObject({ ok: z.literal(false), message }),
    ]),
  });
  return {
    'case.begin': checked(beginParams, ({ incident, cameras, begin, end, masked, reason, ...who }) =>
      cases.begin({ incident, cameras, footage: { from: begin, to: end }, masked, reason }, who),
    ),
    'case.end': checked(endParams, ({ id: of, result }) => cases.end(of, result)),
    'case.release': checked(z.strictObject({ id, reason: why, ...person }), ({ id: of, reason, ...who }) =>
      cases.release(of, reason, who),
    ),
  };
}

function guardMethods({ panic, patrols }: IncidentMethodsOptions): Readonly<Record<string, RpcMethod>> {
  const resetParams = z.strictObject({ id: slug, outcome, reason: why, ...person });
  const token = z.string().max(100).nullable();
  const checkInParams = z.strictObject({ place: slug, token, note: z.string().max(500), ...person });
  const renewParams = z.strictObject({ place: slug, reason: why, ...person });
  return {
    'emergency.list': checked(nothing, async () => ({ buttons: panic.list() })),
    'emergency.reset': checked(resetParams, ({ id: of, outcome: came, reason, ...who }) =>
      panic.reset(of, { outcome: came, reason }, who),
    ),
    'patrol.check-in': checked(checkInParams, ({ place, token: shown, note, ...who }) =>
      patrols.checkIn(place, shown, note, who),
    ),
    'patrol.code': checked(z.strictObject({ place: slug }), async ({ place }) => ({ token: patrols.code(place) })),
    'patrol.renew': checked(renewParams, async ({ place, reason, ...who }) => ({
      token: await patrols.renew(place, reason, who),
    })),
  };
}
