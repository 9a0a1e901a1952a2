import { join } from 'node:path';
import { type EdgeInit, newSecrets, paths } from '#edge/processes/context.ts';
import { type Demo, prepareDemo } from '#edge/processes/demo.ts';
import { brokenSiteProcesses, edgeProcesses } from '#edge/processes/specs.ts';
import { type Arguments, parseArguments, usage } from '#edge/runtime/arguments.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { lockDataFolder } from '#edge/runtime/data-lock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { createLog } from '#edge/runtime/log.ts';
import { findTakenPorts, type WantedPort } from '#edge/runtime/ports.ts';
import { writeRunNote } from '#edge/runtime/run-note.ts';
import { startServiceNotify } from '#edge/runtime/service-notify.ts';
import { loadSite, type Site } from '#edge/runtime/site.ts';
import { movePorts, portsOf } from '#edge/runtime/site-ports.ts';
import { type ChildSpec, type Supervisor, startSupervisor } from '#edge/runtime/supervisor.ts';

/* The supervisor: reads what to run, starts it, keeps it alive, and says where people find it. */

async function readSite(file: string, args: Arguments): Promise<Site | { readonly siteError: string }> {
  try {
    return movePorts(await loadSite(file), args);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { siteError: error.message };
  }
}

async function main(): Promise<void> {
  const args = parseArguments(process.argv.slice(2));
  if (args.help) return void process.stdout.write(usage);
  surviveClosedOutput();
  // Before anything is written: the demo would change the passwords of a campus that runs.
  const lock = lockDataFolder(args.data);
  process.on('exit', () => lock[Symbol.dispose]());
  const demo: Demo | null = args.site === null ? prepareDemo(args.data) : null;
  const siteFile = args.site ?? demo?.siteFile ?? '';
  writeRunNote(args.data, { site: siteFile, httpPort: args.httpPort, mqttPort: args.mqttPort }, systemClock);
  const read = await readSite(siteFile, args);
  const site = 'siteError' in read ? read : (demo?.place(read) ?? read);

  let specs: ChildSpec[];
  let wanted: WantedPort[];
  if ('siteError' in site) {
    process.stderr.write(`${site.siteError}\n`);
    specs = brokenSiteProcesses(args.data, site.siteError, args.httpPort ?? 8080);
    wanted = [{ host: '127.0.0.1', port: args.httpPort ?? 8080, setting: '--http-port' }];
  } else {
    const init: EdgeInit = { site, data: args.data, ...newSecrets() };
    const extra = demo === null ? [] : await demo.processes(site);
    specs = [...edgeProcesses(init), ...extra];
    wanted = [...portsOf(site), ...(demo?.ports ?? [])];
  }
  const taken = await findTakenPorts(wanted);
  if (taken.length > 0) throw new CodedError('PORT_TAKEN', taken.join('\n'));

  const logFolder = paths.logs(args.data);
  const supervisor = startSupervisor({
    specs,
    runFolder: join(args.data, 'run'),
    clock: systemClock,
    log: createLog('supervisor', args.logLevel, logFolder),
    logLevel: args.logLevel,
    logFolder,
    onReady: announce,
  });
  process.stdout.write(`Campus Edge starts; data in ${args.data}\n`);
  startServiceNotify(supervisor, systemClock);
  stopOnSignals(supervisor);
}

/** Who looks at what we say may go (`npm start | head`): the campus goes on. */
function surviveClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

/** A second Ctrl-C this much later is meant (ms); npm and the launcher pass the first one on as well. */
const echo = 1_000;

function stopOnSignals(supervisor: Supervisor): void {
  let first: number | null = null;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      const now = systemClock.monotonic();
      if (first === null) void supervisor[Symbol.asyncDispose]().then(() => process.exit(0));
      else if (now - first > echo) supervisor.kill();
      first ??= now;
    });
  }
}

const announced = new Map<string, string>();

/**
 * Tells people where to look, again when it changes: the link for the first administrator is another after each start of
 * web. It works once, so it may end in a journal that others read.
 */
function announce(name: string, info: Readonly<Record<string, string | number>>): void {
  const say = info.say === undefined ? '' : String(info.say);
  if (say === '' || announced.get(name) === say) return;
  announced.set(name, say);
  process.stdout.write(`${say}\n`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof CodedError)) throw error;
  process.stderr.write(`${messageOf(error)}\n${error.code === 'USAGE' ? `\n${usage}` : ''}`);
  process.exit(1);
}
