import { plain } from './phrases.js';
import { knows, say, state } from './state.js';

/* The page is a client of the API like any other. */

export class Problem extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** In the language of the page. */
  get words() {
    if (knows(`problem:${this.code}`)) return say(`problem:${this.code}`);
    return `${say('problem:failed')} · ${plain(this.message)}`;
  }
}

export async function api(path, options = {}) {
  const headers = { authorization: `Bearer ${state.token}`, ...options.headers };
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  let response;
  try {
    response = await fetch(path, { signal: AbortSignal.timeout(15_000), ...options, headers });
  } catch (error) {
    throw new Problem(0, 'unreachable', error.message);
  }
  if (response.ok) return response;
  const { error = 'failed', message = response.statusText } = await response.json().catch(() => ({}));
  throw new Problem(response.status, error, message);
}

export const get = async (path) => (await api(path)).json();

export const post = async (path, body) => (await api(path, { method: 'POST', body: JSON.stringify(body) })).json();

/** Reads server-sent events with fetch, because EventSource cannot send the token. Ends when the stream does. */
export async function listen({ lastEventId, onOpen, onMessage }) {
  const ending = new AbortController();
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const response = await api('/api/v1/stream', { headers, signal: ending.signal });
  onOpen();
  // The server says something every 15 s: silence means that the connection is dead without having ended.
  let watchdog = setTimeout(() => ending.abort(), 40_000);
  try {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(watchdog);
      watchdog = setTimeout(() => ending.abort(), 40_000);
      const frames = (rest + value).split('\n\n');
      rest = frames.pop();
      for (const frame of frames) {
        const kind = /^event: (.*)$/m.exec(frame)?.[1];
        const data = /^data: (.*)$/m.exec(frame)?.[1];
        if (kind !== undefined && data !== undefined) onMessage(kind, JSON.parse(data));
      }
    }
  } finally {
    clearTimeout(watchdog);
    ending.abort();
  }
}
