import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { checkEntries, pathOf, splitFlows } from '#edge/flows-host/tab-files.ts';
import { lintFlow } from './lint.ts';

const folder = new URL('../../../flows/', import.meta.url);
const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.json'));

describe('the shipped flows', () => {
  it('are there', () => {
    expect(files).toContain('comfort/empty-room-ac.json');
  });

  it.each(files)('%s uses known nodes, has whole wires, and names no place in its nodes', async (name) => {
    const entries = checkEntries(JSON.parse(await readFile(new URL(name, folder), 'utf8')), name);
    expect(lintFlow(entries)).toEqual([]);
  });

  it.each(files)('%s is where its own label says, so that a deploy does not move it', async (name) => {
    const entries = checkEntries(JSON.parse(await readFile(new URL(name, folder), 'utf8')), name);
    const units = splitFlows(entries);
    expect(units).toHaveLength(1);
    for (const unit of units) expect(pathOf(unit, undefined, () => false)).toBe(name);
  });

  it('are linted by rules that find what they look for', () => {
    const broken = [
      { id: 't', type: 'tab' },
      { id: 'a', type: 'exec', z: 't', command: 'reboot' },
      { id: 'b', type: 'campus hold', z: 't', point: 'relay-1/relay_1', wires: [['gone']] },
      { id: 'c', type: 'safety bypass', z: 'nowhere', credentials: {} },
      { id: 'd', type: 'function', z: 't', func: '\n'.repeat(40) },
      { id: 'e', type: 'http request', z: 't', url: 'http://10.0.0.1/' },
    ];
    expect(lintFlow(broken)).toEqual([
      'a (exec): this type is not allowed',
      'b (campus hold): a wire goes to "gone", which is not there',
      'b (campus hold): point: "relay-1/relay_1" belongs into a variable of the tab',
      'c (safety bypass): this type is not known',
      'c (safety bypass): its tab "nowhere" is not in this file',
      'c (safety bypass): it holds credentials',
      'd (function): its function has more than 30 lines',
      'e (http request): url: "http://10.0.0.1/" belongs into a variable of the tab',
    ]);
  });
});
