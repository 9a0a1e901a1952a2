import { z } from 'zod';
import { TokenBucket } from '#edge/bus/admission.ts';
import type { Commands } from '#edge/commands/commands.ts';
import type { AuditLine } from '#edge/domain/audit.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import { splitPointRef, uuidPattern } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import { describeIssues } from '#edge/runtime/site.ts';
import { type Batch, outboxLanes } from '#edge/store/batch.ts';
import {
  coreKinds,
  type DocumentKind,
  documentIdPattern,
  documentKinds,
  documentSchemas,
} from '#edge/store/documents.ts';
import type { Store } from '#edge/store/store.ts';
import { copyTarget } from './copy-target.ts';
import type { Inbound } from './inbound.ts';
import type { Judgement, Verdict } from './judgement.ts';
import { isPanicRule } from './panic-rules.ts';
import { asked, checked } from './rpc-params.ts';

const reason = z.string().min(1).max(200);

const requestParams = z.strictObject({
  ref: z.string().max(130),
  value: z.union([z.number(), z.boolean(), z.string().max(256)]).nullable(),
  priority: z.union([z.literal(8), z.literal(15)]),
  seconds: z.int().min(1).max(86_400),
  reason,
  ...asked,
});
const alarmId = z.string().regex(uuidPattern, 'must be the id of an alarm');
const acknowledgeParams = z.strictObject({ id: alarmId, note: z.string().max(500), ...asked });
const shelveParams = z.strictObject({ id: alarmId, minutes: z.int().min(1).max(480), reason, ...asked });
const unshelveParams = z.strictObject({ id: alarmId, ...asked });
/** `<rule>`, or `<rule>@<place>`. */
const resetParams = z.strictObject({ id: z.string().max(130), reason, ...asked });
const copyParams = z.strictObject({ file: z.string().max(1_000) });
const forgetParams = z.strictObject({ key: z.string().min(1).max(300) });
const documentParams = z
  .strictObject({
    // Rules have ways of their own: what two people must agree on is not simply put.
    kind: z.enum(documentKinds.filter((kind) => !coreKinds.includes(kind))),
    id: z.string().regex(documentIdPattern, 'must be 1 to 80 of A-Z, a-z, 0-9, _ and -'),
    body: z.record(z.string(), z.unknown()).nullable(),
    rev: z.int().min(0),
    ...asked,
    why: z.string().max(300),
    what: z.string().min(1).max(300).optional(),
  })
  .refine(({ body, rev }) => body !== null || rev > 0, 'there is nothing to remove at revision 0');
const watermarkParams = z.strictObject({ lane: z.enum(outboxLanes), epoch: z.int().min(0), watermark: z.int().min(0) });
const auditParams = z.strictObject({
  who: z.string().max(100),
  from: z.string().max(100),
  what: z.string().max(300),
  why: z.string().max(300),
  result: z.string().max(300),
});

/** What people write in flows gets out of its sandbox: it may say what was saved, and no line of its own choosing. */
const savedParams = z.strictObject({
  user: z.string().regex(/^(token:)?[\p{L}\p{N}_.@-]{1,64}$/u, 'must be a user of the editor'),
  deployment: z.string().max(250),
});
/** Deployments that are written at once, and then a second. */
const savedBurst = 60;
const savedPerSecond = 0.05;

export interface RpcMethodsOptions {
  readonly commands: Commands;
  readonly judgement: Judgement;
  readonly inbound: Inbound;
  readonly store: Pick<Store, 'outboxAcknowledge' | 'copy'>;
  /** Writes at once, or fails: for what may not be owed to the disk. */
  readonly append: (batch: Batch) => Promise<void>;
  /** The data folder. */
  readonly data: string;
  /** A document of this kind was changed, and that is on disk. */
  readonly onDocument?: (kind: DocumentKind) => void;
  readonly clock: Clock;
}

