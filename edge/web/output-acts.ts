import type { z } from 'zod';
import { pointRef } from '#edge/domain/ids.ts';
import type { Reader } from '#edge/store/reader.ts';
import type { outputActSchema } from './schemas.ts';

type Act = z.infer<typeof outputActSchema>;

/** Requests and commands of the whole campus that are looked through for those of one output. */
const mostLookedThrough = 2_000;

/** Who asked for what, and what core told the device: newest first. */
export function actsOf(reader: Pick<Reader, 'requests' | 'commands'>, ref: string, limit: number): Act[] {
  const requests = reader.requests(mostLookedThrough).flatMap(({ request, result }): Act[] => {
    if (request.ref !== ref) return [];
    const { id, time, who = `client:${request.client}`, value, priority, seconds, reason } = request;
    const { outcome, message } = result;
    return [{ kind: 'request', id, time, who, value, priority, seconds, reason, outcome, message }];
  });
  const commands = reader.commands(mostLookedThrough).flatMap(({ command, result }): Act[] => {
    if (pointRef(command.device, command.point) !== ref) return [];
    const { id, issued: time, value, priority } = command;
    const { outcome, message = '', value: confirmed } = result;
    const read = confirmed === undefined ? {} : { confirmed };
    return [{ kind: 'command', id, time, who: null, value, priority, outcome, message, ...read }];
  });
  return [...requests, ...commands].sort((a, b) => b.time - a.time).slice(0, limit);
}
