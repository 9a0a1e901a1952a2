import { loadProfiles } from '#edge/profiles/load.ts';
import type { EnergyVerdict } from '#edge/profiles/plausibility-energy.ts';
import { type Command, type Given, inLanguage, jsonOption, usage } from './command.ts';
import { profileFolder, profileName } from './profile.ts';
import { addressFor, parsePlace } from './profile-try-address.ts';
import type { Judgement } from './profile-try-judge.ts';
import { printable, printableJson } from './scan-text.ts';
import type { Tried } from './try-device.ts';

/* `campus profile try`: reads a real device by its real driver, and judges what it says. */

export const profileTryCommands: readonly Command[] = [
  {
    name: 'profile try',
    usage: 'PROFILE ADDRESS [--minutes 5] [--json]',
    about: {
      zh: '读一个真实设备并判断读数是否合理；不保存、不写入',
      en: 'read a real device and judge whether what it says can be; nothing is kept or written',
    },
    more: [
      {
        zh: 'ADDRESS 如 tcp://10.0.3.7:502/1、rtu+tcp://10.0.3.7:4001/1?baud=9600、serial:///dev/ttyUSB0/1?baud=9600&parity=even、dlt645+tcp://10.0.3.7:4001/000000123456、cjt188+serial:///dev/ttyUSB0/00000012345678。',
        en: 'ADDRESS is such as tcp://10.0.3.7:502/1, rtu+tcp://10.0.3.7:4001/1?baud=9600, serial:///dev/ttyUSB0/1?baud=9600&parity=even, dlt645+tcp://10.0.3.7:4001/000000123456 or cjt188+serial:///dev/ttyUSB0/00000012345678.',
      },
      {
        zh: '读数不合理时，逐一尝试字节序、地址偏移、寄存器区、小数位、互感器变比和接线，给出能使各量相符的解释及依据。退出码 0：可用且合理。',
        en: 'Where values cannot be, it looks for what would make them fit together: byte order, addresses one off, the other table, decimal places, ratios of transformers, how they are put on; and says what it compared. It ends with 0 when the device works and is plausible.',
      },
      {
        zh: '--minutes 继续读若干分钟，比较电能计数与功率积分；Ctrl-C 提前结束。',
        en: '--minutes goes on reading and compares the energy counters with the integral of power; Ctrl-C ends it early.',
      },
    ],
    options: {
      minutes: { type: 'string', value: 'N', about: { zh: '继续读多少分钟', en: 'go on reading for so long' } },
      json: jsonOption,
    },
    run: tryProfile,
  },
];

const interval = 5_000;

async function tryProfile(given: Given): Promise<number> {
  const [word, where, ...more] = given.words;
  if (word === undefined || where === undefined || more.length > 0) throw usage('PROFILE and ADDRESS are needed');
  const minutes = Number(given.text('minutes') ?? 0);
  if (!(minutes >= 0 && minutes <= 1_440)) throw usage('--minutes must be 0 to 1440');
  const place = parsePlace(where);
  const shelf = await loadProfiles(profileFolder);
  const name = profileName(word);
  const address = addressFor(place, shelf.profiles.get(name)?.protocol ?? 'modbus');
  // The drivers and their libraries only for whoever tries a device: every command starts sooner.
  const { tryDevice } = await import('./try-device.ts');
  const { watchEnergy } = await import('./profile-try-watch.ts');
  let energy: readonly EnergyVerdict[] = [];
  const ending = new AbortController();
  const interrupt = () => ending.abort();
  if (minutes > 0) process.once('SIGINT', interrupt);
  const tried = await tryDevice(shelf, name, address, async (session, device) => {
    if (minutes === 0) return;
    const progress = reporter(given, minutes * 60_000);
    energy = await watchEnergy(session, device, { ms: minutes * 60_000, interval, signal: ending.signal, progress });
  });
  process.off('SIGINT', interrupt);
  if (given.has('json')) given.print(printableJson({ ...tried, energy }));
  else printAll(carefully(given), tried, energy);
  return verdictOf(tried, energy) === 'plausible' ? 0 : 1;
}

