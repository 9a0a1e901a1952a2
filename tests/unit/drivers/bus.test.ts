import { EventEmitter, once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import modbusSerial from 'modbus-serial';
import { describe, expect, it } from 'vitest';
import { decodeProcessHealth } from '#edge/bus/codec.ts';
import type { BusHealth, BusUnitHealth } from '#edge/domain/health.ts';
import { readExchange, writeExchange } from '#edge/drivers/modbus/exchange.ts';
import { askModbus } from '#edge/drivers/modbus/line.ts';
import { mbapLink } from '#edge/drivers/modbus/mbap-link.ts';
import type { AskOptions } from '#edge/drivers/ports/bus.ts';
import { Bus } from '#edge/drivers/ports/bus.ts';
import { BusError } from '#edge/drivers/ports/bus-error.ts';
import { createBuses } from '#edge/drivers/ports/buses.ts';
import { BusyMeter } from '#edge/drivers/ports/busy.ts';
import type { Question } from '#edge/drivers/ports/link.ts';
import { serialPort } from '#edge/drivers/ports/serial.ts';
import { streamLink } from '#edge/drivers/ports/stream-link.ts';
import { tcpPort } from '#edge/drivers/ports/tcp.ts';
import { Unit } from '#edge/drivers/ports/units.ts';
import { systemClock } from '#edge/runtime/clock.ts';

/* One line and everybody on it, whatever they speak. */

const host = '127.0.0.1';
const kinds = { mbap: mbapLink, rtu: streamLink } as const;

interface Peer extends AsyncDisposable {
  readonly port: number;
  readonly seen: { readonly bytes: Buffer; readonly at: number }[];
  answer: (request: Buffer, socket: Socket) => void;
}

/** A peer that hears each chunk as one request and answers by hand. */
async function startPeer(): Promise<Peer> {
  const sockets = new Set<Socket>();
  const rig: Pick<Peer, 'answer'> = { answer: () => {} };
  const seen: Peer['seen'] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      seen.push({ bytes, at: performance.now() });
      rig.answer(bytes, socket);
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  return Object.assign(rig, {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    seen,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
}

const counted = new Map<string, number>();
const ask = (more: Partial<AskOptions> = {}): AskOptions => ({
  urgency: 'read',
  timeout: 400,
  lateWindow: 50,
  pause: 0,
  signal: new AbortController().signal,
  count: (word) => counted.set(word, (counted.get(word) ?? 0) + 1),
  device: 'meter',
  ...more,
});

/** Reads register 0 of a unit. */
const read = (bus: Bus, unit: number, more: Partial<AskOptions> = {}) =>
  askModbus(bus, readExchange(unit, 'holding', 0, 1), ask(more));
const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: unknown) => (error instanceof BusError ? error.outcome : String(error)),
  );
const busTo = (port: number, kind: 'mbap' | 'rtu') =>
  new Bus({
    source: tcpPort({ host, port }),
    kind: kinds[kind],
    clock: systemClock,
    reconnect: { first: 20, cap: 100 },
  });
const unitOf = (health: BusHealth, unit: string): BusUnitHealth => {
  const found = health.units.find((one) => one.unit === unit);
  if (found === undefined) throw new Error(`no unit ${unit}`);
  return found;
};

/** The right answer to a request for one register, as the framing has it. */
function answerTo(request: Buffer, kind: 'mbap' | 'rtu', word: number): Buffer {
  if (kind === 'mbap') {
    const answer = Buffer.from(request.subarray(0, 11));
    answer.writeUInt16BE(5, 4);
    answer[8] = 2;
    answer.writeUInt16BE(word, 9);
    return answer;
  }
  const body = Buffer.from([request[0] ?? 0, request[1] ?? 0, 2, word >> 8, word & 0xff]);
  let crc = 0xffff;
  for (const byte of body) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return Buffer.concat([body, Buffer.from([crc & 0xff, crc >>> 8])]);
}
const unitIn = (request: Buffer, kind: 'mbap' | 'rtu') => request[kind === 'mbap' ? 6 : 0] ?? 0;

describe.each(['mbap', 'rtu'] as const)('a bus of %s', (kind) => {
  it('leaves a silent unit alone ever longer, tells when it asks next, and hears it when it is back', async () => {
    await using peer = await startPeer();
    await using bus = busTo(peer.port, kind);
    let isDead = true;
    peer.answer = (request, socket) => {
      if (unitIn(request, kind) !== 5 || !isDead) socket.write(answerTo(request, kind, 7));
    };
    for (let i = 0; i < 2; i++) expect(await outcomeOf(read(bus, 5, { timeout: 60 }))).toBe('timeout');
    expect(await outcomeOf(read(bus, 5))).toBe('held');
    expect(unitOf(bus.health(), '5')).toMatchObject({ state: 'quarantined', timeouts: 2, device: 'meter' });
    expect(unitOf(bus.health(), '5').nextProbe).toBeGreaterThan(systemClock.now() - 60_000);
    // The others are asked as if it were not there.
    const before = peer.seen.length;
    for (let i = 0; i < 20; i++) expect(await outcomeOf(read(bus, 1))).toBe('answered');
    expect(peer.seen.slice(before).every(({ bytes }) => unitIn(bytes, kind) === 1)).toBe(true);
    isDead = false;
    await expect.poll(() => outcomeOf(read(bus, 5)), { interval: 10, timeout: 10_000 }).toBe('answered');
    expect(unitOf(bus.health(), '5')).toMatchObject({ state: 'answering', nextProbe: null });
  });

  it('sends a write to a silent unit all the same', async () => {
    await using peer = await startPeer();
    await using bus = busTo(peer.port, kind);
    for (let i = 0; i < 2; i++) await outcomeOf(read(bus, 5, { timeout: 60 }));
    const write = askModbus(bus, writeExchange(5, 5, 0, [true]), ask({ urgency: 'write', timeout: 60 }));
    expect(await outcomeOf(write)).toBe('timeout');
    expect(peer.seen).toHaveLength(3);
  });

  it('says what people want to know of it, in the form that the bus of messages takes', async () => {
    await using peer = await startPeer();
    await using bus = busTo(peer.port, kind);
    expect(bus.health()).toMatchObject({ state: 'connecting', units: [] });
    peer.answer = (request, socket) =>
      void setTimeout(() => socket.write(answerTo(request, kind, 7)), unitIn(request, kind) === 2 ? 30 : 0);
    for (let i = 0; i < 5; i++) for (const unit of [1, 2]) await read(bus, unit);
    const health = bus.health();
    expect(health).toMatchObject({ label: `${host}:${peer.port}`, state: 'connected', message: '', waiting: 0 });
    expect(health.utilisation).toBeGreaterThan(0);
    const [one, two] = [unitOf(health, '1'), unitOf(health, '2')];
    expect(one).toMatchObject({ state: 'answering', requests: 5, timeouts: 0, crcErrors: 0, duplicate: false });
    expect(two.latency).toBeGreaterThan(25);
    expect(two.latencyP95).toBeGreaterThanOrEqual(29);
    const message = { process: 'fieldbus', state: 'ready', time: 1, instance: 'i', devices: [], buses: [health] };
    const decoded = decodeProcessHealth(Buffer.from(JSON.stringify(message)));
    expect(decoded).toMatchObject({ ok: true, value: { buses: [health] } });
  });

  it('says why it is down', async () => {
    await using bus = busTo(1, kind);
    expect(await outcomeOf(read(bus, 1))).toBe('closed');
    expect(bus.health()).toMatchObject({ state: 'down', message: expect.stringContaining('ECONNREFUSED') });
    expect(unitOf(bus.health(), '1')).toMatchObject({ state: 'unknown', requests: 0, latency: null });
  });
});

describe('a gateway that says that a unit is silent', () => {
  it('is believed as a timeout would be', async () => {
    await using peer = await startPeer();
    await using bus = busTo(peer.port, 'mbap');
    peer.answer = (request, socket) => {
      const refusal = Buffer.from(request.subarray(0, 9));
      refusal.writeUInt16BE(3, 4);
      refusal[7] = 0x83;
      refusal[8] = 0x0b;
      socket.write(refusal);
    };
    for (let i = 0; i < 2; i++) await expect(read(bus, 3)).rejects.toThrow(/exception 11/);
    expect(await outcomeOf(read(bus, 3))).toBe('held');
    expect(unitOf(bus.health(), '3')).toMatchObject({ state: 'quarantined', timeouts: 2, exceptions: 2 });
  });
});

describe('two devices with one id', () => {
  it('are known by the second answer to one question, before a value of it is told', async () => {
    await using peer = await startPeer();
    await using bus = busTo(peer.port, 'rtu');
    peer.answer = (request, socket) => {
      socket.write(answerTo(request, 'rtu', 11));
      if (request[0] === 4) setTimeout(() => socket.write(answerTo(request, 'rtu', 22)), 15);
    };
    await read(bus, 3);
    await read(bus, 4);
    expect([bus.isShared('3'), bus.isShared('4')]).toEqual([false, true]);
    expect(unitOf(bus.health(), '4').duplicate).toBe(true);
  });

  it('are not suspected when a gateway says one answer twice', async () => {
    await using peer = await startPeer();
    await using bus = busTo(peer.port, 'rtu');
    peer.answer = (request, socket) => {
      socket.write(answerTo(request, 'rtu', 11));
      setTimeout(() => socket.write(answerTo(request, 'rtu', 11)), 5);
    };
    await read(bus, 4);
    expect(bus.isShared('4')).toBe(false);
  });

  it('are known by serial numbers that take turns, a swapped meter is not', () => {
    const unit = new Unit('3');
    for (const serial of ['a', 'a', 'b']) unit.serial(serial, 0);
    expect(unit.isShared(1)).toBe(false);
    unit.serial('a', 2);
    expect(unit.isShared(3)).toBe(true);
    expect(unit.isShared(700_000)).toBe(false);
  });

  it('are suspected when only one unit of a line is garbled', () => {
    const [good, bad] = [new Unit('1'), new Unit('2')];
    for (let i = 0; i < 30; i++) {
      good.requests++;
      good.heard(i, 10);
      if (i % 2 === 0) bad.garble();
      else bad.heard(i, 10);
    }
    expect(bad.isGarbledAlone([good, bad])).toBe(true);
    expect(good.isGarbledAlone([good, bad])).toBe(false);
    // A bad line garbles everybody.
    for (let i = 0; i < 30; i++) good.garble();
    expect(bad.isGarbledAlone([good, bad])).toBe(false);
  });
});

describe('how long an answer is waited for', () => {
  const answered = (times: readonly number[]) => {
    const unit = new Unit('1');
    for (const [i, ms] of times.entries()) unit.heard(i, ms);
    return unit;
  };

  it('comes down to what the unit needs, never over what is configured', () => {
    expect(new Unit('1').timeoutFor(1_000)).toBe(1_000);
    const quick = answered(Array<number>(20).fill(10));
    expect(quick.timeoutFor(1_000)).toBe(250);
    expect(quick.timeoutFor(25)).toBe(25);
    expect(answered(Array<number>(20).fill(150)).timeoutFor(1_000)).toBe(600);
    expect(answered(Array<number>(20).fill(500)).timeoutFor(1_000)).toBe(1_000);
  });

  it('remembers how long a jittery gateway can take, and waits in full after a miss', () => {
    const jittery = answered([...Array<number>(20).fill(10), 300, ...Array<number>(10).fill(10)]);
    expect(jittery.timeoutFor(1_000)).toBeGreaterThanOrEqual(450);
    const late = answered(Array<number>(20).fill(10));
    late.missed(20);
    expect(late.timeoutFor(1_000)).toBe(1_000);
    late.late(400);
    late.heard(21, 10);
    expect(late.timeoutFor(1_000)).toBeGreaterThanOrEqual(750);
  });

  it('is short for a probe, but every third one in full: a unit may be slow', () => {
    const dead = new Unit('1');
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      dead.missed(10_000 * i);
      if (dead.isQuarantined) waits.push(dead.timeoutFor(1_000));
    }
    expect(waits.slice(0, 6)).toEqual([250, 250, 1_000, 250, 250, 1_000]);
  });
});

