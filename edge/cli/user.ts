import { campusWideRoles, type Role, roleNames, roles, type Zones } from '#edge/domain/access.ts';
import { isSlug } from '#edge/domain/ids.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import { hashPersonPassword, weaknessOf } from '#edge/runtime/password.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import type { DocumentBody, StoredDocument } from '#edge/store/documents.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import { askPassword } from './ask-password.ts';
import { type Command, dataOption, type Given, inLanguage, jsonOption, type OptionSpec, usage } from './command.ts';
import { localCaller, withCore } from './core.ts';
import { readAll } from './device.ts';

/* Accounts of people. Only core writes them, so the campus must run; passwords are typed or piped in, never arguments. */

type Person = DocumentBody<'person'>;

const roleOption: OptionSpec = {
  type: 'string',
  value: 'ROLE',
  about: { zh: roles.map((role) => `${role} ${roleNames[role].zh}`).join('，'), en: roles.join(', ') },
};
const zonesOption: OptionSpec = {
  type: 'string',
  value: 'ZONES',
  about: { zh: '分区，逗号分隔；默认全部', en: 'zones, separated by commas; default all' },
};
const passwordOption: OptionSpec = {
  type: 'boolean',
  about: { zh: '从标准输入读密码（默认在终端输入）', en: 'read the password from standard input; default: asked for' },
};

/** A command that changes one account. `change` makes the new body of the old one. */
function changing(
  name: string,
  about: Command['about'],
  verb: string,
  options: Readonly<Record<string, OptionSpec>>,
  change: (given: Given, person: Person, id: string) => Promise<Person> | Person,
): Command {
  return {
    name,
    usage: `ID ${Object.entries(options)
      .map(([option, { value }]) => `[--${option}${value === undefined ? '' : ` ${value}`}]`)
      .join(' ')} --data FOLDER`.replace('  ', ' '),
    about,
    options: { data: dataOption, ...options },
    run: async (given) => {
      const id = accountOf(given);
      const { rev, body } = findPerson(given.data(), id);
      await put(given, id, await change(given, body, id), rev, verb);
      given.print(`${id}: ${verb}`);
      return 0;
    },
  };
}

export const userCommands: readonly Command[] = [
  {
    name: 'user add',
    usage: 'ID --name TEXT --role ROLE [--zones ZONES] [--password-stdin] --data FOLDER',
    about: { zh: '新建账号；首次登录须改密码', en: 'make an account; its first sign-in asks for a new password' },
    options: {
      data: dataOption,
      name: { type: 'string', value: 'TEXT', about: { zh: '姓名', en: 'the name of the person' } },
      role: roleOption,
      zones: zonesOption,
      'password-stdin': passwordOption,
    },
    run: addUser,
  },
  {
    name: 'user list',
    usage: '--data FOLDER [--json]',
    about: { zh: '列出账号', en: 'list the accounts' },
    options: { data: dataOption, json: jsonOption },
    run: listUsers,
  },
  changing(
    'user passwd',
    { zh: '设新密码；下次登录须再改', en: 'set a password; the next sign-in asks for another' },
    'password set',
    { 'password-stdin': passwordOption },
    async (given, person, id) => ({
      ...person,
      password: await newPassword(given, [id, person.name]),
      passwordTime: systemClock.now(),
      expired: true,
    }),
  ),
  changing(
    'user role',
    { zh: '改角色或分区', en: 'change role or zones' },
    'role changed',
    { role: roleOption, zones: zonesOption },
    (given, person) => {
      const role = given.text('role') === undefined ? person.role : roleOf(given);
      const zones = given.text('zones') === undefined ? person.zones : zonesOf(given);
      return { ...person, role, zones: forRole(role, zones) };
    },
  ),
  changing('user disable', { zh: '停用账号', en: 'disable an account' }, 'disabled', {}, (_, person) => ({
    ...person,
    disabled: true,
  })),
  changing('user enable', { zh: '启用账号', en: 'enable an account' }, 'enabled', {}, (_, person) => ({
    ...person,
    disabled: false,
  })),
  changing(
    'user totp-off',
    { zh: '取消第二因素（手机丢失时）', en: 'take the second factor away (a lost phone)' },
    'second factor taken away',
    {},
    (_, person) => ({ ...person, totp: null, recovery: [] }),
  ),
  // Any later revision of an account lifts its lock.
  changing(
    'user unlock',
    { zh: '解除多次输错密码后的锁定', en: 'lift the lock after too many wrong passwords' },
    'unlocked',
    {},
    (_, person) => person,
  ),
  {
    name: 'user delete',
    usage: 'ID --data FOLDER',
    about: { zh: '删除账号（审计中保留其编号）', en: 'delete an account; the audit keeps its id' },
    options: { data: dataOption },
    run: async (given) => {
      const id = accountOf(given);
      const { rev } = findPerson(given.data(), id);
      await put(given, id, null, rev, 'deleted');
      given.print(`${id}: deleted`);
    },
  },
];

