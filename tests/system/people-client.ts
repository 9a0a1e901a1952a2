import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Right, Role } from '#edge/domain/access.ts';
import type { Me } from '#edge/web/people-schemas.ts';

/* People and machines of a running campus, made by whoever owns the box (`<data>/admin-token`). */

interface Where {
  readonly url: string;
  readonly data: string;
}

/** What a browser sends along. */
export interface SignedInBrowser {
  readonly cookie: string;
  readonly csrf: string;
}

const first = 'First-Harbour-42';
export const password = 'Lantern-7-orchard';

async function post(url: string, headers: Record<string, string>, body: object): Promise<Response> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

function asOwner({ data }: Where): Record<string, string> {
  return { authorization: `Bearer ${readFileSync(join(data, 'admin-token'), 'utf8').trim()}` };
}

async function browserOf(answer: Response): Promise<SignedInBrowser> {
  const me = (await answer.json()) as Me;
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return { cookie, csrf: me.state === 'signed-in' ? me.csrf : '' };
}

export async function signIn(where: Where, id: string, given = password): Promise<SignedInBrowser> {
  return browserOf(await post(`${where.url}/api/v1/login`, {}, { id, password: given }));
}

/** Makes an account of the whole campus, chooses its password, and signs in. */
export async function newPerson(where: Where, id: string, role: Role): Promise<SignedInBrowser> {
  const api = `${where.url}/api/v1`;
  await post(`${api}/people`, asOwner(where), { id, name: id, role, zones: 'all', password: first });
  const { cookie, csrf } = await signIn(where, id, first);
  const passwords = { old: first, password };
  return browserOf(await post(`${api}/me/password`, { cookie, 'x-csrf-token': csrf }, passwords));
}

/** Headers of a machine with these scopes. */
export async function newToken(where: Where, id: string, scopes: readonly Right[]): Promise<Record<string, string>> {
  const made = await post(`${where.url}/api/v1/tokens`, asOwner(where), { id, name: id, scopes });
  return { authorization: `Bearer ${((await made.json()) as { secret: string }).secret}` };
}
