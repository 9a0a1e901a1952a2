import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '#edge/runtime/clock.ts';
import { type AbilityOptions, CameraAbilities } from './camera-abilities.ts';
import { CameraAuth, type CameraAuthMode, type CameraAuthOptions, type Judgement } from './camera-auth.ts';
import { CameraClock } from './camera-clock.ts';
import { type CameraDialect, dialects } from './camera-dialects.ts';
import { answerProbes } from './camera-discovery.ts';
import { type EventFault, eventAnswer } from './camera-events.ts';
import { answerBroken, type CameraFault, sendFault, sendXml } from './camera-faults.ts';
import type { CameraPtz, PtzPosition } from './camera-ptz.ts';
import { photograph } from './camera-scene.ts';
import { operationOf, soapEnvelope, soapFault, usernameTokenOf } from './camera-soap.ts';
import { type CameraMessage, CameraSubscriptions } from './camera-subscriptions.ts';

export interface CameraOptions extends AbilityOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly clock: Clock;
  readonly auth: CameraAuthMode;
  readonly model: string;
  readonly topicDialect: CameraDialect;
  /** Answers WS-Discovery probes on UDP port 3702 too (IPv4); default: no. */
  readonly discovery?: boolean;
  /** Shown in the picture; default: the model. */
  readonly name?: string;
  /** Address that the camera claims to have, e.g. `http://192.168.1.64`; default: the true one. */
  readonly claims?: string;
  readonly stream?: string;
  /** Operations that its user may not do, though the password is right. */
  readonly mayNot?: readonly string[];
  /** Subscription slots; default 8. */
  readonly slots?: number;
  /** Minutes east of UTC; default 480. */
  readonly utcOffsetMinutes?: number;
  /** How long `person()` stays in view, ms; default 4,000. */
  readonly personFor?: number;
  readonly digest?: Partial<
    Pick<CameraAuthOptions, 'algorithms' | 'qop' | 'nonceLife' | 'saysStale' | 'refusesReplays' | 'lockAfter'>
  >;
}

/** One request as the camera saw it. `at` is monotonic ms. */
export interface CameraRequest {
  readonly at: number;
  readonly operation: string;
  readonly judgement: Judgement | 'public' | 'fault' | 'forbidden';
}

export type { CameraFault } from './camera-faults.ts';

/** A running camera. It speaks only through its socket; this is the hand that holds it. */
export interface Camera extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Every request, oldest first, at most 10,000. */
  readonly requests: readonly CameraRequest[];
  /** Monotonic times of accepted connections, at most 10,000. */
  readonly connections: readonly number[];
  /** Requests that carried a wrong password. */
  readonly passwordTries: number;
  readonly subscriptions: number;
  /** Somebody walks through the picture: motion and person begin, and end after `personFor`. */
  person(): void;
  /** Whether somebody is in the picture now. */
  readonly seesPerson: boolean;
  motion(on: boolean): void;
  tamper(on: boolean): void;
  /** Somebody crosses a line: a pulse without an end. */
  lineCrossed(): void;
  /** Contact `index` (from 1) is closed or opened. */
  input(index: number, isClosed: boolean): void;
  /** Whether relay `index` (from 1) is active. */
  relay(index: number): boolean;
  /** Where it looks now, and what it was told, oldest first. */
  readonly position: PtzPosition;
  readonly isMoving: boolean;
  readonly movements: CameraPtz['commands'];
  /** Somebody makes a preset at the camera. */
  addPreset(preset: CameraPtz['presets'][number]): void;
  /** Its clock, ms ahead of the true one, jumps. */
  setClock(offset: number): void;
  readonly clockOffset: number;
  /** Any message at all; `time` defaults to the camera's clock. */
  emit(message: Omit<CameraMessage, 'time'> & { readonly time?: number }): void;
  /** Resolves when the fault is there (or, with `none`, the camera is back). */
  fault(kind: CameraFault): Promise<void>;
  changePassword(password: string): void;
}

const logged = 10_000;
/** The class PRE_AUTH of the standard. */
const publicOperations = new Set([
  'GetSystemDateAndTime',
  'GetServices',
  'GetCapabilities',
  'GetHostname',
  'GetEndpointReference',
]);
const wrongClockBy = -200 * 86_400_000;
const styles = ['ampersand', 'missingTimes', 'offsetTimes', 'impatient'] as const;

/** Starts a simulated ONVIF camera on a real socket. */
export async function startCamera(options: CameraOptions): Promise<Camera> {
  const camera = new SimulatedCamera(options);
  await camera.listen();
  if (options.discovery === true) await camera.beFound();
  return camera;
}

