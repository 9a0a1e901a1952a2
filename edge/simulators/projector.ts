import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Clock } from '#edge/runtime/clock.ts';

export interface ProjectorOptions {
  readonly host: string;
  /** TCP; 0 takes a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly class: 1 | 2;
  readonly password?: string;
  /** ms that it warms up, and cools down. */
  readonly warmUp: number;
  readonly coolDown: number;
}

/** A running projector. It speaks only through its socket; this is the hand that holds it. */
export interface Projector extends AsyncDisposable {
  readonly port: number;
  /** 0 standby, 1 on, 2 cooling down, 3 warming up. */
  power(): 0 | 1 | 2 | 3;
  readonly input: string;
  readonly isMuted: boolean;
  /** When it was last turned on, monotonic ms; null: never. */
  readonly struckAt: number | null;
  /** The six digits of ERST. */
  errors: string;
  /** Its plug is pulled, or it is plugged in again. */
  deaf(on: boolean): void;
  /** What it says instead of the right answer to a command; undefined: the right one. */
  lie(command: string, answer: string | undefined): void;
  /** Connections so far, and sign-ins that were refused. */
  readonly counts: { readonly connections: number; readonly refused: number };
}

const inputs = [
  { code: '11', name: 'VGA' },
  { code: '21', name: 'Video' },
  { code: '31', name: 'HDMI 1' },
  { code: '32', name: 'HDMI 2' },
  { code: '51', name: '网络' },
];
const idle = 30_000;

/** A projector with one place for a caller, as most have; a second one is turned away. */
export async function startProjector(options: ProjectorOptions): Promise<Projector> {
  const { clock } = options;
  const state = {
    isOn: false,
    since: Number.NEGATIVE_INFINITY,
    input: '31',
    mute: '30',
    freeze: '0',
    errors: '000000',
  };
  const lies = new Map<string, string>();
  const counts = { connections: 0, refused: 0 };
  const sockets = new Set<Socket>();
  let isDeaf = false;
  let struckAt: number | null = null;

  const power = (): 0 | 1 | 2 | 3 => {
    const passed = clock.monotonic() - state.since;
    if (state.isOn) return passed < options.warmUp ? 3 : 1;
    return passed < options.coolDown ? 2 : 0;
  };
  const turn = (wanted: string): string => {
    if (wanted !== '0' && wanted !== '1') return 'ERR2';
    const now = power();
    // Neither while it warms up nor while it cools down.
    if (now === 2 || now === 3) return (now === 3) === (wanted === '1') ? 'OK' : 'ERR3';
    if (wanted === '1' && !state.isOn) struckAt = clock.monotonic();
    if (state.isOn !== (wanted === '1')) Object.assign(state, { isOn: wanted === '1', since: clock.monotonic() });
    return 'OK';
  };
  const set = (field: 'input' | 'mute' | 'freeze', parameter: string, allowed: readonly string[]): string => {
    if (parameter === '?') return power() === 1 ? state[field] : 'ERR3';
    if (!allowed.includes(parameter)) return 'ERR2';
    if (power() !== 1) return 'ERR3';
    state[field] = parameter;
    return 'OK';
  };
  const answers: Readonly<Record<string, (parameter: string) => string>> = {
    '1POWR': (parameter) => (parameter === '?' ? String(power()) : turn(parameter)),
    '1INPT': (parameter) =>
      set(
        'input',
        parameter,
        inputs.map(({ code }) => code),
      ),
    '1INST': () => inputs.map(({ code }) => code).join(' '),
    '1AVMT': (parameter) => set('mute', parameter, ['10', '11', '20', '21', '30', '31']),
    '1ERST': () => state.errors,
    '1LAMP': () => `1874 ${state.isOn ? 1 : 0}`,
    '1NAME': () => 'Lecture hall 1',
    '1INF1': () => 'Example',
    '1INF2': () => 'PJ-5000',
    '1CLSS': () => String(options.class),
    ...(options.class === 2
      ? {
          '2FREZ': (parameter: string) => set('freeze', parameter, ['0', '1']),
          '2FILT': () => '312',
          '2SNUM': () => 'PJ5K-000017',
          '2INST': () => inputs.map(({ code }) => code).join(' '),
          '2INNM': (parameter: string) => inputs.find(({ code }) => `?${code}` === parameter)?.name ?? 'ERR2',
        }
      : {}),
  };
  const answer = (line: string): string => {
    const [, level = '', command = '', parameter = ''] = /^%([12])([A-Z0-9]{4}) (.{1,128})$/i.exec(line) ?? [];
    const name = command.toUpperCase();
    if (name === '') return '';
    return `%${level}${name}=${lies.get(name) ?? answers[`${level}${name}`]?.(parameter) ?? 'ERR1'}\r`;
  };

  const server = createServer((socket) => {
    counts.connections++;
    socket.on('error', () => {});
    if (isDeaf) return void socket.destroy();
    if (sockets.size > 0) return void socket.end();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.setTimeout(idle, () => socket.destroy());
    talk(socket, options.password, answer, () => counts.refused++);
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    power,
    get input() {
      return state.input;
    },
    get struckAt() {
      return struckAt;
    },
    get isMuted() {
      return state.mute === '31';
    },
    get errors() {
      return state.errors;
    },
    set errors(digits) {
      state.errors = digits;
    },
    deaf(on) {
      isDeaf = on;
      if (on) for (const socket of sockets) socket.destroy();
    },
    lie: (command, said) => void (said === undefined ? lies.delete(command) : lies.set(command, said)),
    counts,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function talk(
  socket: Socket,
  password: string | undefined,
  answer: (line: string) => string,
  refused: () => void,
): void {
  const random = randomBytes(4).toString('hex');
  const digest = password === undefined ? '' : createHash('md5').update(`${random}${password}`).digest('hex');
  let isKnown = password === undefined;
  let text = '';
  socket.write(password === undefined ? 'PJLINK 0\r' : `PJLINK 1 ${random}\r`);
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    if (text.length > 1_024) return void socket.destroy();
    for (let cut = text.indexOf('\r'); cut >= 0; cut = text.indexOf('\r')) {
      let line = text.slice(0, cut);
      text = text.slice(cut + 1);
      if (!isKnown && !line.startsWith(digest)) {
        refused();
        return void socket.end('PJLINK ERRA\r');
      }
      if (!isKnown) line = line.slice(digest.length);
      isKnown = true;
      socket.write(answer(line), 'utf8');
    }
  });
}
