import type { Socket } from 'node:net';
import { collide, type MeterFaults, seededRandom } from './meter-faults.ts';
import type { SimFault, Unwrapped } from './modbus-server.ts';

/* What goes wrong with the answers of Modbus devices. */

export type Later = (ms: number, action: () => void) => void;

export interface Delivery {
  readonly socket: Socket;
  readonly request: Unwrapped;
  readonly answer: Buffer;
  readonly fault: SimFault | null;
  readonly later: Later;
  /** Connections that are open and dead. */
  readonly deaf: WeakSet<Socket>;
}

/** The same mix of faults as for the meters of other protocols. */
export function modbusFaults(mix: MeterFaults): (request: { readonly n: number }) => SimFault | null {
  return ({ n }) => {
    const fault = mix(n);
    if (fault === null) return null;
    switch (fault.kind) {
      case 'silent':
        return { kind: 'dropped' };
      case 'truncated':
        return { kind: 'short' };
      case 'checksum':
        return { kind: 'crc' };
      case 'slow':
      case 'late':
      case 'doubled':
      case 'split':
        return { kind: fault.kind, ms: fault.ms };
      default:
        return { kind: fault.kind };
    }
  };
}

/** Sends the answer, or what the fault makes of it. */
export function deliver({ socket, request, answer, fault, later, deaf }: Delivery): void {
  const send = (bytes: Buffer) => {
    if (!socket.destroyed && !deaf.has(socket)) socket.write(bytes);
  };
  switch (fault?.kind) {
    case undefined:
    case 'exception':
      send(answer);
      return;
    case 'late':
    case 'slow':
      later(fault.ms, () => send(answer));
      return;
    case 'doubled':
      send(answer);
      later(fault.ms, () => send(answer));
      return;
    case 'split': {
      const half = Math.ceil(answer.length / 2);
      send(answer.subarray(0, half));
      later(fault.ms, () => send(answer.subarray(half)));
      return;
    }
    case 'dropped':
      return;
    case 'garbage':
      send(Buffer.from(answer.map((byte) => byte ^ 0x5a)));
      return;
    case 'noise':
      send(Buffer.concat([Buffer.from([0xff, 0x00, answer[0] ?? 0, 0x55]), answer]));
      return;
    case 'crc': {
      const broken = Buffer.from(answer);
      broken[4] = (broken[4] ?? 0) ^ 0xff;
      send(broken);
      return;
    }
    case 'short':
      send(answer.subarray(0, -2));
      return;
    case 'stranger':
      send(request.wrap(strangerOf(request)));
      return;
    case 'collision': {
      const random = seededRandom(answer.length);
      // Two CRCs that differ do not mix to one that fits; the unit and function they agree on come through.
      const twin = Buffer.from(answer.map((byte, i) => (i < 2 ? byte : byte ^ (1 + Math.floor(random() * 255)))));
      send(collide([answer, twin], random, (bytes) => bytes.equals(answer)));
      return;
    }
    case 'reset':
      socket.resetAndDestroy();
      return;
    case 'close':
      socket.end();
      return;
    case 'half-open':
      deaf.add(socket);
      return;
    case 'raw':
      send(fault.bytes);
  }
}

/** Another unit's answer, well formed. */
function strangerOf({ body }: Unwrapped): Buffer {
  return Buffer.from([((body[0] ?? 0) % 200) + 1, body[1] ?? 0, 2, 0x12, 0x34]);
}
