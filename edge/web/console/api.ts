import type { z } from 'zod';
import type * as web from '../schemas.ts';
import { fromHere } from './kit/download.tsx';
import { isSomebodyThere } from './kit/presence.ts';
import type { Language } from './kit/words.ts';
import { problemWords } from './problem-words.ts';

/*
 * The HTTP API as this page uses it: paths below `api/v1/`, JSON in and out, errors as ApiError. Every call ends within
 * `patience`. Shapes come from the schemas of the server.
 */

export type CampusView = z.infer<typeof web.campusSchema>;
export type PointView = z.infer<typeof web.pointSchema>;
export type OutputView = z.infer<typeof web.outputSchema>;
export type AlarmView = z.infer<typeof web.alarmSchema>;
export type EventView = z.infer<typeof web.eventSchema>;
export type DeviceHealthView = z.infer<typeof web.deviceHealthSchema>;
export type ProcessView = z.infer<typeof web.processSchema>;
export type HistoryView = z.infer<typeof web.historySchema>;
export type RequestBody = z.input<typeof web.requestBodySchema>;
export type RequestResult = z.infer<typeof web.requestResultSchema>;
export type HealthView = z.infer<typeof web.healthSchema>;

export class ApiError extends Error {
  readonly status: number;
  /** In words: `forbidden`, `document-changed`; `unreachable` when nobody answered. */
  readonly code: string;
  /** 429: seconds until the next try is looked at. */
  readonly retryAfter: number | null;

  constructor(status: number, code: string, message: string, retryAfter: number | null = null) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

const patience = 15_000;
const session = { csrf: '', onSignedOut: (_error: ApiError) => {} };

/** What `me` said is sent back with everything that is not GET. */
export function setCsrf(csrf: string): void {
  session.csrf = csrf;
}

/** Called when an answer says that the session is over (401) or that a new password is due (403 `password-expired`). */
export function onSignedOut(listener: (error: ApiError) => void): void {
  session.onSignedOut = listener;
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, e.g. a picture; needs `type`. */
  readonly body?: Blob | string;
  readonly type?: string;
  /** Of a file only these bytes: `bytes=100-`. */
  readonly range?: string;
  readonly signal?: AbortSignal | undefined;
  /** ms; default 15 s. */
  readonly patience?: number;
}

/** The answer itself, for what is not JSON. Throws ApiError. `path` is below `api/v1/`. */
export async function call(path: string, options: CallOptions = {}): Promise<Response> {
  const headers = new Headers({ accept: 'application/json' });
  const method = options.method ?? 'GET';
  if (method !== 'GET') headers.set('x-csrf-token', session.csrf);
  // What the page asks for by itself is not a person: an idle session ends all the same.
  else if (!isSomebodyThere()) headers.set('x-campus-background', '1');
  const type = options.json === undefined ? options.type : 'application/json';
  if (type !== undefined) headers.set('content-type', type);
  if (options.range !== undefined) headers.set('range', options.range);
  const body = options.json === undefined ? options.body : JSON.stringify(options.json);
  const limit = AbortSignal.timeout(options.patience ?? patience);
  let response: Response;
  try {
    response = await fetch(fromHere(`api/v1/${path}`), {
      method,
      headers,
      credentials: 'same-origin',
      signal: options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]),
      ...(body === undefined ? {} : { body }),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, 'unreachable', error instanceof Error ? error.message : '');
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  // Trying to sign in is answered by the form itself.
  if (problem.status === 401 && path !== 'login') session.onSignedOut(problem);
  if (problem.code === 'password-expired') session.onSignedOut(problem);
  throw problem;
}

async function problemOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const said = typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {};
  const retryAfter =
    typeof said.retryAfter === 'number' ? said.retryAfter : Number(response.headers.get('retry-after'));
  return new ApiError(
    response.status,
    typeof said.error === 'string' ? said.error : 'failed',
    typeof said.message === 'string' ? said.message : response.statusText,
    retryAfter > 0 ? retryAfter : null,
  );
}

/** The shape is the server's own, checked there against the same schema; it is not checked again here. */
async function jsonOf<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

export const api = {
  get: async <T>(path: string, signal?: AbortSignal): Promise<T> => jsonOf<T>(await call(path, { signal })),
  post: async <T>(path: string, json: unknown = {}, options: CallOptions = {}): Promise<T> =>
    jsonOf<T>(await call(path, { ...options, method: 'POST', json })),
  put: async <T>(path: string, json: unknown): Promise<T> => jsonOf<T>(await call(path, { method: 'PUT', json })),
  patch: async <T>(path: string, json: unknown): Promise<T> => jsonOf<T>(await call(path, { method: 'PATCH', json })),
  delete: async <T>(path: string): Promise<T> => jsonOf<T>(await call(path, { method: 'DELETE' })),
};

/** A query string of what is there: `?from=1&to=2`; '' when nothing is. */
export function query(parts: Readonly<Record<string, string | number | boolean | null | undefined>>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(parts)) {
    if (value !== undefined && value !== null && value !== '') search.set(key, String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/** What went wrong, for people: our own words where we know the code, else that it failed. */
export function errorText(error: unknown, language: Language): string {
  const words = problemWords[language];
  if (!(error instanceof ApiError)) return words.failed;
  return Object.hasOwn(words, error.code) ? words[error.code as keyof typeof words] : words.failed;
}

/** For a form: our words, and of a weak password how it falls short (the server says it as `zh / en`). */
export function problemText(error: unknown, language: Language): string {
  const text = errorText(error, language);
  if (!(error instanceof ApiError)) return text;
  const [zh = '', en = ''] = error.message.split(' / ');
  if (error.code === 'weak-password' && en !== '') return language === 'zh' ? zh : en;
  return text;
}

/** The server's own sentence (English), which names what and where; shown as detail. */
export function errorDetail(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
