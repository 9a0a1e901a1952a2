import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { mergeAdopted, readAdopted } from '#edge/runtime/adopted.ts';
import { methodKeyFile } from '#edge/runtime/rpc-keys.ts';
import type { ChildSpec } from '#edge/runtime/supervisor.ts';
import { type EdgeInit, type FlowsInit, type NotifyInit, paths, type WebInit } from './context.ts';

const module = (name: string): string => join(import.meta.dirname, `${name}.ts`);

/**
 * The processes of one campus, as the supervisor starts them; see docs/architecture.md. `init.site` is the site file's:
 * what was adopted beside it is read again at each start of a process.
 */
export function edgeProcesses(init: EdgeInit): ChildSpec[] {
  const current = (): EdgeInit => ({ ...init, site: mergeAdopted(init.site, readAdopted(init.data)) });
  /** Whoever breaks one process has the rights of that one. */
  const own = (name: string) => (): EdgeInit => ({ ...current(), tokens: tokenOf(init, name), flowsSecret: '' });
  const specs: ChildSpec[] = [
    { name: 'core', module: module('core'), heapMb: 512, watchesProcesses: true, mayReload: true, init: current },
    // Samples live for a moment only: a small nursery keeps hundreds of meters within 120 MB and costs no CPU to speak of.
    {
      name: 'fieldbus',
      module: module('fieldbus'),
      heapMb: 192,
      nodeFlags: ['--max-semi-space-size=2'],
      init: own('fieldbus'),
    },
    // The same: without it 64 cameras take 300 MB instead of 190.
    {
      name: 'camera',
      module: module('camera'),
      heapMb: 192,
      nodeFlags: ['--max-semi-space-size=2'],
      init: own('camera'),
    },
    { name: 'media', module: module('media'), heapMb: 256, init: own('media') },
    { name: 'broadcast', module: module('broadcast'), heapMb: 192, init: own('broadcast') },
    {
      name: 'web',
      module: module('web'),
      heapMb: 256,
      watchesProcesses: true,
      init: (): WebInit => ({ ...current(), tokens: tokenOf(init, 'web'), siteError: null }),
    },
  ];
  if (init.site.city !== undefined) {
    specs.push({ name: 'uplink', module: module('uplink'), heapMb: 192, init: own('uplink') });
  }
  if (init.site.notify !== undefined) specs.push(notifyProcess(init));
  if (init.site.flows.enabled) specs.push(flowsProcess(init));
  return specs;
}

function tokenOf(init: EdgeInit, name: string): EdgeInit['tokens'] {
  return { [name]: init.tokens[name] ?? '' };
}

function notifyProcess(init: EdgeInit): ChildSpec {
  const { mqtt, campus, notify, folder } = init.site;
  const site = { mqtt, campus, folder, ...(notify === undefined ? {} : { notify }) };
  const own: NotifyInit = { site, data: init.data, tokens: tokenOf(init, 'notify') };
  return { name: 'notify', module: module('notify'), heapMb: 128, init: () => own };
}

/** Node-RED: what people write there is kept from our files, programs and processes; the network stays open to it. */
function flowsProcess(init: EdgeInit): ChildSpec {
  const { mqtt, http, flows, folder } = init.site;
  const site = { mqtt, http, flows, folder };
  const { data, flowsSecret } = init;
  return {
    name: 'flows',
    module: module('flows'),
    heapMb: 256,
    memoryMb: 768,
    nice: 19,
    nodeFlags: flowsPermissions(init),
    init: (recentCrashes): FlowsInit => ({
      site,
      data,
      flowsSecret,
      tokens: tokenOf(init, 'flows'),
      safeMode: recentCrashes >= 3,
    }),
  };
}

const root = join(import.meta.dirname, '../..');

function flowsPermissions({ site, data }: EdgeInit): string[] {
  const logs = ['', '.1', '.2'].map((older) => join(paths.logs(data), `flows.log${older}`));
  const own = [paths.flows(site), paths.flowsState(data)];
  // Not the whole project: the demo's data folder lies in it.
  const program = ['edge', 'node_modules', 'cloud-bridge', 'package.json'].map((name) => join(root, name));
  const modules = realpathSync(join(root, 'node_modules'));
  const read = [...program, modules, ...own, methodKeyFile(paths.socket(data), 'flows.saved')];
  // Folders that are made later are known by the star only.
  const tree = (option: string) => (path: string) => [`--${option}=${path}`, `--${option}=${path}/*`];
  const files = logs.flatMap((file) => [`--allow-fs-read=${file}`, `--allow-fs-write=${file}`]);
  return ['--permission', ...read.flatMap(tree('allow-fs-read')), ...own.flatMap(tree('allow-fs-write')), ...files];
}

/** A bad site file still starts the web process, which shows what is wrong. */
export function brokenSiteProcesses(data: string, siteError: string, port: number): ChildSpec[] {
  const init: WebInit = { siteError, data, host: '127.0.0.1', port };
  return [{ name: 'web', module: module('web'), heapMb: 256, watchesProcesses: true, init: () => init }];
}
