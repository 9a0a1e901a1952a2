import type { Page } from 'playwright-core';

/*
 * Everything of the console that people look at, so that whoever asks something of all of it asks it of the same: each page of
 * the registry, and each kind of dialog and drawer. Selectors hold in both languages.
 */

export interface View {
  readonly hash: string;
  /** It is there when this is. */
  readonly ready: string;
  /** Who sees it; default the administrator. Who administers does not read the audit. */
  readonly who?: 'auditor';
  /** Opens what is not there by its address alone. */
  readonly open?: (page: Page) => Promise<void>;
}

interface Registry {
  readonly pages: readonly { readonly name: string; readonly path: string }[];
}

/** The pages of the console. Its code has types of its own (DOM, JSX), so that only its table is read here. */
export async function registry(): Promise<Registry['pages']> {
  const { pages } = (await import(new URL('../../edge/web/console/pages.ts', import.meta.url).href)) as Registry;
  return pages;
}

/** By the name that the registry gives it. */
export const pageViews: Readonly<Record<string, View>> = {
  overview: { hash: '/', ready: '.overview .meter' },
  alarms: { hash: '/alarms', ready: '.alarms-row' },
  incidents: { hash: '/incidents', ready: '.incidents-row, .incidents .kit-empty' },
  patrols: { hash: '/patrols', ready: '.patrols-place, main .kit-empty' },
  map: { hash: '/map', ready: 'main [data-device]' },
  energy: { hash: '/energy', ready: '.energy-strip' },
  live: { hash: '/live', ready: '.live-tile' },
  footage: { hash: '/footage', ready: '[data-choose]' },
  cameras: { hash: '/cameras', ready: '[data-camera-link]' },
  power: { hash: '/power', ready: '.power' },
  'school-day': { hash: '/school-day', ready: '.schoolday' },
  'school-plan': { hash: '/school-plan', ready: '.schoolplan-month' },
  emergency: { hash: '/emergency', ready: '.emergency-plans' },
  broadcast: { hash: '/broadcast', ready: '.broadcast-grid, .broadcast .kit-empty, .broadcast .kit-error' },
  clips: { hash: '/clips', ready: '.clips [data-row]' },
  rules: { hash: '/rules', ready: '.rules-row' },
  devices: { hash: '/devices', ready: '[role=tree] [data-device]' },
  meters: { hash: '/energy/meters', ready: '[data-meter-link]' },
  inbox: { hash: '/inbox', ready: 'main h1, main .kit-empty' },
  assets: { hash: '/assets', ready: '#assets-text' },
  outputs: { hash: '/outputs', ready: '.outputs-row' },
  flows: { hash: '/flows', ready: 'main .kit-empty, main .kit-error, .flows-line' },
  notices: { hash: '/notices', ready: '.notices .kit-empty, .notices-ladders' },
  system: { hash: '/system', ready: '.system-facts' },
  people: { hash: '/people', ready: '.people-name' },
  audit: { hash: '/audit', ready: '.audit-open, .audit-card', who: 'auditor' },
  security: { hash: '/security', ready: '[data-control]' },
  account: { hash: '/account', ready: '.account-sessions' },
};

const shelve = '.alarms-detail .alarms-do .kit-actions button:nth-child(2)';

