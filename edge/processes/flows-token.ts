import { createHmac } from 'node:crypto';
import type { Site } from '#edge/runtime/site.ts';

/**
 * What the flows process shows the web process when it asks what was: there it is `process:flows`, which may look and do nothing
 * else. Made of the secret of this boot, which both know, and apart from it: whoever sees the one cannot open the editor with it.
 */
export function flowsToken(flowsSecret: string): string {
  return createHmac('sha256', flowsSecret).update('process:flows').digest('base64url');
}

/** Where our own processes reach the pages: the wildcard addresses are reached through loopback. */
export function pagesUrl({ http }: Pick<Site, 'http'>): string {
  const { host, port } = http;
  if (host === '::') return `http://[::1]:${port}`;
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