class SimulatedCamera implements Camera {
  readonly #options: CameraOptions;
  readonly #auth: CameraAuth;
  readonly #subscriptions: CameraSubscriptions;
  readonly #clock: CameraClock;
  readonly #abilities: CameraAbilities;
  readonly #sockets = new Set<Socket>();
  readonly #stop = new AbortController();
  readonly requests: CameraRequest[] = [];
  readonly connections: number[] = [];
  passwordTries = 0;
  #server: Server | null = null;
  #port: number;
  #fault: CameraFault = 'none';
  #seesPerson = false;
  #leaving: NodeJS.Timeout | undefined;
  #discovery: AsyncDisposable | null = null;

  constructor(options: CameraOptions) {
    this.#options = options;
    this.#port = options.port;
    const { clock, model, topicDialect, utcOffsetMinutes = 480, keepsTime = 'NTP', clockOffset = 0 } = options;
    this.#clock = new CameraClock(clock, { keeps: keepsTime, offset: clockOffset, utcOffsetMinutes });
    this.#subscriptions = new CameraSubscriptions(clock, options.slots ?? 8);
    this.#auth = new CameraAuth({
      username: options.username,
      password: options.password,
      mode: options.auth,
      clock: options.clock,
      cameraTime: () => this.#time(),
      algorithms: ['MD5', 'SHA-256'],
      qop: 'auth',
      nonceLife: 60_000,
      saysStale: true,
      refusesReplays: true,
      lockAfter: 5,
      lockFor: 1_800_000,
      ...options.digest,
    });
    this.#say('motion', false);
    this.#say('person', false);
    this.#say('tamper', false);
    const { manufacturer, io } = dialects[topicDialect];
    this.#abilities = new CameraAbilities(options, {
      clock,
      cameraClock: this.#clock,
      model,
      manufacturer,
      io,
      serial: () => this.#serial(),
      base: () => this.#base(),
      say: (message) => this.emit(message),
    });
  }

  input(index: number, isClosed: boolean): void {
    this.#abilities.io.input(index, isClosed);
  }

  relay(index: number): boolean {
    return this.#abilities.io.relays[index - 1]?.isActive ?? false;
  }

  get position(): PtzPosition {
    return this.#abilities.ptz.position;
  }

  get isMoving(): boolean {
    return this.#abilities.ptz.isMoving;
  }

  get movements(): CameraPtz['commands'] {
    return this.#abilities.ptz.commands;
  }

  addPreset(preset: CameraPtz['presets'][number]): void {
    this.#abilities.ptz.presets.push(preset);
  }

  setClock(offset: number): void {
    this.#clock.offset = offset;
  }

  get clockOffset(): number {
    return this.#clock.offset;
  }

  get host(): string {
    return this.#options.host;
  }

  get port(): number {
    return this.#port;
  }

  get seesPerson(): boolean {
    return this.#seesPerson;
  }

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      // A bug of the simulator must not look like a fault of the camera.
      void this.#serve(request, response).catch((error: unknown) => server.emit('error', error));
    });
    server.on('connection', (socket) => {
      if (this.connections.length < logged) this.connections.push(this.#options.clock.monotonic());
      if (this.#fault === 'rst') return socket.resetAndDestroy();
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.#options.host, resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async beFound(): Promise<void> {
    const { topicDialect, model, host } = this.#options;
    const words = ['type/video_encoder', `hardware/${model}`, `name/${dialects[topicDialect].manufacturer}`];
    this.#discovery = await answerProbes({
      host,
      serial: this.#serial(),
      address: () => `${this.#base()}/onvif/device_service`,
      scopes: words.map((word) => `onvif://www.onvif.org/${encodeURI(word)}`),
    });
  }

  person(): void {
    clearTimeout(this.#leaving);
    this.#seesPerson = true;
    this.#say('motion', true);
    this.#say('person', true);
    this.#leaving = setTimeout(() => {
      this.#seesPerson = false;
      this.#say('person', false);
      this.#say('motion', false);
    }, this.#options.personFor ?? 4_000);
  }

  motion(on: boolean): void {
    this.#say('motion', on);
  }

  tamper(on: boolean): void {
    this.#say('tamper', on);
  }

  lineCrossed(): void {
    const { topic, source, item } = dialects[this.#options.topicDialect].line;
    this.emit({ topic, source, data: { [item]: String(1 + (this.requests.length % 90)) } });
  }

  emit(message: Omit<CameraMessage, 'time'> & { readonly time?: number }): void {
    this.#subscriptions.publish({ time: this.#time(), ...message });
  }

  async fault(kind: CameraFault): Promise<void> {
    const before = this.#fault;
    this.#fault = kind;
    if (kind === 'reboot') {
      this.#subscriptions.clear();
      this.#auth.forget();
      await this.#close();
    } else if (before === 'reboot') await this.listen();
    if (kind === 'rst') for (const socket of this.#sockets) socket.resetAndDestroy();
    // Requests that hang are dropped when the camera comes to itself, as a restarted web server would.
    if (before === 'hang') for (const socket of this.#sockets) socket.destroy();
    if (kind === 'subscriptionsFull') this.#subscriptions.clear();
  }

  changePassword(password: string): void {
    this.#auth.options.password = password;
    this.#auth.forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#leaving);
    this.#stop.abort();
    this.#subscriptions.clear();
    this.#abilities[Symbol.dispose]();
    await this.#discovery?.[Symbol.asyncDispose]();
    await this.#close();
  }

  async #close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const socket of this.#sockets) socket.destroy();
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #time(): number {
    return this.#clock.now + (this.#fault === 'wrongClock' ? wrongClockBy : 0);
  }

  #serial(): string {
    return this.#options.serial ?? `SIM${String(this.#port).padStart(6, '0')}`;
  }

  #base(): string {
    const { claims, host } = this.#options;
    return claims ?? `http://${host.includes(':') ? `[${host}]` : host}:${this.#port}`;
  }

  #say(what: 'motion' | 'person' | 'tamper', on: boolean): void {
    const saying = dialects[this.#options.topicDialect][what];
    const { topic, source, item } = saying;
    this.emit({ topic, source, data: { [item]: on ? saying.on : saying.off }, operation: 'Changed' });
  }

  #note(operation: string, judgement: CameraRequest['judgement']): void {
    if (judgement === 'wrong') this.passwordTries += 1;
    if (this.requests.length < logged)
      this.requests.push({ at: this.#options.clock.monotonic(), operation, judgement });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const xml = await readBody(request);
    if (xml === null) return;
    const path = request.url ?? '/';
    const snapshot = path.startsWith('/onvif/snapshot');
    const operation = snapshot ? 'snapshot' : operationOf(xml);
    if (answerBroken(this.#fault, operation, response)) return this.#note(operation, 'fault');
    const presented = {
      authorization: request.headers.authorization,
      method: request.method ?? '',
      uri: path,
      body: xml,
    };
    const token = usernameTokenOf(xml);
    const judgement = publicOperations.has(operation) ? 'public' : this.#auth.judge({ ...presented, token });
    const mayNot = judgement === 'ok' && this.#options.mayNot?.includes(operation) === true;
    this.#note(operation, mayNot ? 'forbidden' : judgement);
    if (mayNot) return this.#refuse('anonymous', response);
    const cleared = judgement === 'public' || judgement === 'ok' || (snapshot && this.#options.auth === 'wsse');
    if (!cleared) return this.#refuse(judgement, response);
    if (snapshot) return this.#sendPicture(response);
    await this.#answer(operation, path, xml, response);
  }

  #refuse(judgement: Judgement, response: ServerResponse): void {
    const challenges = this.#auth.challenges(judgement === 'stale');
    const left = this.#auth.attemptsLeft;
    const reason = judgement === 'locked' ? 'The account is locked' : 'Sender not Authorized';
    const said =
      left < this.#auth.options.lockAfter && left > 0 ? `${reason}. You still have ${left} attempt(s)` : reason;
    const headers = challenges.length > 0 ? { 'www-authenticate': challenges } : {};
    const body = soapFault('Sender', 'ter:NotAuthorized', this.#auth.options.mode === 'wsse' ? said : reason);
    sendXml(response, challenges.length > 0 ? 401 : 400, body, headers);
  }

  async #answer(operation: string, path: string, xml: string, response: ServerResponse): Promise<void> {
    const { clock, topicDialect } = this.#options;
    const dialect = dialects[topicDialect];
    const base = this.#base();
    const own = this.#abilities.answer(operation, path, xml, this.#time());
    if (typeof own === 'string') return send(response, own);
    if (own !== null) return void sendFault(response, own.subcode, own.reason);
    const answer = await eventAnswer(operation, path, xml, {
      clock,
      subscriptions: this.#subscriptions,
      base: () => base,
      cameraTime: () => this.#time(),
      referenceParameters: dialect.referenceParameters,
      style: () => styles.find((style) => style === this.#fault) ?? 'normal',
      signal: this.#stop.signal,
    });
    if (this.#fault === 'forgetful') this.#subscriptions.clear();
    if (response.destroyed) return;
    if (typeof answer === 'string') return send(response, answer);
    const { subcode, reason }: EventFault = answer ?? {
      subcode: 'ter:ActionNotSupported',
      reason: 'Optional Action Not Implemented',
    };
    sendFault(response, subcode, reason);
  }

  #sendPicture(response: ServerResponse): void {
    const { name, model, utcOffsetMinutes = 480 } = this.#options;
    const picture = photograph({ name: name ?? model, time: this.#time(), utcOffsetMinutes, person: this.#seesPerson });
    const cut = this.#fault === 'pictureCut' ? picture.subarray(0, picture.length / 2) : picture;
    const body = this.#fault === 'pictureHuge' ? Buffer.concat([cut, Buffer.alloc(6_000_000)]) : cut;
    response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': body.length });
    response.end(body);
  }
}

/** Null when the client went away while it was sending. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) if (chunks.length < 64) chunks.push(chunk);
  } catch {
    return null;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, body: string): void {
  sendXml(response, 200, soapEnvelope(body), {});
}
