import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret, TOTP } from 'otpauth';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { makePerson, password, signIn, waitForCampus } from './people.ts';

/* Accounts, sessions, tokens, the second factor and the audit, in a real browser: an administrator, a guard, an auditor. */

const soon = { timeout: 30_000, interval: 150 };
const axe = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');
const second = 'Gate-Watch-5530-k';

let campus: RunningCampus;
let browser: Browser;
/** The administrator's. */
let open: OpenPage;
let page: Page;
let guard: Page;
let first = '';

beforeAll(async () => {
  [campus, browser] = await Promise.all([
    startCampus({ city: false, simulators: false, only: ['core', 'web'] }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  // One after the other: hashing a password takes all of a core.
  await makePerson(campus, 'he', '何立', 'administrator');
  await makePerson(campus, 'song', '宋晴', 'auditor');
  open = await browser.open({ width: 1366, height: 768 });
  page = open.page;
  page.setDefaultTimeout(30_000);
  // Half-way between two colours there may be too little contrast.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await signIn(page, campus.url, 'he');
  const other = await browser.open({ width: 390, height: 844, touch: true });
  guard = other.page;
  guard.setDefaultTimeout(30_000);
}, 120_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
}, 30_000);

const go = (on: Page, hash: string) => on.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);
const row = (id: string) => page.locator(`[data-row="${id}"]`);
const drawer = () => page.locator('.ant-drawer-body');
/** The question is there twice: once for those who hear it. */
const confirm = async (question: string) => {
  await page.locator('.ant-modal-confirm-title', { hasText: question }).waitFor();
  await page.click('.ant-modal-confirm .ant-btn-dangerous');
  await page.locator('.ant-modal-confirm').waitFor({ state: 'detached' });
};

async function fillSignIn(on: Page, id: string, secret: string): Promise<void> {
  await on.fill('#account', id);
  await on.fill('#password', secret);
  await on.press('#password', 'Enter');
}

async function chooseNew(on: Page, old: string, fresh: string): Promise<void> {
  await on.fill('#old', old);
  for (const index of [1, 2]) await on.locator('input[type=password]').nth(index).fill(fresh);
  await on.click('button[type=submit]');
}

async function signOut(on: Page): Promise<void> {
  await on.click('.bar-user');
  await on.click('.ant-dropdown-menu-item:last-child');
  await on.waitForSelector('#account');
}

/** What axe finds serious or critical, in words; the bar on top is tried with the frame. */
async function violations(on: Page): Promise<unknown> {
  // What is under the mouse has other colours.
  await on.mouse.move(0, 0);
  await on.evaluate(axe);
  return on.evaluate(`axe.run({ exclude: ['.kit-bar'] }, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')))`);
}

test('an administrator makes a guard of the gate, whose first password is made up and told', async () => {
  await go(page, '/people');
  await page.click('text=新建账号');
  await drawer().getByLabel('账号', { exact: true }).fill('meng-gate');
  await drawer().getByLabel('姓名').fill('孟川');
  await drawer().getByText('只限以下区域').click();
  await drawer().getByRole('button', { name: '创建' }).click();
  await vi.waitFor(async () => expect(await drawer().innerText()).toContain('请至少选择一个区域'), soon);
  await drawer().getByLabel('校门').check();
  await drawer().getByText('随机生成一个').click();
  first = (await drawer().locator('.people-suggestion code').innerText()).trim();
  expect(await violations(page)).toEqual([]);
  await drawer().getByRole('button', { name: '创建' }).click();
  await row('meng-gate').waitFor();
  const line = await row('meng-gate').innerText();
  for (const part of ['孟川', '安保', '校门', '待改密码', '未登录']) expect(line).toContain(part);
  expect(await violations(page)).toEqual([]);
});

test('the guard must choose his own password, and then sees the gate and nothing else', async () => {
  await guard.goto(campus.url);
  await fillSignIn(guard, 'meng-gate', first);
  await guard.waitForSelector('#old');
  await chooseNew(guard, first, password);
  await guard.waitForSelector('.overview');
  await go(guard, '/devices');
  await guard.waitForSelector('[role=tree] [role=treeitem]');
  // With one zone only, the tree begins with its rooms.
  const places = await guard.locator('[role=treeitem][aria-level="1"]').allInnerTexts();
  expect(places.map((place) => place.split('\n')[0]?.trim())).toEqual(['门卫室', '室外与未分房间']);
  const seen = await guard.evaluate<{ zones: { id: string }[]; devices: { zone: string }[] }>(
    `fetch('api/v1/campus').then((one) => one.json())`,
  );
  expect(seen.zones.map(({ id }) => id)).toEqual(['gate']);
  expect(new Set(seen.devices.map(({ zone }) => zone))).toEqual(new Set(['gate']));
  for (const closed of ['/people', '/audit', '/system', '/assets', '/security']) {
    await go(guard, closed);
    await guard.waitForSelector('text=没有这个页面，或您没有权限查看。');
  }
});

test('a reset password throws him out, and the new one must be changed again', async () => {
  await row('meng-gate').locator('[data-act=edit]').click();
  await drawer().waitFor();
  const fields = drawer().locator('input[type=password]');
  for (const index of [0, 1]) await fields.nth(index).fill('short');
  await drawer().getByRole('button', { name: '保存' }).click();
  await vi.waitFor(async () => expect(await drawer().innerText()).toContain('密码还不符合要求'), soon);
  for (const index of [0, 1]) await fields.nth(index).fill(second);
  await drawer().getByRole('button', { name: '保存' }).click();
  await drawer().waitFor({ state: 'detached' });
  await guard.waitForSelector('#account');
  await fillSignIn(guard, 'meng-gate', second);
  await guard.waitForSelector('#old');
  await chooseNew(guard, second, password);
  await guard.waitForSelector('.kit-frame');
});

test('a session that is ended from elsewhere is over at once', async () => {
  await page.click('.ant-tabs-tab >> text=当前登录');
  const his = page.locator('[data-row]', { hasText: 'meng-gate' });
  await his.first().waitFor();
  expect(await his.count()).toBe(1);
  await his.getByText('结束').click();
  await confirm('结束 孟川 的这次登录？');
  await guard.waitForSelector('#account');
  await vi.waitFor(async () => expect(await his.count()).toBe(0), soon);
});

test('the secret of a token is shown once, opens what it was given, and is void when the token is deleted', async () => {
  const ask = async (path: string, secret: string) => {
    const headers = { authorization: `Bearer ${secret}` };
    return (await fetch(`${campus.url}/api/v1/${path}`, { headers, signal: AbortSignal.timeout(10_000) })).status;
  };
  await page.click('.ant-tabs-tab >> text=接口令牌');
  await page.waitForSelector('text=没有接口令牌');
  await page.click('text=新建令牌');
  await drawer().getByLabel('用途').fill('能耗大屏');
  await drawer().getByLabel('标识').fill('Energy Board');
  await drawer().getByRole('button', { name: '创建' }).click();
  await vi.waitFor(async () => expect(await drawer().innerText()).toContain('只能用小写字母'), soon);
  await drawer().getByLabel('标识').fill('energy-board');
  await drawer().getByRole('button', { name: '创建' }).click();
  const secret = (await drawer().locator('.people-secret').innerText()).trim();
  expect(secret).toMatch(/^energy-board\.[\w-]{43}$/);
  await page.click('text=我已保存好');
  await row('energy-board').waitFor();
  expect(await page.content()).not.toContain(secret);
  expect([await ask('campus', secret), await ask('people', secret)]).toEqual([200, 403]);
  await row('energy-board').getByText('删除').click();
  await confirm('删除令牌“能耗大屏”？');
  await page.waitForSelector('text=没有接口令牌');
  expect(await ask('campus', secret)).toBe(401);
});

test('the second factor is turned on with an authenticator, and asked for at the next sign-in; a recovery code replaces it', async () => {
  await go(page, '/account');
  await page.click('text=开启两步验证');
  await page.fill('#account-proof', 'not my password');
  await page.press('#account-proof', 'Enter');
  await page.waitForSelector('text=账号或密码不正确');
  await page.fill('#account-proof', password);
  await page.press('#account-proof', 'Enter');
  await page.waitForSelector('.account-qr');
  const secret = (await page.locator('.account-secret').innerText()).replaceAll(' ', '');
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  await page.fill('#account-proof', totp.generate());
  await page.press('#account-proof', 'Enter');
  await page.waitForSelector('.account-codes');
  const codes = await page.locator('.account-codes li').allInnerTexts();
  expect(codes.length).toBeGreaterThan(5);
  await page.click('text=我已保存好');
  await page.waitForSelector('text=关闭两步验证');
  expect(await violations(page)).toEqual([]);

  await signOut(page);
  await fillSignIn(page, 'he', password);
  await page.waitForSelector('#code');
  await page.fill('#code', '000000');
  await page.press('#code', 'Enter');
  await vi.waitFor(async () => expect(await page.inputValue('#code')).toBe(''), soon);
  // A code counts once: the one after it is good already.
  await page.fill('#code', totp.generate({ timestamp: Date.now() + 30_000 }));
  await page.press('#code', 'Enter');
  await page.waitForSelector('.kit-frame');

  await signOut(page);
  await fillSignIn(page, 'he', password);
  await page.waitForSelector('#code');
  await page.fill('#code', codes[0]?.trim() ?? '');
  await page.press('#code', 'Enter');
  await page.waitForSelector('.kit-frame');
  await go(page, '/people');
  await vi.waitFor(async () => expect(await row('he').innerText()).toContain('两步验证'), soon);
}, 120_000);

test('the auditor reads all of it in words, proves that nothing was altered, and can do nothing else', async () => {
  const audit = (await browser.open({ width: 1440, height: 1400 })).page;
  audit.setDefaultTimeout(30_000);
  await audit.emulateMedia({ reducedMotion: 'reduce' });
  await signIn(audit, campus.url, 'song');
  const links = await audit.locator('.kit-side a').allInnerTexts();
  expect(links.map((link) => link.split('\n')[0])).toEqual([
    '总览',
    '报警',
    '平面图',
    '能源',
    '摄像机',
    '校园日程',
    '校历与作息',
    '用电安排',
    '应急处置',
    '广播',
    '音频库',
    '规则',
    '输出',
    '通知',
    '设备',
    '表计与线路',
    '审计',
    '安全合规',
  ]);
  await go(audit, '/audit');
  await audit.waitForSelector('.audit-open');
  const deeds = await audit.evaluate<string[]>(
    `[...document.querySelectorAll('.audit-open strong')].map((one) => one.textContent)`,
  );
  for (const deed of ['登录', '使用恢复码', '开启两步验证', '删除接口令牌']) expect(deeds).toContain(deed);

  await audit.click('text=校验完整性');
  await audit.waitForSelector('text=完整，未被改动');

  await audit.fill('#audit-who', 'he');
  await audit.fill('#audit-what', '结束');
  await audit.waitForSelector('.ant-select-item-option-active >> text="结束登录"');
  await audit.press('#audit-what', 'Enter');
  await audit.click('.audit-filter button[type=submit]');
  await vi.waitFor(async () => expect(await audit.locator('.audit-open').count()).toBe(1), soon);
  expect(audit.url()).toMatch(/who=person%3Ahe&what=session.revoke/);
  await audit.click('.audit-open');
  await audit.waitForSelector('.ant-drawer-body .audit-facts');
  const facts = await audit.locator('.ant-drawer-body').innerText();
  for (const part of ['结束登录', 'meng-gate', '127.0.0.1', 'session.revoke meng-gate', 'person:he']) {
    expect(facts).toContain(part);
  }
  await audit.keyboard.press('Escape');
  const answer = await audit.evaluate<[number, string]>(
    `fetch(document.querySelector('a[href*="audit.csv"]').href).then(async (one) => [one.status, await one.text()])`,
  );
  expect(answer[0]).toBe(200);
  expect(answer[1].trim().split('\r\n')).toHaveLength(2);
  expect(await violations(audit)).toEqual([]);

  await go(audit, '/people');
  await audit.waitForSelector('text=没有这个页面，或您没有权限查看。');
  await go(audit, '/devices/relay-1');
  await audit.waitForSelector('.devices-pane[data-device="relay-1"]');
  await audit.waitForSelector('.devices-output');
  expect(await audit.locator('.devices-output .ant-btn').count()).toBe(0);
  await audit.context().close();
});

// Last: who guesses is kept out by his address too.
test('five wrong passwords lock an account, the page counts down, and an administrator lifts it', async () => {
  const said = async () => (await guard.locator('[data-problem]').innerText()).trim();
  for (let attempt = 1; attempt <= 5; attempt++) {
    await fillSignIn(guard, 'meng-gate', `wrong ${attempt}`);
    await vi.waitFor(async () => expect(await said()).not.toBe(''), soon);
    await vi.waitFor(
      async () => expect(await guard.locator('button[type=submit].ant-btn-loading').count()).toBe(0),
      soon,
    );
  }
  await fillSignIn(guard, 'meng-gate', password);
  await vi.waitFor(async () => expect(await said()).toMatch(/^尝试次数过多，请在 \d+ (秒|分钟)后再试。$/), soon);
  expect(await guard.locator('button[type=submit]').isDisabled()).toBe(true);
  const before = await said();
  await vi.waitFor(async () => expect(await said()).not.toBe(before), soon);

  await page.reload();
  await row('meng-gate').waitFor();
  expect(await row('meng-gate').innerText()).toMatch(/锁定至 \d\d:\d\d:\d\d/);
  await row('meng-gate').getByText('解除锁定').click();
  await vi.waitFor(async () => expect(await row('meng-gate').innerText()).toContain('正常'), soon);
  await guard.reload();
  await fillSignIn(guard, 'meng-gate', password);
  await guard.waitForSelector('.kit-frame');
}, 90_000);

test('in all of this nothing went wrong on the page of the administrator', () => {
  // What a browser says of a session that is over, and of a wrong password or code.
  const expected = /status of (?:400|401|403|409)/;
  expect(open.wrong.filter((one) => !expected.test(one))).toEqual([]);
});
