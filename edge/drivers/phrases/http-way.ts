import { CodedError, messageOf } from '#edge/runtime/errors.ts';

/** More of an answer is not read. */
const longestAnswer = 65_536;

export interface HttpTalk {
  /** Address of the site file and path of the profile, filled. */
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly type: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** ms */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** Says it and is through when the other side says 2xx, and holds `expect` where something is expected. Throws PHRASES_*. */
export async function sayOverHttp(bytes: Buffer, expect: Buffer | null, talk: HttpTalk): Promise<void> {
  const { url, method, type, username, password, timeout, signal } = talk;
  const credentials = Buffer.from(`${username}:${password ?? ''}`).toString('base64');
  const authorization = username === undefined ? `Bearer ${password}` : `Basic ${credentials}`;
  const answer = await reach(url, {
    method,
    // Whoever is sent elsewhere would take the password along.
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
    headers: {
      ...(method === 'GET' ? {} : { 'content-type': type }),
      ...(username === undefined && password === undefined ? {} : { authorization }),
    },
    ...(method === 'GET' ? {} : { body: new Uint8Array(bytes) }),
  });
  const { host } = new URL(url);
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new CodedError('PHRASES_OTHER', `${host} answers ${answer.status}`);
  }
  const said = await beginningOf(answer);
  if (expect !== null && !said.includes(expect))
    throw new CodedError('PHRASES_OTHER', `${host} answers ${JSON.stringify(said.toString('utf8').slice(0, 60))}`);
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    throw new CodedError('PHRASES_SILENT', `${new URL(url).host} did not answer: ${cause}`, { cause: error });
  }
}

async function beginningOf(answer: Response): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of answer.body ?? []) {
      parts.push(part);
      length += part.length;
      // Leaving the loop ends the body.
      if (length >= longestAnswer) break;
    }
  } catch (error) {
    throw new CodedError('PHRASES_SILENT', `its answer was torn: ${messageOf(error)}`, { cause: error });
  }
  return Buffer.concat(parts);
}
