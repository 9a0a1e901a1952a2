import type { Guest } from './guest.ts';

/** The property of Node-RED's settings that leads a node to its guest. Function nodes cannot see settings. */
export const settingsKey = 'campusGuest';

const guests = new WeakMap<object, Guest>();

/** Node-RED hands the value of a setting to every node as it is: an empty, frozen token that says nothing to others. */
export function registerGuest(guest: Guest): object {
  const token = Object.freeze({});
  guests.set(token, guest);
  return token;
}

/** The guest of the Node-RED that a node lives in; undefined in any other Node-RED. */
export function guestOf(settings: Readonly<Record<string, unknown>>): Guest | undefined {
  const token = settings[settingsKey];
  return typeof token === 'object' && token !== null ? guests.get(token) : undefined;
}
