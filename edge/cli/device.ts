import type { Readable } from 'node:stream';
import { z } from 'zod';
import { loadProfiles } from '#edge/profiles/load.ts';
import { readAdopted } from '#edge/runtime/adopted.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { type Command, dataOption, type Given, jsonOption, type OptionSpec, usage } from './command.ts';
import { localCaller, withCore } from './core.ts';
import { profileFolder, profileName } from './profile.ts';
import type { Tried } from './try-device.ts';

const addressOptions: Readonly<Record<string, OptionSpec>> = {
  address: {
    type: 'string',
    value: 'JSON',
    about: { zh: '地址，如 {"tcp":{"host":"192.0.2.7"},"unit":1}', en: 'e.g. {"tcp":{"host":"192.0.2.7"},"unit":1}' },
  },
  'address-stdin': {
    type: 'boolean',
    about: {
      zh: '从标准输入读地址（其中有密码时用）',
      en: 'read the address from standard input: for one with a password',
    },
  },
};

export const deviceCommands: readonly Command[] = [
  {
    name: 'device try',
    usage: 'PROFILE --address JSON [--json]',
    about: {
      zh: '用真实驱动读一次设备，不保存、不写入',
      en: 'read a device once by its real driver; nothing is kept or written',
    },
    options: { ...addressOptions, json: jsonOption },
    run: async (given) => {
      const name = profileName(given.one('PROFILE'));
      const address = await readAddress(given);
      // The drivers and their libraries only for whoever tries a device: every command starts sooner.
      const { tryDevice } = await import('./try-device.ts');
      const tried = await tryDevice(await loadProfiles(profileFolder), name, address);
      if (given.has('json')) given.print(JSON.stringify(tried));
      else printTried(given, tried);
      return tried.ok ? 0 : 1;
    },
  },
  {
    name: 'device add',
    usage: 'ID --profile PROFILE --zone ZONE --address JSON --name TEXT --data FOLDER [--space SPACE]',
    about: {
      zh: '接纳一个设备（校园须在运行；有关进程重启一两秒）',
      en: 'adopt a device; the campus must run, and the processes concerned start again',
    },
    options: {
      data: dataOption,
      ...addressOptions,
      profile: {
        type: 'string',
        value: 'PROFILE',
        about: { zh: '设备档案', en: 'the profile, e.g. meter/eastron-sdm630' },
      },
      zone: { type: 'string', value: 'ZONE', about: { zh: '分区', en: 'a zone of the site file' } },
      space: { type: 'string', value: 'SPACE', about: { zh: '房间', en: 'a space of the site file' } },
      name: { type: 'string', value: 'TEXT', about: { zh: '名称', en: 'what people call it' } },
      'name-en': { type: 'string', value: 'TEXT', about: { zh: '英文名称（默认同上）', en: 'the same in English' } },
    },
    run: addDevice,
  },
  {
    name: 'device give-up',
    usage: 'ID --data FOLDER',
    about: { zh: '放弃一个已接纳的设备', en: 'give an adopted device up' },
    options: { data: dataOption },
    run: async (given) => {
      const id = given.one('ID');
      const answer = await withCore(given.data(), (core) => core.call('device.give-up', { id, ...localCaller() }));
      given.print(`${id}: given up${restarting(answer)}`);
    },
  },
  {
    name: 'device list',
    usage: '--data FOLDER [--json]',
    about: { zh: '列出已接纳的设备', en: 'list the adopted devices' },
    options: { data: dataOption, json: jsonOption },
    run: async (given) => {
      given.none();
      const { devices, problems } = readAdopted(given.data());
      if (given.has('json')) given.print(JSON.stringify(devices.map(({ address: _, ...rest }) => rest)));
      else for (const { id, profile, zone, name } of devices) given.print(`${id}  ${profile}  ${zone}  ${name.zh}`);
      if (problems.length > 0) throw new CodedError('ADOPTED_BROKEN', problems.join('\n'));
    },
  },
];

async function addDevice(given: Given): Promise<undefined> {
  const id = given.one('ID');
  const zh = given.need('name', 'TEXT');
  const space = given.text('space');
  const device = {
    id,
    name: { zh, en: given.text('name-en') ?? zh },
    profile: profileName(given.need('profile', 'PROFILE')),
    zone: given.need('zone', 'ZONE'),
    ...(space === undefined ? {} : { space }),
    address: await readAddress(given),
  };
  const answer = await withCore(given.data(), (core) => core.call('device.adopt', { device, ...localCaller() }));
  given.print(`${id}: adopted${restarting(answer)}`);
}

const answerSchema = z.object({ restarts: z.array(z.string()) });

function restarting(answer: unknown): string {
  const restarts = answerSchema.safeParse(answer).data?.restarts ?? [];
  return restarts.length === 0 ? '' : `; starting again: ${restarts.join(', ')}`;
}

async function readAddress(given: Given): Promise<Record<string, unknown>> {
  const isPiped = given.has('address-stdin');
  const text = isPiped ? await readAll(given.terminal.stdin, 100_000) : given.need('address', 'JSON');
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch (error) {
    throw usage(`the address is not a JSON object: ${messageOf(error).split('\n')[0]}`);
  }
}

/** What was piped in. Throws USAGE above `most` characters. */
export async function readAll(stream: Readable, most: number): Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.length > most) throw usage(`more than ${most} characters came on standard input`);
  }
  return text;
}

function printTried(given: Given, { ok, message, ms, points }: Tried): void {
  const zh = given.terminal.language !== 'en';
  for (const { point, label, value, unit, quality, reason } of points) {
    const why = reason === undefined ? quality : `${quality} (${reason})`;
    given.print(
      `${point.padEnd(24)} ${`${value ?? '-'} ${unit}`.padEnd(20)} ${why.padEnd(28)} ${zh ? label.zh : label.en}`,
    );
  }
  given.say(
    ok
      ? { zh: `可用（${ms} 毫秒）`, en: `works (${ms} ms)` }
      : { zh: `不可用（${ms} 毫秒）：${message}`, en: `does not work (${ms} ms): ${message}` },
  );
}
