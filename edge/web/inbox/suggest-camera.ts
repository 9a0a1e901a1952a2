import { z } from 'zod';
import type { InboxLine } from '#edge/store/reader.ts';
import type { InboxView } from '../place-schemas.ts';
import { freeId } from './free-id.ts';

/* A camera that the camera process found, as a form to begin with: everything but who may log in. */

/** What `device.found` has written (core keeps the first 1,024 bytes). */
const found = z.object({
  host: z.string().min(1),
  port: z.int().min(1).max(65_535),
  path: z.string(),
  maker: z.string(),
  model: z.string(),
  fingerprint: z.string().nullable(),
});

const usualPath = '/onvif/device_service';

export function suggestCamera(
  line: InboxLine,
  taken: ReadonlySet<string>,
): NonNullable<InboxView['suggestion']> | null {
  const { data } = found.safeParse(parsed(line.excerpt));
  if (data === undefined) return null;
  const { host, port, path, maker, model, fingerprint } = data;
  return {
    id: freeId([maker, model].filter((word) => word !== '').join('-') || 'camera', taken, 'camera'),
    profile: 'camera/onvif-generic',
    address: {
      host: host.includes(':') ? `[${host}]` : host,
      port,
      ...(path === usualPath ? {} : { path }),
      username: '',
      password: '',
      ...(fingerprint === null ? {} : { tls: { fingerprint } }),
    },
  };
}

function parsed(excerpt: string): unknown {
  try {
    return JSON.parse(excerpt);
  } catch {
    return null;
  }
}
