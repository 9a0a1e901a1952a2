import type { CampusWeb } from './campus-web.ts';
import type { Asker, Guest } from './guest.ts';
import type { FlowNode } from './node-api.ts';

/** What our nodes have of the campus. */
export interface Door {
  readonly guest: Guest;
  /** null where there is no web process to ask. */
  readonly web: CampusWeb | null;
  /** As whom a node asks. */
  askerOf(node: FlowNode): Asker;
  /** Runs what a subscription of the node brings as the node's own deed: it is put down to its tab. */
  runAs(node: FlowNode, act: () => void): void;
}

/** The property of Node-RED's settings that leads a node to its door. Function nodes cannot see settings. */
export const settingsKey = 'campusGuest';

const doors = new WeakMap<object, Door>();

/** Node-RED hands the value of a setting to every node as it is: an empty, frozen token that says nothing to others. */
export function registerDoor(door: Door): object {
  const token = Object.freeze({});
  doors.set(token, door);
  return token;
}

/** The door of the Node-RED that a node lives in; undefined in any other Node-RED. */
export function doorOf(settings: Readonly<Record<string, unknown>>): Door | undefined {
  const token = settings[settingsKey];
  return typeof token === 'object' && token !== null ? doors.get(token) : undefined;
}
