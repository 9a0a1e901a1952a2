import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RuleVersion } from '#edge/domain/rule.ts';
import { RuleBook, type RuleBookOptions } from '#edge/processes/core/rule-book.ts';
import { createRuleFiles } from '#edge/processes/core/rule-files.ts';
import { begunState, type RunningRules } from '#edge/processes/core/rule-keeper.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import { formatRuleFile, whyNotFile } from '#edge/runtime/rule-file.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import type { Store } from '#edge/store/store.ts';
import { open, start } from '../../fixtures/store/site.ts';

/* The book of rules on a real database and a real folder; what it starts and stops is written down instead of run. */

export const lin = { who: 'person:lin', from: '192.0.2.7' };
export const wang = { who: 'person:wang', from: '192.0.2.8' };
export const token = { who: 'token:admin', from: '127.0.0.1' };

export function ruleBody(id: string, more: Readonly<Record<string, unknown>> = {}): RuleBody {
  return {
    rule: 1,
    id,
    name: { zh: '漏水', en: 'Leak' },
    kind: 'comfort',
    when: { kind: 'point', points: 'leak-1/water', test: { is: true }, onBad: 'hold' },
    then: [{ kind: 'alarm', class: 'high', message: { zh: '漏水', en: 'Leak' }, next: { zh: '查看', en: 'Look' } }],
    ...more,
  };
}

export const safety = { kind: 'safety', priority: 5 };

export interface RulesRoom extends AsyncDisposable {
  readonly book: RuleBook;
  readonly running: RunningRules;
  /** `put leak v2`, `remove leak` ... in order. */
  readonly ran: string[];
  readonly troubles: () => readonly string[];
  readonly reader: Reader;
  readonly store: Store;
  /** Ends this run as a kill does: nothing is waited for, the folder stays. */
  kill(): Promise<void>;
}

/** What differs from the usual, or what makes it of the real store and reader. */
type More = Partial<RuleBookOptions> | ((real: Pick<RulesRoom, 'store' | 'reader'>) => Partial<RuleBookOptions>);

export interface RulesFolder extends Disposable {
  readonly data: string;
  readonly rules: string;
  write(id: string, body: RuleBody | string): void;
  read(id: string): string | null;
  files(): string[];
  open(more?: More): Promise<RulesRoom>;
}

export function rulesFolder(): RulesFolder {
  const root = mkdtempSync(join(tmpdir(), 'rules-'));
  const [data, rules] = [join(root, 'data'), join(root, 'rules')];
  mkdirSync(data);
  mkdirSync(rules);
  return {
    data,
    rules,
    write: (id, body) =>
      writeFileSync(join(rules, `${id}.yaml`), typeof body === 'string' ? body : formatRuleFile(body)),
    read: (id) => {
      try {
        return readFileSync(join(rules, `${id}.yaml`), 'utf8');
      } catch {
        return null;
      }
    },
    files: () => readdirSync(rules).sort(),
    open: (more) => openRoom(data, rules, more),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

async function openRoom(data: string, rules: string, more: More = {}): Promise<RulesRoom> {
  const store = await open(data);
  const { state } = await store.restore();
  const reader = openReader(data);
  const ran: string[] = [];
  let troubles: readonly string[] = [];
  const book = new RuleBook({
    reader,
    files: createRuleFiles(rules),
    append: (batch) => store.append(batch),
    check: async (rules) => rules.map(() => []),
    onFaulty: () => {},
    play: async () => [],
    whyNotFile: async (body, rule) => whyNotFile(body, rule),
    refuses: () => null,
    onTroubles: (now) => {
      troubles = now;
    },
    hasBegun: state[begunState] !== undefined,
    clock: new ManualClock(start),
    log: silentLog,
    ...(typeof more === 'function' ? more({ store, reader }) : more),
  });
  const running = await book.load();
  const said = (verb: string) => (version: RuleVersion) =>
    void ran.push(`${verb} ${version.rule.id} v${version.version}`);
  const gone = (verb: string) => (rule: string) => void ran.push(`${verb} ${rule}`);
  book.begin({ put: said('put'), remove: gone('remove'), watch: said('watch'), unwatch: gone('unwatch') });
  const close = async () => {
    reader[Symbol.dispose]();
    await store[Symbol.asyncDispose]();
  };
  return { book, running, ran, troubles: () => troubles, reader, store, kill: close, [Symbol.asyncDispose]: close };
}
