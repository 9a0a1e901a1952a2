import { describe, expect, it } from 'vitest';
import { createDlt645Driver } from '#edge/drivers/dlt645/driver.ts';
import { relayExchange } from '#edge/drivers/dlt645/exchange.ts';
import { encodeFrame, framesIn, identifierBytes } from '#edge/drivers/dlt645/frame.ts';
import { createBuses } from '#edge/drivers/ports/buses.ts';
import { checkProfileShape } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import type { Opened, Step } from '../scripted-line.ts';
import { deviceOf, openDevice, startLine } from '../scripted-line.ts';

const meter = '000000000161';

const profileOf = (on: '1B' | '1C') =>
  checkProfileShape({
    profile: 'y',
    name: { zh: '表', en: 'Meter' },
    kind: 'meter',
    protocol: 'dlt645',
    values: {
      relay: {
        at: '04000503',
        length: 2,
        as: 'bits',
        bit: 4,
        invert: true,
        write: { command: 'relay', on, verify: { after: '5ms', within: '500ms' } },
      },
    },
    test: [{ value: 'relay', hex: '50 00', is: false }],
  });

/** A meter's relay: bit 4 it is open, bit 6 it was told to be open, bit 12 supply is guaranteed. */
class Relay {
  isOpen = false;
  isTold = false;
  isGuaranteed = false;
  /** Older meters leave bit 6 at 0. */
  hasCommandBit = true;
  /** Answers to 1C: acknowledge and obey, acknowledge and do nothing, obey and stay silent, refuse with this word. */
  manner: 'obeys' | 'acknowledges' | 'silent' | number = 'obeys';
  readonly commands: string[] = [];

  answer(request: Buffer): readonly Step[] {
    const [found] = framesIn(request);
    if (found === undefined) return [];
    const { control, data } = found.frame;
    const reply = (code: number, bytes: Buffer) => [encodeFrame({ address: meter, control: code, data: bytes }, 0)];
    if (control === 0x11) return reply(0x91, Buffer.concat([identifierBytes('04000503'), this.#word()]));
    this.commands.push(data.toString('hex'));
    if (typeof this.manner === 'number') return reply(0xdc, Buffer.from([this.manner]));
    if (this.manner !== 'acknowledges') this.#obey(data[8] ?? 0);
    return this.manner === 'silent' ? [] : reply(0x9c, Buffer.alloc(0));
  }

  #obey(code: number): void {
    this.isTold = code === 0x1a;
    if (code !== 0x1b) this.isOpen = code === 0x1a;
  }

  #word(): Buffer {
    const word = Buffer.alloc(2);
    word.writeUInt16LE(
      (this.isOpen ? 0x10 : 0) | (this.isTold && this.hasCommandBit ? 0x40 : 0) | (this.isGuaranteed ? 0x1000 : 0),
    );
    return word;
  }
}

interface Rig extends Opened {
  readonly relay: Relay;
}

async function makeRig(on: '1B' | '1C' = '1C', more: object = { password: '123456', operator: '42' }): Promise<Rig> {
  const stack = new AsyncDisposableStack();
  const relay = new Relay();
  const line = stack.use(await startLine((request) => relay.answer(request)));
  const profile = profileOf(on);
  const clock = systemClock;
  const buses = stack.use(createBuses({ clock }));
  const driver = createDlt645Driver({ clock, profiles: new Map([['x/y', profile]]), buses });
  const tcp = { host: '127.0.0.1', port: line.port, baud: 115_200 };
  const address = { tcp, meter, timeout: '500ms', lateWindow: '20ms', ...more };
  const opened = stack.use(await openDevice(driver, deviceOf(profile, address)));
  return { ...opened, relay, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('the relay of a DL/T 645 meter', () => {
  it('is commanded with level, password, operator and Beijing time, all but the level low byte first', () => {
    const { question } = relayExchange(
      { meter, preamble: 0 },
      { password: '02123456', operator: '00000042', command: 0x1a, expires: Date.UTC(2026, 10, 22, 20, 5, 9) },
    );
    expect([...framesIn(question.request)][0]?.frame).toEqual({
      address: meter,
      control: 0x1c,
      data: Buffer.from('02563412420000001a00090504231126', 'hex'),
    });
  });

  it('opens and closes, read back from the status word, which is told at once', async () => {
    await using rig = await makeRig();
    expect(await rig.write('relay', false)).toMatchObject({ outcome: 'done', value: false });
    expect(rig.relay.isOpen).toBe(true);
    expect(rig.told).toEqual([{ point: 'relay', value: false, quality: 'good' }]);
    expect(await rig.write('relay', true)).toMatchObject({ outcome: 'done', value: true });
    expect(rig.relay.commands.map((command) => command.slice(0, 18))).toEqual([
      '0256341242000000' + '1a',
      '0256341242000000' + '1c',
    ]);
  });

  it('is left alone when it is already as wanted', async () => {
    await using rig = await makeRig();
    expect(await rig.write('relay', true)).toMatchObject({ outcome: 'done', value: true });
    expect(rig.relay.commands).toEqual([]);
  });

  it('is not believed when it only acknowledges, and not pressed', async () => {
    await using rig = await makeRig();
    rig.relay.manner = 'acknowledges';
    expect(await rig.write('relay', false)).toMatchObject({ outcome: 'mismatch', value: true });
    expect(rig.relay.commands).toHaveLength(1);
  });

  it('is done when the answer was lost but the relay moved', async () => {
    await using rig = await makeRig();
    rig.relay.manner = 'silent';
    expect(await rig.write('relay', false)).toMatchObject({ outcome: 'done', value: false });
  });

  it('costs one try of a wrong password, however often it is asked for', async () => {
    await using rig = await makeRig();
    rig.relay.manner = 0x04;
    expect(await rig.write('relay', false)).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('error 04 (wrong password, not authorised'),
    });
    rig.relay.manner = 'obeys';
    expect(await rig.write('relay', false)).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('not tried again for a day'),
    });
    expect(rig.relay.commands).toHaveLength(1);
  });

