import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Site } from '#edge/runtime/site.ts';
import { parseCapJson } from '#edge/warnings/cap-json.ts';
import { largestMessage } from '#edge/warnings/cap-xml.ts';
import { readWarning } from '#edge/warnings/read-warning.ts';
import { actorOf } from './access.ts';
import { earthquakeAnswer, earthquakeBody, warningAnswer } from './emergency-schemas.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';

const tags = ['emergencies'];
const xmlTypes = ['application/cap+xml', 'application/xml', 'text/xml'];

/** Where public warnings and earthquake terminals come in: machines with a token of the right `warn`. */
export function addWarningRoutes(app: App, campus: CampusView, clock: Clock): void {
  const { rpc } = campus;
  const certificates = certificatesOf(campus.site);
  void app.register(async (scope: App) => {
    scope.addContentTypeParser(xmlTypes, { parseAs: 'buffer', bodyLimit: largestMessage }, (_, body, parsed) =>
      parsed(null, body),
    );
    scope.post(
      '/api/v1/warnings',
      {
        config: { access: 'warn', wholeCampus: true },
        bodyLimit: largestMessage,
        schema: {
          tags,
          summary: 'A public warning (CAP 1.2 as XML, or the same as JSON): said aloud, shown, or left alone, and why',
          description:
            'Only `Actual` from a sender of the site file counts, signed where it must be, each message once. Everything that is handed in ' +
            'is in the audit. A message that is malformed is 400, and says where.',
          response: { ...problems(400, 503), 200: warningAnswer },
        },
      },
      async (request) => {
        const { body } = request;
        const read = Buffer.isBuffer(body)
          ? readWarning(body, certificates, clock.now())
          : { warning: parseCapJson(body), envelope: { signature: 'unchecked' as const } };
        const wish = { warning: read.warning, signature: read.envelope.signature, ...actorOf(request) };
        return warningAnswer.parse(await rpc.call('crisis.warning', wish));
      },
    );
  });

  app.post(
    '/api/v1/earthquake',
    {
      config: { access: 'warn', wholeCampus: true },
      schema: {
        tags,
        summary: 'What an earthquake terminal says: when the waves arrive here and how strongly they are felt',
        body: earthquakeBody,
        response: { ...problems(400, 503), 200: earthquakeAnswer },
      },
    },
    async (request) => {
      const { seconds, arrival, origin: _o, ...said } = request.body;
      const at = arrival ?? (seconds === undefined ? null : clock.now() + seconds * 1_000);
      if (at === null && !said.cancel) throw new CodedError('BAD_REQUEST', 'body: arrival or seconds is missing');
      const wish = { ...said, arrival: Math.round(at ?? clock.now()), ...actorOf(request) };
      return earthquakeAnswer.parse(await rpc.call('crisis.earthquake', wish));
    },
  );
}

/** A certificate that cannot be read is none: what must be signed then counts as unsigned. */
function certificatesOf({ emergency, folder }: Site): (sender: string) => readonly string[] {
  const known = new Map<string, readonly string[]>();
  const read = (file: string): string[] => {
    try {
      return [readFileSync(resolve(folder, file), 'utf8')];
    } catch {
      return [];
    }
  };
  return (sender) => {
    const before = known.get(sender);
    if (before !== undefined) return before;
    const files = emergency.warnings.senders.find((one) => one.sender === sender)?.certificates ?? [];
    const found = files.flatMap(read);
    // Whoever is not in the site file must not fill the memory.
    if (files.length > 0) known.set(sender, found);
    return found;
  };
}
