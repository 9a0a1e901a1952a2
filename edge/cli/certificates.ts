import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isSlug } from '#edge/domain/ids.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import {
  defaultDays,
  issueClientCertificate,
  listClientCertificates,
  revokeClientCertificates,
} from '#edge/runtime/pki-clients.ts';
import { type Command, dataOption, type Given, jsonOption, usage } from './command.ts';

/* Certificates of devices: what they show the broker's encrypted line instead of a password. */

export const certificateCommands: readonly Command[] = [
  {
    name: 'client certificate',
    usage: 'NAME --out DIR --data FOLDER [--days N]',
    about: {
      zh: '为 MQTT 客户端签发证书（加密端口可代替密码）：写出密钥、证书和校园根证书',
      en: 'make a certificate for an MQTT client, instead of a password on the encrypted port: key, certificate, authority',
    },
    more: [
      {
        zh: '密钥只写到 DIR，系统不保留；请安全地放进设备后删除。客户端的权限由站点文件 clients 决定。',
        en: 'The key is written to DIR only and kept nowhere: put it into the device and delete it. What the client may do is said by `clients` of the site file.',
      },
    ],
    options: {
      data: dataOption,
      out: { type: 'string', value: 'DIR', about: { zh: '写到哪个目录', en: 'where the files are written' } },
      days: {
        type: 'string',
        value: 'N',
        about: { zh: `有效天数（默认 ${defaultDays}）`, en: `how many days it is good for (default ${defaultDays})` },
      },
    },
    run: async (given) => {
      const id = clientId(given);
      const folder = resolve(given.need('out', 'DIR'));
      const files = { key: join(folder, `${id}.key`), cert: join(folder, `${id}.crt`), ca: join(folder, 'ca.crt') };
      // Before anything is made: a certificate whose key could not be written would be on the list for nothing.
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const file of [files.key, files.cert]) {
        if (existsSync(file)) throw new CodedError('FILE_EXISTS', `${file} is there already: choose another --out`);
      }
      const made = await issueClientCertificate(given.data(), id, systemClock, days(given));
      try {
        writeFileSync(files.key, made.key, { mode: 0o600, flag: 'wx' });
        writeFileSync(files.cert, made.cert, { flag: 'wx' });
        writeFileSync(files.ca, made.authority);
      } catch (error) {
        const what = `the files could not be written (${messageOf(error)}); the certificate is of no use to anybody`;
        throw new CodedError('FILE_FAILED', what, { cause: error });
      }
      for (const file of Object.values(files)) given.print(file);
      const until = new Date(made.expires).toISOString().slice(0, 10);
      given.say({
        zh: `有效期至 ${until}，SHA-256 ${made.fingerprint}`,
        en: `good until ${until}, SHA-256 ${made.fingerprint}`,
      });
    },
  },
  {
    name: 'client revoke',
    usage: 'NAME --data FOLDER',
    about: {
      zh: '吊销 MQTT 客户端的全部证书；已建立的连接几秒内断开',
      en: 'take all certificates of an MQTT client back; its connections end within seconds',
    },
    options: { data: dataOption },
    run: async (given) => {
      const id = clientId(given);
      const count = await revokeClientCertificates(given.data(), id, systemClock);
      if (count === 0) throw new CodedError('UNKNOWN_CLIENT', `"${id}" has no certificate that is good`);
      given.say({
        zh: `${id}：已吊销 ${count} 张证书`,
        en: `${id}: ${count} certificate${count === 1 ? '' : 's'} revoked`,
      });
    },
  },
  {
    name: 'client certificates',
    usage: '--data FOLDER [--json]',
    about: { zh: '列出签发给 MQTT 客户端的证书', en: 'list the certificates made for MQTT clients' },
    options: { data: dataOption, json: jsonOption },
    run: async (given) => {
      given.none();
      const list = await listClientCertificates(given.data());
      if (given.has('json')) return void given.print(JSON.stringify(list, null, 2));
      const now = systemClock.now();
      for (const { client, expires, revoked, fingerprint } of list) {
        const state = revoked !== null ? 'revoked' : expires <= now ? 'expired' : 'good';
        given.print(`${client}  ${state}  ${new Date(expires).toISOString().slice(0, 10)}  ${fingerprint}`);
      }
    },
  },
];

function clientId(given: Given): string {
  const id = given.one('NAME');
  if (!isSlug(id)) throw usage(`"${id}" is not a client name: a-z, 0-9, _ or -, at most 63 characters`);
  return id;
}

function days(given: Given): number {
  const text = given.text('days') ?? String(defaultDays);
  if (!/^\d{1,5}$/.test(text)) throw usage(`--days "${text}" is not a number of days`);
  return Number(text);
}
