import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';

const port = z.int().min(1).max(65_535);
const word = z.string().regex(/^[^\p{C}]{1,100}$/u, 'must be 1 to 100 characters, none of them a control character');

const configSchema = z
  .strictObject({
    host: z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/, 'must be a host name or an address'),
    control: port.default(1705),
    stream: z.strictObject({ name: word, port, channels: z.union([z.literal(1), z.literal(2)]).default(2) }),
    spare: z.strictObject({ name: word, port }).optional(),
    clients: z
      .array(word)
      .min(1)
      .max(64)
      .refine((ids) => new Set(ids).size === ids.length, 'must not name a client twice'),
  })
  .refine(({ control, stream }) => control !== stream.port, {
    message: 'must be another port than control',
    path: ['stream', 'port'],
  })
  .refine(({ spare, stream, control }) => spare === undefined || ![stream.port, control].includes(spare.port), {
    message: 'must be a port of its own',
    path: ['spare', 'port'],
  })
  .refine(({ spare, stream }) => spare?.name !== stream.name, {
    message: 'must be another stream',
    path: ['spare', 'name'],
  });

/** `device.address` of the loudspeakers that listen to one stream of a Snapcast server. */
export interface SnapcastConfig {
  readonly host: string;
  /** TCP port of its JSON-RPC. */
  readonly control: number;
  /** As the server's configuration has it; samples: 48 kHz, 16 bit. */
  readonly stream: { readonly name: string; readonly port: number; readonly channels: 1 | 2 };
  /**
   * A second stream, ours too and of the same kind: what is stopped, or cut by something stronger, is silent at once, because the clients are
   * put on the other stream. Absent: the server plays what it has in its buffer.
   */
  readonly spare?: { readonly name: string; readonly port: number } | undefined;
  /** Ids of clients, as `Server.GetStatus` has them. */
  readonly clients: readonly string[];
}

/** Throws SNAPCAST_CONFIG, one line per mistake, each naming its key. */
export function parseSnapcastConfig(input: unknown): SnapcastConfig {
  const result = configSchema.safeParse(input);
  if (!result.success) throw new CodedError('SNAPCAST_CONFIG', describeIssues(result.error));
  return result.data;
}
