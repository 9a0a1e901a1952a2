import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeBody, decodeGap, encodeBody, encodeGap, toWire } from '#bridge/contract/bodies.ts';
import { decodeFrame, encodeFrame } from '#bridge/contract/frame.ts';
import { lanes } from '#bridge/contract/lanes.ts';
import { readAnswer, readHello, readWill } from '#bridge/contract/messages.ts';
import { bodies, gapHeader, headers } from '../fixtures/bridge/samples.ts';

/*
 * The golden frames are fixed: campuses in the field speak them. A change that breaks one of these is a new version `v`,
 * whose goldens come beside these.
 */
const folder = join(import.meta.dirname, '../fixtures/bridge/v1');
const golden = (name: string): Buffer => readFileSync(join(folder, name));

describe('bridge golden frames, version 1', () => {
  it.each(lanes)('encodes lane %s byte for byte', (lane) => {
    const { ct, bytes } = encodeBody(toWire(lane, bodies[lane]));
    const frame = encodeFrame({ header: { ...headers[lane], ct }, body: bytes });
    expect(frame.toString('latin1')).toBe(golden(`${lane}.bin`).toString('latin1'));
  });

  it.each(lanes)('reads lane %s', (lane) => {
    const { header, body } = decodeFrame(golden(`${lane}.bin`));
    expect(header).toEqual(headers[lane]);
    expect(decodeBody(header.l, header.ct, body)).toEqual({ lane, content: bodies[lane] });
  });

  it('reads a compressed body', () => {
    const { header, body } = decodeFrame(golden('agg1m-zstd.bin'));
    expect(header.ct).toBe('json+zstd');
    expect(decodeBody(header.l, header.ct, body)).toEqual({ lane: 'agg1m', content: bodies.agg1m });
  });

  it('encodes and reads the gap marker', () => {
    const marker = { to: 4, reason: 'unencodable', message: 'event body: id: must be a UUID' } as const;
    const frame = encodeFrame({ header: gapHeader, body: encodeGap(marker) });
    expect(frame.toString('latin1')).toBe(golden('gap.bin').toString('latin1'));
    const read = decodeFrame(golden('gap.bin'));
    expect(read.header).toEqual(gapHeader);
    expect(decodeGap(read.body)).toEqual(marker);
  });

  it('reads a frame of a newer edge that has added header keys', () => {
    const { header } = decodeFrame(golden('added-keys.bin'));
    expect(header).toEqual(headers.event);
  });

  it('reads hello, will, ack and nack', () => {
    expect(readHello(golden('hello.golden.json'))).toMatchObject({
      session: '5f0c1d1e-93d7-4d7e-8f6b-0d2f6c1b7a90',
      lanes: { alarm: { epoch: 3, min: 1, head: 17 }, agg1m: { epoch: 3, min: 9000, head: 10081 } },
    });
    expect(readWill(golden('will.golden.json'))).toEqual({ v: 1, session: '5f0c1d1e-93d7-4d7e-8f6b-0d2f6c1b7a90' });
    expect(readAnswer(golden('ack.golden.json'))).toMatchObject({
      kind: 'ack',
      credit: 16,
      paceMs: 0,
      lanes: { alarm: { epoch: 3, wm: 17 } },
    });
    expect(readAnswer(golden('nack.golden.json'))).toMatchObject({ kind: 'nack', lane: 'agg1m', expect: 10080 });
  });
});
