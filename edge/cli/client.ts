import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { listClients, removeClient, setClientPassword } from '#edge/bus/access.ts';
import { isSlug } from '#edge/domain/ids.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { type Command, dataOption, type Given, usage } from './command.ts';

/* Clients of the broker that are not ours: sensors and bridges. */

export const clientCommands: readonly Command[] = [
  {
    name: 'client add',
    usage: 'NAME --data FOLDER [--password TEXT]',
    about: {
      zh: '给 MQTT 客户端（新）密码；不指定时打印一个随机密码',
      en: 'give an MQTT client a (new) password; prints a random one unless given',
    },
    options: {
      data: dataOption,
      password: {
        type: 'string',
        value: 'TEXT',
        about: {
          zh: '密码；本机其他用户能看到命令行',
          en: 'the password; other users of this machine see command lines',
        },
      },
    },
    run: async (given) => {
      const id = clientId(given);
      const wanted = given.text('password');
      const password = wanted ?? randomBytes(18).toString('base64url');
      mkdirSync(given.data(), { recursive: true, mode: 0o700 });
      await setClientPassword(given.data(), id, password);
      given.print(wanted === undefined ? `${id}: password ${password}` : `${id}: password set`);
    },
  },
  {
    name: 'client remove',
    usage: 'NAME --data FOLDER',
    about: { zh: '删除 MQTT 客户端的密码', en: 'take the password of an MQTT client away' },
    options: { data: dataOption },
    run: async (given) => {
      const id = clientId(given);
      if (!(await removeClient(given.data(), id))) {
        throw new CodedError('UNKNOWN_CLIENT', `there is no client "${id}"`);
      }
      given.print(`${id}: removed`);
    },
  },
  {
    name: 'client list',
    usage: '--data FOLDER',
    about: { zh: '列出有密码的 MQTT 客户端', en: 'list the MQTT clients that have a password' },
    options: { data: dataOption },
    run: async (given) => {
      given.none();
      for (const id of await listClients(given.data())) given.print(id);
    },
  },
];

function clientId(given: Given): string {
  const id = given.one('NAME');
  if (!isSlug(id)) throw usage(`"${id}" is not a client name: a-z, 0-9, _ or -, at most 63 characters`);
  return id;
}