describe('the window', () => {
  it('opens to two units at once on a line that numbers its answers and has proved itself, never to one unit twice', async () => {
    await using peer = await startPeer();
    await using bus = busTo(peer.port, 'mbap');
    let open = 0;
    let most = 0;
    const units = new Set<number>();
    let twice = 0;
    peer.answer = (chunk, socket) => {
      for (let at = 0; at < chunk.length; at += 12) {
        const request = chunk.subarray(at, at + 12);
        const unit = unitIn(request, 'mbap');
        if (units.has(unit)) twice++;
        units.add(unit);
        most = Math.max(most, ++open);
        setTimeout(() => {
          open--;
          units.delete(unit);
          socket.write(answerTo(request, 'mbap', unit));
        }, 2);
      }
    };
    const all = Array.from({ length: 80 }, (_, i) => read(bus, 1 + (i % 4)).then((bytes) => bytes.readUInt16BE(0)));
    expect(await Promise.all(all)).toEqual(Array.from({ length: 80 }, (_, i) => 1 + (i % 4)));
    expect([most, twice]).toEqual([2, 0]);
  });
});

describe('one line that several protocols share', () => {
  /** A protocol of its own: a letter asks, the same letter and a digit answer. */
  const letter = (unit: string): Question => ({
    unit,
    what: `ask ${unit}`,
    request: Buffer.from(unit),
    find(received) {
      const match = new RegExp(`${unit}(\\d)`).exec(received.toString('latin1'));
      return match === null ? null : { frame: Buffer.from(match[1] ?? ''), consumed: match.index + 2 };
    },
  });

  it('has one queue for all of them', async () => {
    await using peer = await startPeer();
    await using buses = createBuses({ clock: systemClock });
    const source = tcpPort({ host, port: peer.port });
    const one = buses.acquire({ source, line: { frameGap: 0 }, speaks: 'Modbus RTU', device: 'a' });
    const two = buses.acquire({ source, line: { frameGap: 0 }, speaks: 'Letters', device: 'b' });
    expect(two.bus).toBe(one.bus);
    let open = 0;
    let most = 0;
    peer.answer = (request, socket) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        socket.write(request.length === 1 ? `noise${request}7` : answerTo(request, 'rtu', 9));
      }, 5);
    };
    const [word, digit] = await Promise.all([read(one.bus, 3), two.bus.ask(letter('Z'), ask())]);
    expect([word.readUInt16BE(0), String(digit)]).toEqual([9, '7']);
    expect(most).toBe(1);
    expect(buses.health()).toHaveLength(1);
    await one.release();
    await one.release();
    expect(buses.health()).toHaveLength(1);
    await two.release();
    expect(buses.health()).toHaveLength(0);
  });

  it('cannot have two settings or two kinds of frames: the error names the other device', async () => {
    await using buses = createBuses({ clock: systemClock });
    const line = { frameGap: 0 };
    const serial = (baud: number) => serialPort({ path: '/dev/ttyS9', baud, dataBits: 8, parity: 'even', stopBits: 1 });
    buses.acquire({ source: serial(2_400), line, speaks: 'DL/T 645', device: 'meter-7' });
    expect(() => buses.acquire({ source: serial(9_600), line, speaks: 'Modbus RTU' })).toThrow(
      /meter-7 uses \/dev\/ttyS9 at 2400 8E1, this one \/dev\/ttyS9 at 9600 8E1/,
    );
    const source = tcpPort({ host, port: 502 });
    buses.acquire({ source, line, speaks: 'Modbus RTU', device: 'meter-8' });
    expect(() => buses.acquire({ source, line, speaks: 'Modbus TCP', kind: mbapLink })).toThrow(
      /meter-8 speaks Modbus RTU to 127\.0\.0\.1:502, this one Modbus TCP/,
    );
  });
});

