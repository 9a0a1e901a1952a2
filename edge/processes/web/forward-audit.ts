import { resolve } from 'node:path';
import type { ChildContext } from '#edge/runtime/child.ts';
import type { Site } from '#edge/runtime/site.ts';
import { type AuditForward, type AuditSource, startAuditForward } from '#edge/web/audit-forward.ts';

/** Forwards the audit where the site names a syslog server; null where it names none. */
export async function forwardAudit(
  { site, data }: { readonly site: Pick<Site, 'syslog' | 'campus' | 'folder'>; readonly data: string },
  source: AuditSource,
  { clock, log }: Pick<ChildContext, 'clock' | 'log'>,
): Promise<AuditForward | null> {
  const { syslog } = site;
  if (syslog === null) return null;
  const { host, port, tls, ca } = syslog;
  const server = { host, port, tls, ca: ca === undefined ? null : resolve(site.folder, ca) };
  return startAuditForward({ server, campus: site.campus.id, source, data, clock, log });
}
