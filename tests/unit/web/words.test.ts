import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const folder = join(import.meta.dirname, '../../../edge/web/page');
const read = (file: string) => readFileSync(join(folder, file), 'utf8');
const { words } = (await import(join(folder, 'words.js'))) as { words: Record<string, [string, string]> };
const { friendlyUnit } = (await import(join(folder, 'units.js'))) as { friendlyUnit(code: string): string };

const chinese = /[\u3400-\u9fff]/;
/** Names and abbreviations that are the same in both languages. */
const shared = /English|admin-token|CO₂|PM2\.5|PM10|HTTP|API/g;
const scripts = readdirSync(folder).filter((file) => file.endsWith('.js'));

describe('the dictionary', () => {
  test('has both languages for every word', () => {
    for (const [key, pair] of Object.entries(words)) {
      expect(pair, key).toHaveLength(2);
      if (key !== 'items' && key !== 'technical') for (const side of pair) expect(side.trim(), key).not.toBe('');
    }
  });

  test('keeps English out of Chinese and Chinese out of English', () => {
    const other = Object.entries(words).filter(([key]) => key !== 'otherLanguage');
    for (const [key, [zh, en]] of other) {
      expect(zh.replace(shared, ''), key).not.toMatch(/[A-Za-z]{2,}/);
      expect(en, key).not.toMatch(chinese);
    }
  });

  test('has every word that the page asks for', () => {
    const asked = new Set<string>();
    for (const file of scripts) {
      for (const [, key = ''] of read(file).matchAll(/\bsay\('([^']+)'\)/g)) asked.add(key);
    }
    for (const [, key = ''] of read('index.html').matchAll(/data-text="([^"]+)"/g)) asked.add(key);
    expect(asked.size).toBeGreaterThan(60);
    for (const key of asked) expect(words, key).toHaveProperty([key]);
  });

  test('has a word for every state, quality, priority and outcome there is', () => {
    const keys = [
      ...['ready', 'starting', 'stopping', 'stopped', 'backing-off', 'crash-loop'].map((state) => `s:${state}`),
      ...['online', 'degraded', 'offline', 'held', 'misconfigured'].map((state) => `s:${state}`),
      ...['never-read', 'no-communication', 'communication-error', 'configuration-error'].map(
        (reason) => `q:${reason}`,
      ),
      ...['device-failure', 'held', 'last-usable-value', 'out-of-range', 'not-accurate'].map((reason) => `q:${reason}`),
      ...['counter-step', 'clock', 'bad', 'uncertain'].map((reason) => `q:${reason}`),
      ...[1, 5, 8, 12, 15].map((priority) => `p:${priority}`),
      ...['holding', 'waiting', 'relinquished', 'unknown-point', 'not-writable'].map((outcome) => `outcome:${outcome}`),
      ...['out-of-range', 'forbidden-priority', 'forbidden-point', 'bad-request'].map(
        (outcome) => `outcome:${outcome}`,
      ),
      ...['busy', 'too-many-holds', 'not-recorded'].map((outcome) => `outcome:${outcome}`),
      ...['core', 'fieldbus', 'camera', 'broadcast', 'flows', 'web', 'uplink'].map((name) => `process:${name}`),
    ];
    for (const key of keys) expect(words, key).toHaveProperty([key]);
  });
});

describe('the page', () => {
  test('is Chinese before its script has run, word for word as in the dictionary', () => {
    const html = read('index.html');
    const texts = [...html.matchAll(/data-text="([^"]+)"\s*>([^<]*)</g)];
    expect(texts.length).toBeGreaterThan(25);
    for (const [, key = '', text] of texts) expect(text?.trim(), key).toBe(words[key]?.[0]);
    const rest = html
      .replace(/<[^>]*>/g, ' ')
      .replaceAll('Campus Edge', '')
      .replace(shared, '');
    expect(rest).not.toMatch(/[A-Za-z]{2,}/);
  });

  test('says nothing that is not in the dictionary', () => {
    for (const file of scripts.filter((name) => name !== 'words.js' && name !== 'phrases.js')) {
      const code = read(file)
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .replace(/(^|\s)\/\/.*$/gm, '');
      expect(code, file).not.toMatch(chinese);
      const put = code.matchAll(
        /(?:textContent|innerText|title|alt|placeholder|ariaLabel)\s*[:=]\s*(['"`])([^'"`]*)\1/g,
      );
      for (const [, , text = ''] of put) expect(text.replace(/\$\{[^}]*\}/g, ''), file).not.toMatch(/[A-Za-z]{2,}/);
      expect(code, file).not.toMatch(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|window\.(prompt|alert|confirm)/,
      );
    }
  });

  test('has nothing inline that its policy would refuse, and nothing from elsewhere', () => {
    const html = read('index.html');
    expect(html).not.toMatch(/ on[a-z]+=| style=|<script(?![^>]* src=)|<style/);
    for (const [, target = ''] of html.matchAll(/(?:src|href)="([^"]*)"/g)) expect(target).toMatch(/^[/#]/);
  });
});

test.each([
  ['kW.h', 'kWh'],
  ['V.A{reactive}', 'var'],
  ['kV.A.h{reactive}', 'kvarh'],
  ['Cel', '°C'],
  ['[ppm]', 'ppm'],
  ['%{RH}', '%'],
  ['1', ''],
  ['V', 'V'],
  ['m3{gas}', 'm3'],
])('the unit %s is shown as "%s"', (code, shown) => {
  expect(friendlyUnit(code)).toBe(shown);
});