function accountOf(given: Given): string {
  const id = given.one('ID');
  if (!isSlug(id)) throw usage(`"${id}" is not an account: a-z, 0-9, _ or -, at most 63 characters`);
  return id;
}

function roleOf(given: Given): Role {
  const text = given.need('role', 'ROLE');
  const role = roles.find((known) => known === text);
  if (role === undefined) throw usage(`--role must be one of ${roles.join(', ')}`);
  return role;
}

function zonesOf(given: Given): Zones {
  const text = given.text('zones') ?? 'all';
  if (text === 'all') return 'all';
  const zones = text.split(',').map((zone) => zone.trim());
  const wrong = zones.find((zone) => !isSlug(zone));
  if (wrong !== undefined) throw usage(`"${wrong}" is not a zone`);
  return zones;
}

function forRole(role: Role, zones: Zones): Person['zones'] {
  if (zones === 'all') return 'all';
  if (campusWideRoles.includes(role))
    throw usage(`the work of ${role} is the whole campus: it cannot be limited to zones`);
  return [...zones];
}

async function addUser(given: Given): Promise<undefined> {
  const id = accountOf(given);
  const name = given.need('name', 'TEXT');
  const role = roleOf(given);
  const zones = forRole(role, zonesOf(given));
  if (withReader(given.data(), (reader) => reader.document('person', id)) !== null) {
    throw new CodedError('PERSON_EXISTS', `there is an account "${id}" already`);
  }
  const now = systemClock.now();
  const body: Person = {
    name,
    role,
    zones,
    password: await newPassword(given, [id, name]),
    totp: null,
    recovery: [],
    oidc: null,
    disabled: false,
    expired: true,
    passwordTime: now,
    created: now,
  };
  await put(given, id, body, 0, 'added');
  given.print(`${id}: added as ${role}`);
}

async function listUsers(given: Given): Promise<undefined> {
  given.none();
  const people = withReader(given.data(), (reader) => reader.documents('person'));
  if (given.has('json')) return void given.print(JSON.stringify(people.map(view)));
  for (const person of people) {
    const { id, role, zones, disabled, totp, name } = view(person);
    const notes = [...(disabled ? ['disabled'] : []), ...(totp ? ['totp'] : [])].join(' ');
    given.print(`${id}  ${role}  ${zones === 'all' ? 'all' : zones.join(',')}  ${name}  ${notes}`.trimEnd());
  }
}

/** Without what is secret. */
function view({ id, rev, body }: StoredDocument<'person'>) {
  const { name, role, zones, disabled, expired, created } = body;
  return { id, rev, name, role, zones, disabled, expired, created, totp: body.totp !== null };
}

function findPerson(data: string, id: string): StoredDocument<'person'> {
  const found = withReader(data, (reader) => reader.document('person', id));
  if (found === null) throw new CodedError('PERSON_NOT_FOUND', `there is no account "${id}"`);
  return found;
}

function withReader<T>(data: string, use: (reader: Reader) => T): T {
  using reader = openReader(data, systemClock);
  return use(reader);
}

async function put(given: Given, id: string, body: Person | null, rev: number, what: string): Promise<void> {
  const params = { kind: 'person', id, body, rev, ...localCaller(), why: `campus user: ${what}` };
  await withCore(given.data(), async (core) => {
    await core.call('document.put', params);
    if (rev > 0 && !['enabled', 'unlocked'].includes(what)) await endSessions(given.data(), id, core);
  });
}

/** Whoever's account was changed signs in again. A session that ended by itself meanwhile is no fault. */
async function endSessions(data: string, person: string, core: RpcClient): Promise<void> {
  const sessions = withReader(data, (reader) => reader.documents('session'));
  for (const { id, rev, body } of sessions) {
    if (body.person !== person) continue;
    const params = { kind: 'session', id, body: null, rev, ...localCaller(), why: 'campus user' };
    try {
      await core.call('document.put', params);
    } catch (error) {
      if (codeOf(error) !== 'DOCUMENT_CHANGED') throw error;
      await core.call('document.put', { ...params, rev: rev + 1 }).catch(() => {}); // just used, or just gone
    }
  }
}

async function newPassword(given: Given, owner: readonly string[]): Promise<string> {
  const password = given.has('password-stdin')
    ? (await readAll(given.terminal.stdin, 1_000)).replace(/\r?\n$/, '')
    : await typed(given);
  const weakness = weaknessOf(password, owner);
  if (weakness !== null) {
    throw new CodedError('WEAK_PASSWORD', inLanguage(weakness.message, given.terminal.language).join('\n'));
  }
  return hashPersonPassword(password);
}

async function typed(given: Given): Promise<string> {
  const zh = given.terminal.language === 'zh';
  const password = await askPassword(zh ? '新密码：' : 'New password: ', given.terminal.stdin);
  const again = await askPassword(zh ? '再输一次：' : 'Once more: ', given.terminal.stdin);
  if (password !== again) throw new CodedError('PASSWORDS_DIFFER', zh ? '两次输入不同' : 'the two are not the same');
  return password;
}
