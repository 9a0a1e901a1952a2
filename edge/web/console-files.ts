import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { codeOf } from '#edge/runtime/errors.ts';
import { policyWithNonce } from './policies.ts';

const notBuilt = `<!doctype html><meta charset="utf-8"><title>Campus Edge</title>
<h1>控制台尚未构建 The console is not built</h1>
<p>在程序目录运行 <code>npm run build:console</code>，然后重新启动。
<p>Run <code>npm run build:console</code> in the folder of the program, then start it again.
`;
/** Scripts and styles live under the policy of the page that loads them: looked at by themselves they may do nothing. */
const assetPolicy = "default-src 'none'; frame-ancestors 'none'";
const placeholder = '__CSP_NONCE__';
const page = { config: { access: 'open' }, schema: { hide: true } } as const;

/**
 * The console holds no data: it asks who is there and then uses the API like anybody else, so its files are for anybody.
 * The page has a nonce of its own in each answer, for the styles its components make; assets are named by their content.
 */
export async function addConsoleFiles(scope: FastifyInstance, folder: string | null): Promise<void> {
  const sendPage = async (_request: unknown, reply: FastifyReply) => {
    const html = folder === null ? null : await readPage(join(folder, 'index.html'));
    const nonce = randomBytes(16).toString('base64');
    return reply
      .code(html === null ? 503 : 200)
      .type('text/html; charset=utf-8')
      .header('content-security-policy', policyWithNonce(nonce))
      .header('cache-control', 'no-store')
      .send(html === null ? notBuilt : html.replaceAll(placeholder, nonce));
  };
  scope.get('/', page, sendPage);
  scope.get('/index.html', page, sendPage);
  const files = folder === null ? [] : filesIn(folder);
  if (folder === null || files.length === 0) return;
  await scope.register(fastifyStatic, { root: folder, serve: false, preCompressed: true, index: false });
  scope.get('/assets/*', page, (request, reply) => {
    const { '*': path = '' } = request.params as Readonly<Record<string, string>>;
    return reply
      .header('content-security-policy', assetPolicy)
      .removeHeader('cross-origin-opener-policy')
      .sendFile(`assets/${path}`, { maxAge: '365d', immutable: true });
  });
  for (const name of files) {
    scope.get(`/${name}`, page, (_, reply) => reply.sendFile(name, { maxAge: '1h' }));
  }
}

async function readPage(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Beside the page: icons, the manifest. Only these are routes, so that what is none stays behind the sign-in. */
function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'index.html' && !/\.(?:gz|br)$/.test(entry.name))
      .map(({ name }) => name);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
