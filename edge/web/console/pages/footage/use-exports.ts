import { useCallback, useEffect, useRef, useState } from 'react';
import type { z } from 'zod';
import type { exportSchema } from '../../../footage-schemas.ts';
import { ApiError, api } from '../../api.ts';

/* Exports that were asked for on this page: each goes on while somebody asks how it is. */

export type ExportView = z.infer<typeof exportSchema>;

export interface ExportWish {
  readonly cameras: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly unmasked: boolean;
  readonly why: string;
}

/** One of them as it is shown; `isGone`: the box has removed it. */
export interface ShownExport {
  readonly job: ExportView;
  readonly isGone: boolean;
}

const again = { running: 1_000, ready: 60_000 } as const;
const mostShown = 6;

export interface Exports {
  readonly exports: readonly ShownExport[];
  /** Throws ApiError. */
  start(wish: ExportWish): Promise<void>;
  discard(id: string): void;
}

export function useExports(): Exports {
  const [exports, setExports] = useState<readonly ShownExport[]>([]);
  const latest = useRef(exports);
  latest.current = exports;
  const put = useCallback((id: string, change: Partial<ShownExport>) => {
    setExports((before) => before.map((one) => (one.job.id === id ? { ...one, ...change } : one)));
  }, []);
  const ids = exports
    .filter(({ job, isGone }) => !isGone && job.state !== 'failed')
    .map(({ job }) => `${job.id} ${job.state === 'ready' ? 'ready' : 'running'}`)
    .join(',');
  useEffect(() => {
    const timers = ids
      .split(',')
      .filter((one) => one !== '')
      .map((one) => {
        const [id = '', state = ''] = one.split(' ');
        return setInterval(() => void ask(id, put), state === 'ready' ? again.ready : again.running);
      });
    return () => {
      for (const timer of timers) clearInterval(timer);
    };
  }, [ids, put]);
  const start = useCallback(async (wish: ExportWish) => {
    const job = await api.post<ExportView>('footage/exports', wish);
    setExports((before) => [{ job, isGone: false }, ...before].slice(0, mostShown));
  }, []);
  const discard = useCallback((id: string) => {
    setExports((before) => before.filter((one) => one.job.id !== id));
    void api.delete(`footage/exports/${id}`).catch(() => {}); // an export nobody asks for ends by itself
  }, []);
  return { exports, start, discard };
}

async function ask(id: string, put: (id: string, change: Partial<ShownExport>) => void): Promise<void> {
  try {
    put(id, { job: await api.get<ExportView>(`footage/exports/${id}`) });
  } catch (error) {
    // Anything else is asked again.
    if (error instanceof ApiError && error.status === 404) put(id, { isGone: true });
  }
}
