import { readFile } from 'node:fs/promises';
import { delay } from '#edge/runtime/lifecycle.ts';

/* The hand of whoever set the demo up: over the HTTP API, as a person would do it. */

export interface DemoApi {
  /** Below /api/v1. Rejects with what the campus answers where it refuses. */
  ask(
    path: string,
    method?: 'GET' | 'POST' | 'PUT',
    type?: string,
    body?: string | Buffer<ArrayBuffer>,
  ): Promise<unknown>;
  post(path: string, body: object): Promise<unknown>;
}

const patience = 10_000;

/** Waits until the web process answers. `tokenFile`: the first start makes it. Rejects when `signal` says to stop. */
export async function openDemoApi(url: string, tokenFile: string, signal: AbortSignal): Promise<DemoApi> {
  while (!(await isUp(url, signal))) await delay(1_000, signal);
  const authorization = `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}`;
  const ask: DemoApi['ask'] = async (path, method = 'GET', type = '', body = undefined) => {
    const answer = await fetch(`${url}/api/v1/${path}`, {
      method,
      headers: { authorization, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
    });
    const text = await answer.text();
    if (!answer.ok)
      throw Object.assign(new Error(`${path}: ${answer.status} ${text.slice(0, 300)}`), { status: answer.status });
    return text === '' ? null : (JSON.parse(text) as unknown);
  };
  return { ask, post: (path, body) => ask(path, 'POST', 'application/json', JSON.stringify(body)) };
}

async function isUp(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) });
    return answer.status === 200;
  } catch {
    // It is still starting, or starts again.
    signal.throwIfAborted();
    return false;
  }
}
