import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { FootageRange } from '#edge/domain/recording.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { paths } from '../context.ts';

/* What footage there is: asked of the process `media` on its socket. */

const answer = z.object({ ranges: z.array(z.object({ from: z.number(), to: z.number() })).max(100_000) });
const patience = 10_000;
const largest = 8_000_000;

export type AskFootage = (camera: DeviceId, range: FootageRange) => Promise<readonly FootageRange[]>;

/** Throws MEDIA_AWAY, with why. */
export function footageAsker(data: string): AskFootage {
  return async (camera, { from, to }) => {
    try {
      const socket = paths.mediaSocket(data);
      // New at each start of media.
      const key = (await readFile(join(dirname(socket), 'media.key'), 'utf8')).trim();
      const path = `/footage/${camera}?from=${Math.floor(from)}&to=${Math.ceil(to)}`;
      return answer.parse(JSON.parse(await get(socket, path, key))).ranges;
    } catch (error) {
      throw new CodedError('MEDIA_AWAY', `media does not say what footage there is: ${messageOf(error)}`, {
        cause: error,
      });
    }
  };
}

function get(socketPath: string, path: string, key: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath, path, headers: { 'x-media-key': key }, signal: AbortSignal.timeout(patience) },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > largest) asked.destroy(new Error(`more than ${largest} bytes`));
          else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'));
          else reject(new Error(`it answers ${response.statusCode}`));
        });
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}
