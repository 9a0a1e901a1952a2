import { createServer } from 'node:net';
import { codeOf } from './errors.ts';

export interface WantedPort {
  readonly host: string;
  readonly port: number;
  /** What a person changes to choose another one, e.g. `http.port in the site file, or --http-port`. */
  readonly setting: string;
}

/** One sentence for each wanted TCP port that another program holds, before anything is started on it. */
export async function findTakenPorts(wanted: readonly WantedPort[]): Promise<string[]> {
  const found = await Promise.all(wanted.map(async (want) => ({ want, code: await tryPort(want) })));
  return found
    .filter(({ code }) => code === 'EADDRINUSE' || code === 'EACCES')
    .map(({ want, code }) => {
      const why = code === 'EACCES' ? 'may not be used by this user' : 'is taken by another program';
      return `port ${want.port} on ${want.host} ${why}: set ${want.setting}`;
    });
}

/** The error code of listening there, or '' when it works. Addresses this machine lacks are not this check's business. */
function tryPort({ host, port }: WantedPort): Promise<string> {
  if (port === 0) return Promise.resolve('');
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(codeOf(error)));
    server.listen({ host, port, exclusive: true, ipv6Only: host !== '::' }, () => server.close(() => resolve('')));
  });
}
