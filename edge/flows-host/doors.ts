import dgram from 'node:dgram';
import net from 'node:net';
import os from 'node:os';
import { CodedError } from '#edge/runtime/errors.ts';

/** Signals to others, and the debugger in others: not one of them is for a flow. */
const shut = ['kill', '_kill', '_debugProcess', '_debugEnd'];

/**
 * Node's permission model keeps a function node that has got out of its sandbox (which takes one line) from files,
 * programs, threads and add-ons, but not from the other processes of this user: they could be killed, opened by a
 * debugger, or slowed down. These doors have no other handle: `process.binding` is closed by the permission model.
 * Like it a seat belt, not a wall: production runs under a service manager that knows one, too.
 */
export function shutDoors(): void {
  for (const name of shut) forbid(process, name, `process.${name}`);
  forbid(os, 'setPriority', 'os.setPriority');
}

/**
 * No flow opens a port of its own: what it would serve there is behind no session of ours. Call it when everything of ours
 * listens. Connections out stay open to it: the service manager's address filter is what limits those.
 */
export function shutListening(): void {
  forbid(net.Server.prototype, 'listen', 'listening');
  forbid(net, '_createServerHandle', 'listening');
  forbid(dgram.Socket.prototype, 'bind', 'binding a socket');
  forbid(dgram, '_createSocketHandle', 'binding a socket');
}

function forbid(owner: object, name: string, what: string): void {
  const value = (): never => {
    throw new CodedError('FLOWS_FORBIDDEN', `${what} is not for flows`);
  };
  Object.defineProperty(owner, name, { value, writable: false, configurable: false, enumerable: true });
}
