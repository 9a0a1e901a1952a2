import type { PublicWarning } from '#edge/domain/warning.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { readWarningCertificates, type WarningCertificates } from '#edge/runtime/warning-certificates.ts';
import { parseCapJson } from '#edge/warnings/cap-json.ts';
import { largestMessage } from '#edge/warnings/cap-xml.ts';
import { readWarning } from '#edge/warnings/read-warning.ts';
import type { WarningEnvelope } from '#edge/warnings/warning-desk.ts';
import { actorOf } from './access.ts';
import { earthquakeAnswer, earthquakeBody, warningAnswer } from './emergency-schemas.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';

const tags = ['emergencies'];
const quakePath = '/api/v1/earthquake';
const xmlTypes = ['application/cap+xml', 'application/xml', 'text/xml'];

/** Where public warnings and earthquake terminals come in: machines with a token of the right `warn`. */
export function addWarningRoutes(app: App, campus: CampusView, clock: Clock): void {
  const { rpc } = campus;
  const certificates = readWarningCertificates(campus.site, clock.now());
  void app.register(async (scope: App) => {
    // Whoever hands in what cannot be read is in the audit, too; the answer is everybody's (problems.ts).
    scope.setErrorHandler(async (error, request) => {
      if (request.principal !== null && isMalformed(error)) {
        const of = request.url.startsWith(quakePath) ? ('earthquake' as const) : ('warning' as const);
        const problem = messageOf(error).replaceAll(/\p{C}/gu, ' ').slice(0, 300);
        await rpc.call('crisis.malformed', { of, problem, ...actorOf(request) }).catch(() => {});
      }
      throw error;
    });
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
        const read = readOne(request.body, certificates, clock.now());
        const wish = { warning: read.warning, signature: read.envelope.signature, ...actorOf(request) };
        return warningAnswer.parse(await rpc.call('crisis.warning', wish));
      },
    );

    scope.post(
      quakePath,
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
  });
}

/** Throws CAP_INVALID. */
function readOne(
  body: unknown,
  certificates: WarningCertificates,
  now: number,
): { readonly warning: PublicWarning; readonly envelope: WarningEnvelope } {
  if (Buffer.isBuffer(body)) return readWarning(body, (sender) => certificates.of(sender), now);
  const warning = parseCapJson(body);
  // Whose certificates are of no use is not believed by another way, either.
  return { warning, envelope: { signature: certificates.of(warning.sender) === null ? 'bad' : 'unchecked' } };
}

/** What is wrong with the message itself, and no matter of rights, bounds of requests or a core that is away. */
function isMalformed(error: unknown): boolean {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
  if (status === 400 || status === 413 || status === 415) return true;
  return ['CAP_INVALID', 'BAD_REQUEST', 'RPC_PARAMS'].includes(codeOf(error));
}