/** What our own processes may ask of core; each answers when its effect is on disk. */
export function createRpcMethods(options: RpcMethodsOptions): Readonly<Record<string, RpcMethod>> {
  const { commands, judgement, inbound, store, append, data, clock } = options;
  const saved = new TokenBucket(savedPerSecond, savedBurst, clock);
  const commit = (verdict: Verdict, line: Omit<AuditLine, 'time'>) =>
    inbound.commit({ ...verdict, audit: [...(verdict.audit ?? []), { ...line, time: clock.now() }] });
  return {
    request: checked(requestParams, async ({ ref, ...wish }) => {
      if (splitPointRef(ref) === null) throw new CodedError('POINT_NOT_FOUND', `"${ref}" is not <device>/<point>`);
      const id = newHappeningId(clock);
      const person = /^person:(.*)$/.exec(wish.who)?.[1];
      const whose = person === undefined ? {} : { person };
      return commands.request({ ...wish, ...whose, ref: ref as PointRef, id, client: 'web', time: clock.now() });
    }),

    'alarm.acknowledge': checked(acknowledgeParams, async ({ id, note, who, from }) => {
      const { alarm, verdict } = judgement.acknowledge(id, nameOf(who), note);
      await commit(verdict, {
        who,
        from,
        what: `alarm.acknowledge ${id} (${alarm.source})`,
        why: note,
        result: alarm.state,
      });
      return alarm;
    }),

    'alarm.shelve': checked(shelveParams, async ({ id, minutes, reason, who, from }) => {
      const { alarm, verdict } = judgement.shelve(id, minutes, nameOf(who), reason);
      const what = `alarm.shelve ${id} (${alarm.source}) for ${minutes} min`;
      await commit(verdict, { who, from, what, why: reason, result: alarm.state });
      return alarm;
    }),

    'alarm.unshelve': checked(unshelveParams, async ({ id, who, from }) => {
      const { alarm, verdict } = judgement.unshelve(id);
      const result = verdict.alarms === undefined ? 'it was not shelved' : alarm.state;
      await commit(verdict, { who, from, what: `alarm.unshelve ${id} (${alarm.source})`, why: '', result });
      return alarm;
    }),

    'interlock.reset': checked(resetParams, async ({ id, reason, who, from }) => {
      // It has a way of its own, for those who may: `emergency.reset`.
      if (isPanicRule(id)) throw new CodedError('FORBIDDEN', 'a one-key alarm is ended on its own page only');
      const { outcome, verdict } = judgement.reset(id, `reset by ${nameOf(who)}: ${reason}`);
      await commit(verdict, { who, from, what: `interlock.reset ${id}`, why: reason, result: outcome.message });
      return { reset: outcome.reset, message: outcome.message };
    }),

    'inbox.forget': checked(forgetParams, async ({ key }) => {
      await append({ forgetInbox: [key] });
      return {};
    }),

    'outbox.acknowledged': checked(watermarkParams, async ({ lane, epoch, watermark }) => {
      await store.outboxAcknowledge(lane, epoch, watermark);
      return {};
    }),

    'document.put': checked(documentParams, async ({ what, ...put }) => {
      const body = put.body === null ? null : bodyOf(put.kind, put.body);
      const words = what === undefined ? {} : { what };
      // Not owed when the disk refuses it: whoever set it is told that it is not set.
      await append({ documents: [{ ...put, ...words, body, time: clock.now() }] });
      options.onDocument?.(put.kind);
      return { rev: body === null ? 0 : put.rev + 1 };
    }),

    'store.copy': checked(copyParams, async ({ file }) => store.copy(await copyTarget(data, file))),

    'flows.saved': checked(savedParams, async ({ user, deployment }) => {
      if (saved.available() < 1) throw new CodedError('RPC_BUSY', 'more deployments than anybody makes');
      saved.spend(1);
      const line = { who: 'process:flows', from: 'flows', what: `flows.deploy ${deployment}`, why: `by ${user}` };
      await inbound.commit({ audit: [{ ...line, result: 'saved', time: clock.now() }] });
      return {};
    }),

    audit: checked(auditParams, async (entry) => {
      await inbound.commit({ audit: [{ ...entry, time: clock.now() }] });
      return {};
    }),
  };
}

/** How people's screens name him: a person by his id, a token as what it is. */
function nameOf(who: string): string {
  return who.replace(/^person:/, '');
}

function bodyOf(kind: DocumentKind, body: unknown): object {
  const parsed = documentSchemas[kind].safeParse(body);
  if (!parsed.success) throw new CodedError('RPC_PARAMS', `${kind}: ${describeIssues(parsed.error)}`);
  return parsed.data;
}