  it('is not forced when the meter itself opened it', async () => {
    await using rig = await makeRig();
    await rig.write('relay', false);
    await rig.write('relay', true);
    rig.relay.isOpen = true;
    expect(await rig.write('relay', true)).toMatchObject({
      outcome: 'refused',
      value: false,
      message: expect.stringContaining('keeps its relay open'),
    });
    expect(rig.relay.commands).toHaveLength(2);
    // But it may be told to stay open.
    expect(await rig.write('relay', false)).toMatchObject({ outcome: 'done', value: false });
    expect(rig.relay.commands).toHaveLength(3);
  });

  it('of an older meter, which does not say what it was told, is closed, but not a second time', async () => {
    await using rig = await makeRig();
    rig.relay.hasCommandBit = false;
    expect(await rig.write('relay', false)).toMatchObject({ outcome: 'done', value: false });
    expect(await rig.write('relay', true)).toMatchObject({ outcome: 'done', value: true });
    rig.relay.isOpen = true;
    rig.relay.manner = 'acknowledges';
    expect(await rig.write('relay', true)).toMatchObject({ outcome: 'mismatch', value: false });
    expect(await rig.write('relay', true)).toMatchObject({ outcome: 'refused', value: false });
    expect(rig.relay.commands).toHaveLength(3);
  });

  it('is not opened while its supply is guaranteed', async () => {
    await using rig = await makeRig();
    rig.relay.isGuaranteed = true;
    expect(await rig.write('relay', false)).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('guaranteed'),
    });
    expect(rig.relay.commands).toEqual([]);
  });

  it('that may only be allowed to close says that somebody has to press the button', async () => {
    await using rig = await makeRig('1B');
    rig.relay.isOpen = true;
    rig.relay.isTold = true;
    const waiting = { outcome: 'sent', value: false, message: expect.stringContaining('press the button') };
    expect(await rig.write('relay', true)).toMatchObject(waiting);
    expect(await rig.write('relay', true)).toMatchObject(waiting);
    expect(rig.relay.commands).toHaveLength(1);
    rig.relay.isOpen = false;
    expect(await rig.write('relay', true)).toMatchObject({ outcome: 'done', value: true });
  });

  it('needs a password, a boolean and time', async () => {
    await using rig = await makeRig('1C', {});
    expect(await rig.write('relay', false)).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('address.password'),
    });
    await using able = await makeRig();
    expect(await able.write('relay', 0)).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('boolean'),
    });
    expect(await able.write('relay', false, systemClock.now() - 1)).toMatchObject({ outcome: 'expired' });
    expect(able.relay.commands).toEqual([]);
  });
});