/** One line a minute, on standard error: what is printed stays what was found. */
function reporter(given: Given, whole: number): (done: number, samples: number) => void {
  let said = 0;
  return (done, samples) => {
    if (done < said) return;
    said += 60_000;
    const words = {
      zh: `已读 ${samples} 次，还有 ${Math.ceil((whole - done) / 60_000)} 分钟`,
      en: `read ${samples} times, ${Math.ceil((whole - done) / 60_000)} minutes to go`,
    };
    for (const line of inLanguage(words, given.terminal.language)) given.terminal.err(line);
  };
}

type Speaker = Pick<Given, 'print' | 'say' | 'terminal'>;

/** Says a device's own words without what they could do to the terminal. */
function carefully(given: Given): Speaker {
  return {
    terminal: given.terminal,
    print: (line) => given.print(printable(line)),
    say: ({ zh, en }) => given.say({ zh: printable(zh), en: printable(en) }),
  };
}

type Verdict = 'plausible' | 'suspicious' | 'unusable';

function verdictOf({ ok, judgement }: Tried, energy: readonly EnergyVerdict[]): Verdict {
  const isSuspicious =
    (judgement?.suspicions.length ?? 0) > 0 ||
    judgement?.checks.some(({ holds }) => holds === false) === true ||
    energy.some(({ state }) => state === 'differs');
  if (isSuspicious) return 'suspicious';
  return ok ? 'plausible' : 'unusable';
}

function printAll(given: Speaker, tried: Tried, energy: readonly EnergyVerdict[]): void {
  const isEnglish = given.terminal.language === 'en';
  for (const { point, label, value, unit, quality, reason } of tried.points) {
    const why = reason === undefined ? quality : `${quality} (${reason})`;
    const figure = `${value ?? '-'} ${unit}`;
    given.print(`${point.padEnd(24)} ${figure.padEnd(20)} ${why.padEnd(28)} ${isEnglish ? label.en : label.zh}`);
  }
  if (tried.judgement !== undefined) printJudgement(given, tried.judgement);
  for (const { state, says } of energy) {
    const sign = state === 'fits' ? '+' : state === 'differs' ? '!' : '?';
    given.say({ zh: `${sign} ${says.zh}`, en: `${sign} ${says.en}` });
  }
  printVerdict(given, tried, verdictOf(tried, energy));
}

function printJudgement(given: Speaker, { isJudged, checks, suspicions, proposals, compared }: Judgement): void {
  const line = (sign: string, says: { readonly zh: string; readonly en: string }) =>
    given.say({ zh: `${sign} ${says.zh}`, en: `${sign} ${says.en}` });
  given.print('');
  for (const { holds, says } of checks) line(holds === null ? '?' : holds ? '+' : '!', says);
  if (suspicions.length === 0 && isJudged) for (const says of compared) line('+', says);
  for (const { says } of suspicions) line('!', says);
  for (const { sure, says, compared: figures, profile } of proposals) {
    const words = sureWords[sure];
    given.print('');
    given.say({ zh: `=> ${words.zh}：${says.zh}`, en: `=> ${words.en}: ${says.en}` });
    for (const figure of figures) line('   +', figure);
    for (const text of profile === '' ? [] : profile.split('\n')) given.print(`      ${text}`);
  }
  if (suspicions.length > 0 && proposals.length === 0) {
    line('=>', {
      zh: '没有单一的错误能解释这些读数：请核对型号、地址和接线',
      en: 'no mistake that is known here explains it: look at the model, the address and the wiring',
    });
  }
  given.print('');
}

const sureWords = {
  certain: { zh: '可以肯定', en: 'certain' },
  likely: { zh: '很可能', en: 'likely' },
  possible: { zh: '也许', en: 'possible' },
} as const;

function printVerdict(given: Speaker, { message, ms, judgement }: Tried, verdict: Verdict): void {
  if (verdict === 'plausible') {
    const isCompared = judgement?.isJudged === true;
    given.say({
      zh: isCompared ? `可用且合理（${ms} 毫秒）` : `可用（${ms} 毫秒）`,
      en: isCompared ? `works, and what it says is plausible (${ms} ms)` : `works (${ms} ms)`,
    });
  } else if (verdict === 'suspicious') {
    given.say({
      zh: `可疑（${ms} 毫秒）${message}`,
      en: `answers, but what it says is suspicious (${ms} ms) ${message}`.trim(),
    });
  } else {
    given.say({ zh: `不可用（${ms} 毫秒）：${message}`, en: `does not work (${ms} ms): ${message}` });
  }
}
