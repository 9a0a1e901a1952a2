import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processNames } from '#edge/domain/health.ts';
import { type EdgeInit, newSecrets } from '#edge/processes/context.ts';
import { edgeProcesses } from '#edge/processes/specs.ts';
import { loadSite } from '#edge/runtime/site.ts';
import { notifySchema } from '#edge/runtime/site-notify.ts';

const demo = await loadSite(join(import.meta.dirname, '../../../edge/simulators/demo-site.yaml'));
const robot = { id: 'duty', name: { zh: '值班群', en: 'Duty' }, kind: 'wecom', urlFile: 'duty.url' };
const site = { ...demo, notify: notifySchema.parse({ channels: [robot] }) };
const init: EdgeInit = { site, data: '/var/lib/campus', ...newSecrets() };
const specs = edgeProcesses(init);

test('each process gets its own token and no other, except for core, which checks them', () => {
  expect(specs.map(({ name }) => name).sort()).toEqual([...processNames].sort());
  for (const spec of specs) {
    const told = JSON.stringify(spec.init(0));
    const known = processNames.filter((name) => told.includes(init.tokens[name] ?? '-'));
    expect(known, spec.name).toEqual(spec.name === 'core' ? [...processNames] : [spec.name]);
    const sees = told.includes(init.flowsSecret);
    expect(sees, spec.name).toBe(['core', 'web', 'flows'].includes(spec.name));
  }
});

test('the process that runs flows knows no password of a camera and reads no file of the data folder but its own', () => {
  const flows = specs.find(({ name }) => name === 'flows');
  expect(JSON.stringify(flows?.init(0))).not.toMatch(/demo-camera|camera-gate/);
  const flags = flows?.nodeFlags ?? [];
  expect(flags).toContain('--permission');
  expect(flags.join(' ')).not.toMatch(/allow-(child-process|worker|addons|wasi|inspector)/);
  const inData = flags.filter((flag) => flag.includes('=/var/lib/campus')).map((flag) => flag.split('=')[1]);
  expect(new Set(inData)).toEqual(
    new Set([
      '/var/lib/campus/flows',
      '/var/lib/campus/flows/*',
      '/var/lib/campus/core.sock.keys/flows.saved',
      '/var/lib/campus/core.sock.keys/flows.saved/*',
      // Its own log, to append and to rotate.
      ...['', '.1', '.2'].map((older) => `/var/lib/campus/logs/flows.log${older}`),
    ]),
  );
});

test('the process that talks to strangers knows no password of a camera, and is there only where there is a channel', () => {
  const notify = specs.find(({ name }) => name === 'notify');
  expect(JSON.stringify(notify?.init(0))).toContain('duty.url');
  expect(JSON.stringify(notify?.init(0))).not.toMatch(/demo-camera|camera-gate/);
  expect(edgeProcesses({ ...init, site: demo }).map(({ name }) => name)).not.toContain('notify');
});

test('no secret is in the arguments of a process', () => {
  const secrets = [...Object.values(init.tokens), init.flowsSecret];
  for (const { nodeFlags = [], module } of specs) {
    for (const secret of secrets) expect([module, ...nodeFlags].join(' ')).not.toContain(secret);
  }
});
