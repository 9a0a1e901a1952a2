import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';

/*
 * The process `media` answers on a socket below the data folder, to whoever knows the key of its present start. It knows files and
 * streams; who may see which is known here only.
 */

export interface MediaQuestion {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** ms until the answer begins. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
}

const usualPatience = 20_000;
const mostJson = 16_000_000;

export class MediaClient {
  readonly #data: string;
  /** Read again where media does not know it any more: it has started anew. */
  #key: string | null = null;

  constructor(data: string) {
    this.#data = data;
  }

  /** The answer as it begins; its body is the caller's to read or destroy. Throws MEDIA_AWAY, and what media says is wrong. */
  async ask(question: MediaQuestion): Promise<IncomingMessage> {
    const first = await this.#send(question);
    if (first.statusCode !== 403) return judged(first);
    first.destroy();
    this.#key = null;
    return judged(await this.#send(question));
  }

  /** Throws as `ask`. */
  async json(question: MediaQuestion): Promise<unknown> {
    return JSON.parse((await this.bytes(question)).toString('utf8'));
  }

  /** Throws as `ask`. */
  async bytes(question: MediaQuestion): Promise<Buffer> {
    return readAll(await this.ask(question));
  }

  async #send(question: MediaQuestion): Promise<IncomingMessage> {
    const { method = 'GET', path, headers = {}, body, patience = usualPatience, signal } = question;
    const key = await this.#readKey();
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          socketPath: join(this.#data, 'media.sock'),
          path,
          method,
          headers: {
            ...headers,
            'x-media-key': key,
            ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
          },
          ...(signal === undefined ? {} : { signal }),
          agent: false,
        },
        (response) => {
          clearTimeout(late);
          resolve(response);
        },
      );
      const late = setTimeout(() => sent.destroy(new Error(`no answer within ${patience} ms`)), patience);
      sent.on('error', (error) => {
        clearTimeout(late);
        reject(away(error));
      });
      sent.end(body);
    });
  }

  async #readKey(): Promise<string> {
    try {
      this.#key ??= (await readFile(join(this.#data, 'media.key'), 'utf8')).trim();
      return this.#key;
    } catch (error) {
      throw away(error);
    }
  }
}

async function judged(response: IncomingMessage): Promise<IncomingMessage> {
  const { statusCode = 500 } = response;
  if (statusCode < 400 || statusCode === 416) return response;
  const said: unknown = JSON.parse((await readAll(response)).toString('utf8'));
  const [code, message] = isProblem(said) ? [said.error, said.message] : ['MEDIA_AWAY', `media answers ${statusCode}`];
  throw new CodedError(code, message);
}

function isProblem(said: unknown): said is { readonly error: string; readonly message: string } {
  if (typeof said !== 'object' || said === null || !('error' in said) || !('message' in said)) return false;
  return typeof said.error === 'string' && typeof said.message === 'string';
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const late = setTimeout(() => response.destroy(new Error('the answer does not end')), usualPatience);
  try {
    for await (const chunk of response) {
      size += chunk.length;
      if (size > mostJson) throw away(new Error('the answer is too long'));
      chunks.push(chunk);
    }
  } catch (error) {
    throw away(error);
  } finally {
    clearTimeout(late);
  }
  return Buffer.concat(chunks, size);
}

function away(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  return new CodedError('MEDIA_AWAY', `video is not there now (${messageOf(error).replace(/'?\/\S+/g, '')})`, {
    cause: error,
  });
}
