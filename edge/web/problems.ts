import type { FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { RetryLater } from './people/retry-later.ts';
import type { App } from './server.ts';

/** Core or the store is not there now: ask again. */
const away = new Set([
  'RPC_AWAY',
  'RPC_BUSY',
  'TIMEOUT',
  'STORE_NOT_READY',
  'STORE_NEWER',
  'STORE_STUCK',
  'STREAMS_FULL',
  'FLOWS_AWAY',
  'MEDIA_AWAY',
  'MEDIA_BUSY',
  'MEDIA_NO_FFMPEG',
  'SPEECH_AWAY',
]);
/** Something is broken on our side, in words a person can act on. */
const broken = new Set([
  'STORE_IO',
  'STORE_CORRUPT',
  'STORE_BAD_BLOCK',
  'STORE_BAD_DOCUMENT',
  'RPC_FAILED',
  'PASSWORD_HASH',
  'SEAL_BROKEN',
  'FFMPEG_FAILED',
]);
const byCode: Readonly<Record<string, number>> = {
  UNAUTHORIZED: 401,
  WRONG_CREDENTIALS: 401,
  TOTP_NEEDED: 401,
  FORBIDDEN: 403,
  WRONG_SETUP_CODE: 403,
  RULE_NEEDS_PERSON: 403,
  RULE_SAME_PERSON: 403,
  RULE_INVALID: 400,
  CAP_INVALID: 400,
  WEAK_PASSWORD: 400,
  WRONG_CODE: 400,
  LOCKED: 429,
  TOO_MANY_REQUESTS: 429,
};

/** Every error answer is `{error, message}`: a code in words, and a sentence that names what and where. */
export function addErrorHandler(
  app: App,
  log: Log,
  onProblem: (request: FastifyRequest, problem: Problem) => void = () => {},
): void {
  app.setNotFoundHandler(async (request, reply) =>
    reply.code(404).send({ error: 'no-such-route', message: `there is no ${request.method} ${request.url}` }),
  );
  app.setErrorHandler(async (error, request, reply) => {
    const { status, ...problem } = describe(error);
    onProblem(request, { status, ...problem });
    if (status === 500) log.error({ error, url: request.url }, 'http request failed');
    if (status === 503) reply.header('retry-after', '2');
    if (problem.retryAfter !== undefined) reply.header('retry-after', String(problem.retryAfter));
    // What it was going to be (a picture) it is not any more.
    return reply.removeHeader('cache-control').type('application/json').code(status).send(problem);
  });
}

export interface Problem {
  readonly status: number;
  readonly error: string;
  readonly message: string;
  /** s, with 429. */
  readonly retryAfter?: number;
}

function describe(error: unknown): Problem {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const where = error.validationContext ?? 'request';
    const mistakes = error.validation.map(
      (issue) => `${where}${issue.instancePath.replaceAll('/', '.')}: ${issue.message}`,
    );
    return { status: 400, error: 'bad-request', message: mistakes.join('; ') };
  }
  if (error instanceof CodedError) {
    const problem = { status: statusOfCode(error.code), error: inWords(error.code), message: error.message };
    return error instanceof RetryLater ? { ...problem, retryAfter: error.retryAfter } : problem;
  }
  const status = statusOf(error);
  const message = status >= 500 ? 'internal error: see the log' : messageOf(error);
  return { status, error: inWords(codeOf(error)) || 'failed', message };
}

function statusOfCode(code: string): number {
  const known = byCode[code];
  if (known !== undefined) return known;
  if (away.has(code)) return 503;
  if (broken.has(code)) return 500;
  if (code.endsWith('_NOT_FOUND')) return 404;
  return code.startsWith('BAD_') || code === 'RPC_PARAMS' ? 400 : 409;
}

function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? Number(error.statusCode) : 500;
  return status >= 400 && status < 600 ? status : 500;
}

function inWords(code: string): string {
  return code.toLowerCase().replaceAll('_', '-');
}
