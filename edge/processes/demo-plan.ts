import { existsSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { openDemoApi } from './demo-api.ts';

/*
 * The demo's plan, put there by the hand of whoever set the campus up: over the HTTP API, as a person would, and once. Who takes it away
 * does not get it back at the next start.
 */

export interface DemoPlan {
  /** Of the web process, e.g. http://127.0.0.1:8080. */
  readonly url: string;
  /** With the token of the HTTP API; the first start makes it. */
  readonly tokenFile: string;
  /** Written when it is done. */
  readonly doneFile: string;
}

interface Placed {
  readonly x: number;
  readonly y: number;
  readonly view?: { readonly direction: number; readonly angle: number; readonly reach: number };
}

const picture = new URL('../simulators/demo-plan.svg', import.meta.url);

/** Fractions of demo-plan.svg. */
const places: Readonly<Record<string, Placed>> = {
  'camera-gate': { x: 0.43, y: 0.795, view: { direction: 122, angle: 75, reach: 0.15 } },
  'camera-playground': { x: 0.622, y: 0.105, view: { direction: 116, angle: 58, reach: 0.27 } },
  'loop-gatehouse': { x: 0.37, y: 0.815 },
  'button-gatehouse': { x: 0.37, y: 0.855 },
  'door-gate': { x: 0.438, y: 0.895 },
  'fire-panel': { x: 0.402, y: 0.855 },
  'switch-gate': { x: 0.402, y: 0.815 },
  'sign-gate': { x: 0.47, y: 0.9 },
  'speaker-gate': { x: 0.545, y: 0.885 },
  'speaker-playground': { x: 0.935, y: 0.105 },
  'speaker-teaching': { x: 0.515, y: 0.245 },
  'smoke-101': { x: 0.08, y: 0.3 },
  'climate-101': { x: 0.105, y: 0.35 },
  'pir-101': { x: 0.14, y: 0.3 },
  'plug-1': { x: 0.155, y: 0.37 },
  'smoke-102': { x: 0.23, y: 0.31 },
  'smoke-201': { x: 0.085, y: 0.13 },
  'climate-201': { x: 0.115, y: 0.18 },
  'air-201': { x: 0.15, y: 0.13 },
  'noise-201': { x: 0.18, y: 0.13 },
  'air-301': { x: 0.35, y: 0.14 },
  'meter-main': { x: 0.44, y: 0.13 },
  'relay-1': { x: 0.475, y: 0.13 },
  'lights-2f': { x: 0.51, y: 0.13 },
  'panel-201': { x: 0.14, y: 0.18 },
  'screen-203': { x: 0.21, y: 0.125 },
  'ac-203': { x: 0.26, y: 0.125 },
  'climate-203': { x: 0.21, y: 0.18 },
  'pir-203': { x: 0.26, y: 0.18 },
  'speaker-kindergarten': { x: 0.705, y: 0.6 },
  'meter-teaching': { x: 0.44, y: 0.19 },
  'meter-ac': { x: 0.475, y: 0.19 },
  'meter-canteen': { x: 0.085, y: 0.62 },
  'leak-kitchen': { x: 0.14, y: 0.63 },
  'water-main': { x: 0.085, y: 0.76 },
};

/** Resolves when the plan is there with everything on it, or when `signal` says to stop. Rejects when the campus refuses it. */
export async function placeDemoPlan({ url, tokenFile, doneFile }: DemoPlan, signal: AbortSignal): Promise<void> {
  if (existsSync(doneFile)) return;
  const { ask } = await openDemoApi(url, tokenFile, signal);
  const known = await ask('plans');
  if (Array.isArray(known) && known.length === 0) {
    const names = new URLSearchParams({ id: 'grounds', zh: '校园总图', en: 'Grounds' });
    await ask(`plans?${names}`, 'POST', 'image/svg+xml', await readFile(picture));
    for (const [device, place] of Object.entries(places)) {
      await ask(`plans/grounds/places/${device}`, 'PUT', 'application/json', JSON.stringify(place));
    }
  }
  writeFileSync(doneFile, '');
}
