import type { Clock } from '#edge/runtime/clock.ts';
import { createClockSync } from '#edge/runtime/clock-sync.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import { type AuditVerdict, verifyAudit } from '#edge/store/audit-chain.ts';
import { problems } from './schemas.ts';
import { collectFacts } from './security/facts.ts';
import { judgeAll } from './security/judge.ts';
import type { App, CampusView } from './server.ts';
import { ownVersion } from './system/describe.ts';
import { securitySchema } from './system-schemas.ts';
import { requireWholeCampus } from './whole-campus.ts';

/** A proof of the audit counts for so long here, ms; `/api/v1/audit/verify` always makes a new one. */
const verdictAge = 10 * 60_000;

/** What is met of the control points, judged from what is set now. */
export function addSecurityRoutes(app: App, campus: CampusView, clock: Clock): void {
  const clockSync = createClockSync({ clock });
  const verdict = keptVerdict(campus.data, clock);
  const version = ownVersion();

  app.get(
    '/api/v1/security',
    {
      config: { access: 'security' },
      schema: {
        tags: ['system'],
        summary:
          'The control points of GB/T 22239-2019 and its IoT extension: what is met, by what evidence, what to do',
        response: { ...problems(503), 200: securitySchema },
      },
    },
    async (request) => {
      requireWholeCampus(request);
      return judgeAll(await collectFacts({ campus, clock, clockSync, verdict, version }));
    },
  );
}

function keptVerdict(data: string, clock: Clock): () => Promise<AuditVerdict | null> {
  let known: { readonly at: number; readonly verdict: Promise<AuditVerdict | null> } | null = null;
  return () => {
    const now = clock.monotonic();
    if (known === null || now - known.at > verdictAge) known = { at: now, verdict: proveOrNull(data) };
    return known.verdict;
  };
}

/** What cannot be proved now (a database that is being brought up to date, a damaged one) is told as that. */
async function proveOrNull(data: string): Promise<AuditVerdict | null> {
  try {
    return await verifyAudit(data);
  } catch (error) {
    if (!codeOf(error).startsWith('STORE_')) throw error;
    return null;
  }
}
