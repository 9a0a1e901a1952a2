import { type ComponentType, type LazyExoticComponent, lazy } from 'react';
import type { Right } from '#edge/domain/access.ts';
import type { frameWords } from './words.ts';

/*
 * Every page of the console: one line each. A page is a folder in pages/ whose index.tsx exports `Page`; it is fetched when it
 * is first opened. The server refuses what a person may not do; here it is only left out of the navigation.
 */

export type PageName =
  | 'overview'
  | 'alarms'
  | 'incidents'
  | 'patrols'
  | 'map'
  | 'energy'
  | 'live'
  | 'footage'
  | 'cameras'
  | 'devices'
  | 'meters'
  | 'inbox'
  | 'assets'
  | 'school-day'
  | 'school-plan'
  | 'power'
  | 'broadcast'
  | 'emergency'
  | 'clips'
  | 'rules'
  | 'outputs'
  | 'flows'
  | 'notices'
  | 'system'
  | 'people'
  | 'audit'
  | 'security'
  | 'account';
export type GroupName = 'watch' | 'school' | 'sound' | 'automation' | 'things' | 'box';

export interface PageEntry {
  readonly name: PageName;
  /** Of the route: `/devices` also matches `/devices/<anything>`. */
  readonly path: string;
  /** Other routes of the same page. */
  readonly also?: readonly string[];
  /** null: anybody who is signed in. */
  readonly right: Right | null;
  /** null: not in the navigation. */
  readonly group: GroupName | null;
  /** Second key of the shortcut `g <key>`. */
  readonly key: string;
  readonly title: keyof (typeof frameWords)['zh'];
  readonly Page: LazyExoticComponent<ComponentType>;
}

const page = (load: () => Promise<{ readonly Page: ComponentType }>) =>
  lazy(async () => ({ default: (await load()).Page }));

