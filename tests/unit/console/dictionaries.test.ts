import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { processNames } from '#edge/domain/health.ts';
import { priorities } from '#edge/domain/output.ts';
import { reasons } from '#edge/domain/reading.ts';
import { domainWords } from '../../../edge/web/console/domain-words.ts';
import { stateWords } from '../../../edge/web/console/kit/state-words.ts';
import { literalsIn } from './literals.ts';

/* Nothing on the screen is untranslated: dictionaries are whole, and no sentence stands outside of them. */

const folder = join(import.meta.dirname, '../../../edge/web/console');
const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));

type Dictionary = Readonly<Record<string, unknown>>;
interface Found {
  readonly name: string;
  readonly zh: Dictionary;
  readonly en: Dictionary;
}

function isDictionaries(value: unknown): value is { readonly zh: Dictionary; readonly en: Dictionary } {
  if (typeof value !== 'object' || value === null || !('zh' in value) || !('en' in value)) return false;
  return typeof value.zh === 'object' && typeof value.en === 'object';
}

const withWords = files.filter((file) => file.endsWith('.ts') && readFileSync(file, 'utf8').includes('defineWords({'));
const dictionaries: Found[] = [];
for (const file of withWords) {
  const module: Readonly<Record<string, unknown>> = await import(file);
  for (const [name, value] of Object.entries(module)) {
    if (isDictionaries(value))
      dictionaries.push({ name: `${relative(folder, file)} ${name}`, zh: value.zh, en: value.en });
  }
}

const chinese = /[\u3400-\u9fff]/;
/** The same in every language: units, makers' words, names of formats and keys. */
const shared =
  /Ctrl|Shift|Enter|Esc|CO₂|PM2\.5|PM10|kWh?|MB|GB|HTTPS?|MQTT|API|CSV|JPEG|PNG|SVG|QR|TOTP|OIDC|TLS|SHA-\d+|JSON|NTP|SQLite|Node(?:-RED|\.js)?|OpenAPI|ONVIF|Modbus|Zigbee2MQTT|Zigbee|Home Assistant|Tasmota|Bearer|UTC|IP|ID|GB\/T|LED|RTP|RTU|TCP|UDP|UTF-8|CPU|RSS|WAL|PIN|PDF|URL|DHCP|ISO|syslog|setup/g;

/** What a word says; a sentence with parts is said with numbers, which belong to no language. */
function textOf(word: unknown): string {
  if (typeof word === 'string') return word;
  if (typeof word !== 'function') throw new Error(`neither a word nor a sentence: ${String(word)}`);
  return String(word(...Array.from({ length: Math.max(word.length, 1) }, () => '7')));
}

describe('the dictionaries', () => {
  test('are found wherever they are', () => {
    expect(withWords.length).toBeGreaterThan(15);
    expect(dictionaries.length).toBeGreaterThanOrEqual(withWords.length);
  });

  test.each(dictionaries)(
    '$name has the same keys in both languages, none empty, each in its own language',
    ({ zh, en }) => {
      expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
      const wrong = Object.keys(zh).flatMap((key) => {
        const [left, right] = [textOf(zh[key]), textOf(en[key])];
        const plain = left.replace(shared, '');
        const mistakes = [
          left.trim() === '' || right.trim() === '' ? 'is empty' : '',
          // A word of symbols and units alone has no language.
          /[A-Za-z]{2,}/.test(plain) && key !== 'switchLanguage' && !chinese.test(plain)
            ? `is not Chinese: ${left}`
            : '',
          chinese.test(right) && key !== 'switchLanguage' ? `is not English: ${right}` : '',
        ];
        return mistakes.filter((mistake) => mistake !== '').map((mistake) => `${key} ${mistake}`);
      });
      expect(wrong).toEqual([]);
    },
  );

  test('have a word for every reason, process and priority of the domain', () => {
    const wanted = [
      ...reasons.map((reason) => Object.hasOwn(stateWords.zh, `reason:${reason}`)),
      ...processNames.map((name) => Object.hasOwn(domainWords.zh, `process:${name}`)),
      ...Object.values(priorities).map((priority) => Object.hasOwn(domainWords.zh, `priority:${priority}`)),
    ];
    expect(wanted.length).toBeGreaterThan(20);
    expect(wanted.filter((isThere) => !isThere)).toEqual([]);
  });
});

describe('the pages', () => {
  test('say nothing that is not in a dictionary', () => {
    const pages = files.filter((file) => file.endsWith('.tsx'));
    expect(pages.length).toBeGreaterThan(30);
    const found = pages.flatMap((file) =>
      literalsIn(readFileSync(file, 'utf8')).map((text) => `${relative(folder, file)}: ${text}`),
    );
    expect(found).toEqual([]);
  });

  test('a sentence that is planted in each way is found', () => {
    const planted = [
      '<p>Hello there</p>',
      '<p>你好</p>',
      '<Button title="Save it">{say.save}</Button>',
      "<Input placeholder={'Name of the device'} />",
      '<b aria-label="Close">×</b>',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source that is looked at.
      '<Panel title={`Alarms of ${zone}`} />',
      'const said = "报警";',
      '<td>{isOpen ? "Open" : "Closed"}</td>',
    ];
    expect(planted.filter((code) => literalsIn(code).length === 0)).toEqual([]);
    const fine =
      '<p title={say.title}>{value} · kWh → {"—"} <b className="Some class">{say.of(3)} {query("from here")}</b></p>; const x = a < b && c > d;';
    expect(literalsIn(fine)).toEqual([]);
  });

  test('never make markup of text, and reach for nothing outside of this box', () => {
    const bad =
      /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|https?:\/\/(?!localhost)/;
    const code = files.filter((file) => /\.(tsx?|css|html)$/.test(file) && !file.endsWith('build.ts'));
    const found = code.filter((file) => {
      const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
      return bad.test(text.replaceAll('http://www.w3.org/', ''));
    });
    expect(found.map((file) => relative(folder, file))).toEqual([]);
  });
});