export const furtherViews: Readonly<Record<string, View>> = {
  'a rule, and why': { hash: '/rules/fire', ready: '.rules-cond' },
  'rules of safety': { hash: '/rules/safety', ready: '.rules-sheet' },
  'writing a rule': { hash: '/rules/overload/edit', ready: '.rules-check' },
  'what a rule said before': { hash: '/rules/fire?tab=versions', ready: '.rules-version' },
  'rehearsing a rule': { hash: '/rules/fire?tab=rehearse', ready: '.rules-choice' },
  'a device': { hash: '/devices/relay-1', ready: '.devices-output' },
  'a curve': { hash: '/points/meter-main/power?range=1h', ready: '.devices-figures' },
  'a curve as a table': { hash: '/points/meter-main/power?range=1h&view=table', ready: '.devices-figures' },
  'one meter': { hash: '/energy/meters/main', ready: '.meters-figures' },
  'one meter over a week': { hash: '/energy/meters/main?kind=week', ready: '.meters-figures' },
  'one camera live': { hash: '/live/camera-gate', ready: '.live-large' },
  'footage of two cameras': {
    hash: '/footage?cameras=camera-gate,camera-playground&at=1795375800000&still=1',
    ready: '.footage-timeline',
  },
  'one camera': { hash: '/cameras/camera-gate', ready: '.cameras-one .cameras-legend' },
  'drawing masks': {
    hash: '/cameras/camera-gate',
    ready: '.cameras-canvas',
    open: (page) => page.click('[data-act=draw-masks]'),
  },
  'steps of counters': { hash: '/energy/counters', ready: '.meters-decided' },
  'lines that meters share': { hash: '/energy/lines', ready: '.meters-line' },
  'operating an output': {
    hash: '/devices/relay-1',
    ready: '.ant-modal form',
    open: (page) => page.click('[data-ref="relay-1/relay_3"] .ant-btn >> nth=0'),
  },
  'a circuit, and why': { hash: '/power/at/lights-2f/relay_3', ready: '.power-detail' },
  'holding a circuit': {
    hash: '/power/at/lights-2f/relay_3',
    ready: '.ant-modal form',
    open: (page) => page.click('[data-act=hold]'),
  },
  'the week of circuits': { hash: '/power/week', ready: '.power-week-bar' },
  'circuits of the draft': { hash: '/power/draft', ready: '.power-draft' },
  'writing a circuit': { hash: '/power/edit/new', ready: '.power-form' },
  'an output with its priorities': { hash: '/outputs/relay-1/relay_3', ready: '.outputs-rungs' },
  'turning on a mode': {
    hash: '/outputs',
    ready: '.ant-modal input',
    open: async (page) => {
      // On a phone modes are folded away.
      const fold = page.locator('.outputs-modes-fold:not([open]) > summary');
      await page.waitForSelector('.outputs-modes');
      if ((await fold.count()) > 0) await fold.click();
      await page.click('.outputs-modes li .ant-btn >> nth=0');
    },
  },
  'the report of energy': { hash: '/energy/report?kind=month', ready: '.energy-sheet' },
  'the report of alarms': { hash: '/alarms/report?days=1', ready: '.alarms-report-figures' },
  'mending and the network': {
    hash: '/system?tab=network',
    ready: '.system-network .kit-panel ~ .kit-panel [data-row]',
  },
  'mending a device by hand': {
    hash: '/devices/camera-gate',
    ready: '.ant-modal .devices-steps',
    open: (page) => page.click('[data-act=mend]'),
  },
  'adopting a device': { hash: '/inbox?add', ready: '.inbox-adopt' },
  'a person': {
    hash: '/people',
    ready: '.ant-drawer form',
    open: (page) => page.click('main .ant-btn-primary'),
  },
  'a key of a program': {
    hash: '/people?tab=tokens',
    ready: '.ant-drawer form',
    open: (page) => page.click('main .ant-btn-primary'),
  },
  'an asset': { hash: '/assets/meter-main', ready: '.ant-drawer form, .ant-drawer .kit-form' },
  'the logs': { hash: '/system?tab=logs', ready: '#log-text' },
  'the back-ups': { hash: '/system?tab=backups', ready: 'main [role=tabpanel] .kit-panel' },
  'alarms of before': { hash: '/alarms?view=history', ready: '.alarms-side [data-history], .alarms-side .kit-empty' },
  'a line of the audit': {
    hash: '/audit',
    ready: '.ant-drawer',
    who: 'auditor',
    open: (page) => page.click('.audit-open, .audit-card'),
  },
};

/** Of one alarm, with its own acts. */
export function alarmViews(id: string): Readonly<Record<string, View>> {
  return {
    'an alarm, to be acknowledged': { hash: `/alarms/${id}`, ready: '#alarms-note' },
    'shelving an alarm': {
      hash: `/alarms/${id}`,
      ready: '.ant-modal input',
      open: (page) => page.click(shelve),
    },
  };
}

/** Shows a view; what lay over the one before is gone. */
export async function show(page: Page, { hash, ready, open }: View): Promise<void> {
  // The same address twice would leave a dialog of before open.
  await page.evaluate(`void (location.hash = '/nowhere')`);
  await page.waitForSelector('.ant-modal, .ant-drawer', { state: 'detached' });
  await page.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);
  if (open !== undefined) await open(page);
  await page.waitForSelector(ready);
  await page.waitForSelector('.kit-skeleton', { state: 'detached' });
}