export const pages: readonly PageEntry[] = [
  {
    name: 'overview',
    path: '/',
    right: 'see',
    group: 'watch',
    key: 'o',
    title: 'overview',
    Page: page(() => import('./pages/overview/index.tsx')),
  },
  {
    name: 'alarms',
    path: '/alarms',
    right: 'see',
    group: 'watch',
    key: 'a',
    title: 'alarms',
    Page: page(() => import('./pages/alarms/index.tsx')),
  },
  {
    name: 'incidents',
    path: '/incidents',
    right: 'incidents',
    group: 'watch',
    key: 'w',
    title: 'incidents',
    Page: page(() => import('./pages/incidents/index.tsx')),
  },
  {
    name: 'patrols',
    path: '/patrols',
    also: ['/patrol'],
    right: 'incidents',
    group: 'watch',
    key: 'b',
    title: 'patrols',
    Page: page(() => import('./pages/patrols/index.tsx')),
  },
  {
    name: 'map',
    path: '/map',
    right: 'see',
    group: 'watch',
    key: 'm',
    title: 'map',
    Page: page(() => import('./pages/map/index.tsx')),
  },
  {
    name: 'energy',
    path: '/energy',
    right: 'see',
    group: 'watch',
    key: 'e',
    title: 'energy',
    Page: page(() => import('./pages/energy/index.tsx')),
  },
  {
    name: 'live',
    path: '/live',
    right: 'live',
    group: 'watch',
    key: 'l',
    title: 'live',
    Page: page(() => import('./pages/live/index.tsx')),
  },
  {
    name: 'footage',
    path: '/footage',
    right: 'playback',
    group: 'watch',
    key: 'h',
    title: 'footage',
    Page: page(() => import('./pages/footage/index.tsx')),
  },
  {
    name: 'cameras',
    path: '/cameras',
    right: 'see',
    group: 'watch',
    key: 'v',
    title: 'cameras',
    Page: page(() => import('./pages/cameras/index.tsx')),
  },
  {
    name: 'school-day',
    path: '/school-day',
    right: 'see',
    group: 'school',
    key: 'j',
    title: 'schoolDay',
    Page: page(() => import('./pages/school-day/index.tsx')),
  },
  {
    name: 'school-plan',
    path: '/school-plan',
    right: 'see',
    group: 'school',
    key: 'q',
    title: 'schoolPlan',
    Page: page(() => import('./pages/school-plan/index.tsx')),
  },
  {
    name: 'power',
    path: '/power',
    right: 'see',
    group: 'school',
    key: 'z',
    title: 'power',
    Page: page(() => import('./pages/power/index.tsx')),
  },
  {
    name: 'emergency',
    path: '/emergency',
    right: 'see',
    group: 'sound',
    key: '0',
    title: 'emergency',
    Page: page(() => import('./pages/emergency/index.tsx')),
  },
  {
    name: 'broadcast',
    path: '/broadcast',
    right: 'see',
    group: 'sound',
    key: 'g',
    title: 'broadcast',
    Page: page(() => import('./pages/broadcast/index.tsx')),
  },
  {
    name: 'clips',
    path: '/clips',
    right: 'see',
    group: 'sound',
    // Every letter is taken.
    key: '1',
    title: 'clips',
    Page: page(() => import('./pages/clips/index.tsx')),
  },
  {
    name: 'rules',
    path: '/rules',
    right: 'see',
    group: 'automation',
    key: 'r',
    title: 'rules',
    Page: page(() => import('./pages/rules/index.tsx')),
  },
  {
    name: 'devices',
    path: '/devices',
    also: ['/points'],
    right: 'see',
    group: 'things',
    key: 'd',
    title: 'devices',
    Page: page(() => import('./pages/devices/index.tsx')),
  },
  {
    name: 'meters',
    path: '/energy/meters',
    also: ['/energy/counters', '/energy/lines'],
    right: 'see',
    group: 'things',
    key: 'k',
    title: 'meters',
    Page: page(() => import('./pages/meters/index.tsx')),
  },
  {
    name: 'inbox',
    path: '/inbox',
    right: 'devices',
    group: 'things',
    key: 'i',
    title: 'inbox',
    Page: page(() => import('./pages/inbox/index.tsx')),
  },
  {
    name: 'assets',
    path: '/assets',
    right: 'assets',
    group: 'things',
    key: 't',
    title: 'assets',
    Page: page(() => import('./pages/assets/index.tsx')),
  },
  {
    name: 'outputs',
    path: '/outputs',
    right: 'see',
    group: 'automation',
    key: 'x',
    title: 'outputs',
    Page: page(() => import('./pages/outputs/index.tsx')),
  },
  {
    name: 'flows',
    path: '/flows',
    right: 'flows-view',
    group: 'automation',
    key: 'f',
    title: 'flows',
    Page: page(() => import('./pages/flows/index.tsx')),
  },
  {
    name: 'notices',
    path: '/notices',
    right: 'see',
    group: 'automation',
    key: 'n',
    title: 'notices',
    Page: page(() => import('./pages/notices/index.tsx')),
  },
  {
    name: 'system',
    path: '/system',
    right: 'system',
    group: 'box',
    key: 's',
    title: 'system',
    Page: page(() => import('./pages/system/index.tsx')),
  },
  {
    name: 'people',
    path: '/people',
    right: 'people',
    group: 'box',
    key: 'p',
    title: 'people',
    Page: page(() => import('./pages/people/index.tsx')),
  },
  {
    name: 'audit',
    path: '/audit',
    right: 'audit',
    group: 'box',
    key: 'u',
    title: 'audit',
    Page: page(() => import('./pages/audit/index.tsx')),
  },
  {
    name: 'security',
    path: '/security',
    right: 'security',
    group: 'box',
    key: 'c',
    title: 'security',
    Page: page(() => import('./pages/security/index.tsx')),
  },
  {
    name: 'account',
    path: '/account',
    right: null,
    group: null,
    key: 'y',
    title: 'account',
    Page: page(() => import('./pages/account/index.tsx')),
  },
];

/** Whether an address belongs to a page. */
export function isAt(entry: PageEntry, location: string): boolean {
  const [path = '/'] = location.split('?');
  const { path: own, also = [] } = entry;
  return [own, ...also].some((route) => path === route || (route !== '/' && path.startsWith(`${route}/`)));
}

/** The page of an address: of two that it belongs to the nearer one, `/energy/meters` before `/energy`. */
export function pageAt(entries: readonly PageEntry[], location: string): PageEntry | undefined {
  const found = entries.filter((entry) => isAt(entry, location));
  return found.reduce<PageEntry | undefined>(
    (best, entry) => (best === undefined || entry.path.length > best.path.length ? entry : best),
    undefined,
  );
}
