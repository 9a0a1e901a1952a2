import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';

/*
 * A real clock that jumps (Debian's libfaketime; monotonic time left alone), and three programs that want to ring at the same second. The
 * two libraries that everybody uses are the negative control: what ours must never do, they do.
 */

const library = findLibrary();
if (library === null)
  console.warn('SKIPPED: the clock cannot be put on for real: Debian package "faketime" is not installed');

const soon = { timeout: 40_000, interval: 50 };
const builtAt = Date.UTC(2026, 10, 1);

interface Line {
  readonly wall: number;
  readonly by: string;
  readonly what?: string;
  readonly reason?: string;
  readonly event?: string;
  readonly says?: string;
  readonly planned?: number;
}

const monday = Date.UTC(2026, 10, 23, 8, 20);

describe.skipIf(library === null)('with a real clock that jumps', () => {
  test('over a bell: ours says that it missed it, croner and node-schedule ring it minutes late', async () => {
    using box = new Box(monday, 8);
    const bell = await box.ready();
    await box.synchronised();
    box.setTo(bell + 360_000);
    await box.heard('ticker', ({ event }) => event === 'jumped');
    await box.synchronised();
    await box.heard('ticker', ({ what, reason }) => what === 'skip' && reason === 'clock-jumped');
    expect((await box.heard('croner')).wall - bell).toBeGreaterThan(300_000);
    expect((await box.heard('node-schedule')).wall - bell).toBeGreaterThan(300_000);
    expect(box.of('ticker').filter(({ what }) => what === 'act')).toEqual([]);
  }, 60_000);

  test('back after a bell: ours rings once, in time', async () => {
    using box = new Box(monday, 3);
    const bell = await box.ready();
    await box.synchronised();
    const rung = await box.heard('ticker', ({ what }) => what === 'act');
    expect(rung.wall - bell).toBeLessThan(5_000);
    box.setTo(bell - 3_000);
    await box.heard('ticker', ({ event }) => event === 'jumped');
    await box.synchronised();
    await vi.waitFor(() => expect(box.of('ticker').at(-1)?.event).toBe('resumed'), soon);
    await vi.waitFor(() => expect(box.wall()).toBeGreaterThan(bell + 3_000), soon);
    expect(box.of('ticker').filter(({ what }) => what !== undefined)).toHaveLength(1);
  }, 60_000);

  test('from a wrong year: ours rings nothing in that year, as node-schedule does, and what is right when the clock is', async () => {
    using box = new Box(Date.UTC(2020, 0, 1, 8, 20), 3);
    const wrong = await box.ready();
    await box.heard('ticker', ({ event }) => event === 'paused');
    expect((await box.heard('node-schedule')).wall).toBeLessThan(builtAt);
    expect(box.of('ticker').filter(({ what }) => what !== undefined)).toEqual([]);
    const right = Date.UTC(2026, 10, 23) + (wrong % 86_400_000);
    box.setTo(right - 5_000);
    await box.heard('ticker', ({ event }) => event === 'jumped');
    await box.synchronised();
    const rung = await box.heard('ticker', ({ what }) => what === 'act');
    expect(rung.planned).toBe(right);
    expect(box.of('ticker').filter(({ what }) => what !== undefined)).toHaveLength(1);
  }, 60_000);

  test('after a restart: what was missed meanwhile is said, not rung', async () => {
    using box = new Box(monday, -300, monday - 400_000);
    await box.ready();
    await box.synchronised();
    await box.heard('ticker', ({ what, reason }) => what === 'skip' && reason === 'too-late');
    expect(box.of('ticker').filter(({ what }) => what === 'act')).toEqual([]);
  }, 60_000);
});

/** The child and its clock. */
class Box implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'school-clock-'));
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: Line[] = [];
  #offset = 0;

  /** `seconds`: from the start of the child to its bell. */
  constructor(at: number, seconds: number, horizon?: number) {
    this.setTo(at);
    const script = join(import.meta.dirname, 'school-clock-child.ts');
    const args = [script, String(seconds), String(builtAt), ...(horizon === undefined ? [] : [String(horizon)])];
    this.#child = spawn(process.execPath, args, {
      env: {
        PATH: process.env.PATH,
        TZ: 'UTC',
        LD_PRELOAD: library ?? '',
        FAKETIME_TIMESTAMP_FILE: join(this.#folder, 'offset'),
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    });
    let rest = '';
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#lines.push(JSON.parse(line) as Line);
    });
    let errors = '';
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = `${errors}${text}`.slice(-2_000);
    });
    this.#child.on('exit', (code) => {
      if (code !== 0 && code !== null) console.warn(`the child ended with ${code}: ${errors}`);
    });
  }

  /** Its wall clock shows this now, and goes on from there. */
  setTo(at: number): void {
    this.#offset = at - Date.now();
    // Replaced in one go: it may be read at any moment.
    writeFileSync(join(this.#folder, 'next'), `${this.#offset < 0 ? '' : '+'}${(this.#offset / 1_000).toFixed(3)}\n`);
    renameSync(join(this.#folder, 'next'), join(this.#folder, 'offset'));
  }

  wall(): number {
    return Date.now() + this.#offset;
  }

  of(by: string): readonly Line[] {
    return this.#lines.filter((line) => line.by === by);
  }

  /** When its bell is due, ms since epoch. */
  async ready(): Promise<number> {
    const started = await this.heard('test');
    // A library that is not loaded would prove nothing.
    expect(Math.abs(started.wall - this.wall())).toBeLessThan(60_000);
    return started.planned ?? 0;
  }

  async synchronised(): Promise<void> {
    const before = this.of('test').length;
    this.#child.stdin.write('synchronised\n');
    await vi.waitFor(() => expect(this.of('test').length).toBeGreaterThan(before), soon);
  }

  /** The nth line of somebody that is so. */
  heard(by: string, isSo: (line: Line) => boolean = () => true, nth = 1): Promise<Line> {
    return vi.waitFor(() => {
      const found = this.of(by)
        .filter(isSo)
        .at(nth - 1);
      if (found === undefined) throw new Error(`${by} has not said it: ${JSON.stringify(this.#lines)}`);
      return found;
    }, soon);
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function findLibrary(): string | null {
  const roots = ['/usr/lib', '/usr/lib64'].filter((root) => existsSync(root));
  const folders = roots.flatMap((root) => readdirSync(root).map((name) => join(root, name, 'faketime')));
  return folders.map((folder) => join(folder, 'libfaketimeMT.so.1')).find((file) => existsSync(file)) ?? null;
}