describe('how busy a line was', () => {
  it('is its share of the last minute', () => {
    const meter = new BusyMeter(0);
    for (let second = 0; second < 120; second++) {
      meter.start(1_000 * second);
      meter.end(1_000 * second + 250);
    }
    expect(meter.share(120_000)).toBeCloseTo(0.25, 1);
    meter.start(120_000);
    meter.start(120_100);
    meter.end(150_000);
    // Half a minute under way, and not over.
    expect(meter.share(150_000)).toBeGreaterThan(0.55);
    meter.end(150_000);
    expect(meter.share(300_000)).toBe(0);
  });
});

describe('the data of an accepted answer', () => {
  /** What modbus-serial makes of a frame. */
  function parsed(unit: number, fc: 1 | 2 | 3 | 4, count: number, frame: Buffer): Promise<Buffer> {
    const port = Object.assign(new EventEmitter(), {
      isOpen: true,
      open: (done: () => void) => done(),
      write: () => {},
      close: () => {},
    });
    const client = new modbusSerial.default(port);
    client.open(() => {});
    return new Promise((resolve, reject) => {
      const done = (error: unknown, result?: { buffer: Buffer }) =>
        result === undefined ? reject(error) : resolve(result.buffer);
      if (fc === 1) client.writeFC1(unit, 0, count, done);
      else if (fc === 2) client.writeFC2(unit, 0, count, done);
      else if (fc === 3) client.writeFC3(unit, 0, count, done);
      else client.writeFC4(unit, 0, count, done);
      port.emit('data', frame);
    });
  }

  it.each([
    ['coil', 1],
    ['discrete', 2],
    ['holding', 3],
    ['input', 4],
  ] as const)('of %s is what modbus-serial reads there', async (table, fc) => {
    for (const count of [1, 2, 7, 9, 60, 125]) {
      const exchange = readExchange(9, table, 0, count);
      const bytes = fc <= 2 ? Math.ceil(count / 8) : 2 * count;
      const body = Buffer.concat([Buffer.from([9, fc, bytes]), Buffer.alloc(bytes, 0xa7)]);
      const framed = rtu(body);
      const found = exchange.rtu.find(framed);
      const inBody = exchange.tcp.find(body);
      if (found === null || inBody === null) throw new Error('not found');
      expect(exchange.parse(found.frame)).toEqual(await parsed(9, fc, count, framed));
      expect(exchange.parse(inBody.frame)).toEqual(exchange.parse(found.frame));
    }
  });

  function rtu(body: Buffer): Buffer {
    let crc = 0xffff;
    for (const byte of body) {
      crc ^= byte;
      for (let i = 0; i < 8; i++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
    }
    return Buffer.concat([body, Buffer.from([crc & 0xff, crc >>> 8])]);
  }
});
