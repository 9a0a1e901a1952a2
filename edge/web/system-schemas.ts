import { z } from 'zod';

/* The shapes of the box itself: processes, disk, clock, bridge, logs, back-ups, audit, and what is met of the control points. */

const time = z.number();
const name = z.object({ zh: z.string(), en: z.string() });

/** GET /api/v1/now (any signed-in person): the top bar. */
export const nowSchema = z.object({
  time,
  timeZone: z.string(),
  /** null: nothing on this box can say whether its clock is set by anyone. */
  clockSynchronised: z.boolean().nullable(),
  /** From the opening hours; the school calendar will say more. */
  day: z.object({ open: z.boolean(), why: z.enum(['weekday', 'weekend', 'exception']) }),
  mode: z.enum(['normal']),
  /** null: this campus reports to nobody. Rows not yet taken by the city, and the age (ms) of the oldest. */
  bridge: z.object({ backlog: z.number().int(), oldest: z.number().nullable() }).nullable(),
});
export type NowView = z.infer<typeof nowSchema>;

/** GET /api/v1/system */
export const systemSchema = z.object({
  version: z.string(),
  node: z.string(),
  platform: z.string(),
  /** ms since the box and since this software started. */
  bootTime: time,
  startTime: time,
  cpus: z.number().int(),
  load: z.array(z.number()),
  memory: z.object({ total: z.number(), free: z.number() }),
  disk: z.object({ total: z.number(), free: z.number(), floor: z.number() }),
  database: z.object({
    bytes: z.number(),
    limit: z.number(),
    schema: z.number().int(),
    epoch: z.number().int(),
    created: time,
  }),
  folders: z.array(z.object({ name: z.string(), bytes: z.number(), files: z.number().int() })),
  clock: z.object({ time, synchronised: z.boolean().nullable(), source: z.string() }),
  lanes: z.array(
    z.object({
      lane: z.string(),
      head: z.number().int(),
      watermark: z.number().int(),
      waiting: z.number().int(),
    }),
  ),
  gaps: z.array(
    z.object({ lane: z.string(), first: z.number().int(), last: z.number().int(), time, reason: z.string() }),
  ),
  certificate: z
    .object({ subject: z.string(), fingerprint: z.string(), expires: time, selfSigned: z.boolean() })
    .nullable(),
  processes: z.array(
    z.object({
      name: z.string(),
      state: z.string(),
      restarts: z.number().int(),
      since: time,
      lastExit: z.string().nullable(),
      rss: z.number().nullable(),
      loopDelay: z.number().nullable(),
    }),
  ),
});
export type SystemView = z.infer<typeof systemSchema>;
export type CertificateView = NonNullable<SystemView['certificate']>;

/** GET /api/v1/logs?process=&level=&before=&limit= newest first. */
export const logSchema = z.object({
  lines: z.array(
    z.object({
      time,
      level: z.enum(['debug', 'info', 'warn', 'error']),
      process: z.string(),
      message: z.string(),
      fields: z.record(z.string(), z.unknown()),
    }),
  ),
  /** Ask again with this as `before`; null: that was the oldest. */
  before: z.string().nullable(),
});
export type LogView = z.infer<typeof logSchema>;

/** GET /api/v1/backups, POST /api/v1/backups {} -> the new one. GET /api/v1/backups/:name fetches the file. */
export const backupSchema = z.object({ name: z.string(), time, bytes: z.number() });
export type BackupView = z.infer<typeof backupSchema>;
/** What POST answers: `notice` says that it holds secrets. */
export const backupMadeSchema = backupSchema.extend({ notice: name });

/** GET /api/v1/audit?before=&limit=&who=&what=&from=&to= newest first. GET /api/v1/audit.csv?who=&what=&from=&to=&lang= */
export const auditPageSchema = z.object({
  lines: z.array(
    z.object({
      seq: z.number().int(),
      time,
      who: z.string(),
      from: z.string(),
      what: z.string(),
      why: z.string(),
      result: z.string(),
    }),
  ),
  before: z.number().int().nullable(),
});
export type AuditPage = z.infer<typeof auditPageSchema>;

/** GET /api/v1/audit/verify */
export const auditVerdictSchema = z.object({
  ok: z.boolean(),
  lines: z.number().int(),
  /** First seq that does not fit, and how; empty when ok. */
  faults: z.array(z.object({ seq: z.number().int(), message: z.string() })),
  oldest: time.nullable(),
  head: z.string(),
});
export type AuditVerdict = z.infer<typeof auditVerdictSchema>;

/** GET /api/v1/security: the control points of GB/T 22239-2019 and its IoT extension, and what this campus shows for each. */
export const securitySchema = z.object({
  checked: time,
  /** What this is and what it is not. */
  notice: name,
  points: z.array(
    z.object({
      id: z.string(),
      group: name,
      title: name,
      state: z.enum(['met', 'partly', 'not-met', 'outside']),
      /** What was looked at just now, and what it was. */
      evidence: name,
      /** What to do; empty when met. */
      next: name,
    }),
  ),
});
export type SecurityView = z.infer<typeof securitySchema>;
