import { CodedError } from '#edge/runtime/errors.ts';

/*
 * What people type -> what a voice is given. Everything is read as text: marks that an engine might take as markup, phonemes or options are
 * pauses. In Chinese, times, decimals, percents, years and numbers of rooms are written out, because engines read them wrongly
 * (espeak-ng 1.51 leaves the point out of "26.5" and says "twenty twenty-six" as a number).
 */

/** Longest text of one job, characters. */
export const longestText = 1_000;
const minusSign = /(?<![\p{L}\d)])-(?=\d)/gu;
const digits = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'] as const;

/** Throws BAD_TEXT when there is nothing to be read, or too much. */
export function spokenText(text: string): string {
  if (text.length > longestText) {
    throw new CodedError('BAD_TEXT', `text: at most ${longestText} characters are spoken at once, not ${text.length}`);
  }
  const plain = withoutMarks(text);
  const written = /\p{Script=Han}/u.test(plain) ? inChinese(plain) : plain.replace(minusSign, 'minus ');
  // It begins with what is read: nothing at its beginning is an option of a program.
  const spoken = written
    .replace(/\s+/g, ' ')
    .replace(/^[^\p{L}\p{N}]+/u, '')
    .trim();
  if (spoken === '') throw new CodedError('BAD_TEXT', 'text: there is nothing in it that could be read');
  return spoken;
}

function withoutMarks(text: string): string {
  return (
    text
      // Full-width digits and letters are the same to a reader: １０１ and 101.
      .normalize('NFKC')
      // Control and invisible characters, private ones, pictures.
      .replace(/[\p{C}\p{Extended_Pictographic}]/gu, ' ')
      // `[[...]]` are phonemes to espeak-ng, `<...>` is SSML to others.
      .replace(/[[\]<>{}|\\^`~_*#=]+/g, ' , ')
  );
}

function inChinese(text: string): string {
  return text
    .replace(/(?<![\d:.])([01]?\d|2[0-4]):([0-5]\d)(?![\d:])/g, (_, hour: string, minute: string) =>
      clock(hour, minute),
    )
    .replace(/(?<!\d)(\d{4})(?=年)/g, (year) => oneByOne(year))
    .replace(/(?<![\d.])(\d{3,4})(?=\s*(?:室|教室|房|宿舍|寝室|办公室))/g, (room) => asCalled(room))
    .replace(/(?<![\d.])\d{7,}(?![\d.])/g, (number) => asCalled(number))
    .replace(minusSign, '负')
    .replace(/(?<![\d.])(\d+(?:\.\d+)?)\s*%/g, '百分之$1')
    .replace(/(?<![\d.])(\d+)\.(\d+)(?![\d.])/g, (_, whole: string, part: string) => `${whole}点${oneByOne(part)}`)
    .replace(/\s*&\s*/g, '和');
}

function clock(hour: string, minute: string): string {
  const at = `${Number(hour)}点`;
  if (minute === '00') return `${at}整`;
  return minute.startsWith('0') ? `${at}零${Number(minute)}分` : `${at}${Number(minute)}分`;
}

function oneByOne(number: string): string {
  return [...number].map((digit) => digits[Number(digit)] ?? digit).join('');
}

/** Rooms and telephones are called with yao for one, which is not mistaken for seven. */
function asCalled(number: string): string {
  return oneByOne(number).replaceAll('一', '幺');
}
