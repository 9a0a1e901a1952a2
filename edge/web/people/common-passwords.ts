/*
 * Passwords that are tried first, as they are left when capitals and signs are taken off: `Zhang@123456` is
 * `zhang123456`. Words and endings are put together, because that is how people make them; what lists of leaked Chinese
 * passwords are full of (a123456, woaini1314, 5201314 "I love you for ever", 1qaz2wsx) stands on its own.
 */

const alone = `
  a123456 a123456789 a1234567890 aa123456 aa12345678 aaa123456 qq123456 qq123456789 w123456789 z123456789 s123456789
  abc123456 abc123456789 abcd1234 abcd123456 abcd12345678 123456abc 123456abcd 123456aa 123456789a 1234567890a 123abc456
  woaini1314 woaini1314520 woaini5201314 woaini520 woaini123 woaini123456 woaini521 5201314 5201314520 1314520 a5201314
  w5201314 aini1314 aini5201314 love5201314 iloveyou1314 iloveyou520 tianya1314 baobei520 baobei1314 laopo520 laogong520
  1qaz2wsx 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4 q1w2e3r4t5 qwer1234 qwer123456
  qwerty123 qwerty1234 qwerty12345 qwerty123456 qweasdzxc qweasdzxc123 qaz123456 qazwsx123 qazwsx123456 zaq12wsx
  zaq1xsw2 zxc123456 zxcvbnm123 asd123456 asdf1234 asdfgh123 asdfghjkl123 123qwe123qwe 123qweasd 123qweasdzxc
  pass1234 passw0rd passw0rd1 passw0rd123 p4ssw0rd p4ssword password1 password12 password123 password1234 pa55word
  letmein123 welcome1 welcome123 welcome1234 changeme123 changeme1234 temp1234 temp123456 start123456 master123456
  dearbook xiazhili li123456789 wang123456 wang123456789 zhang123456 zhang123456789 liu123456789 chen123456789
  yang123456789 huang123456789 wu123456789 computer123 internet123 system123456 server123456 oracle123456
  cisco123456 huawei123 huawei123456 huawei12345 hik12345 hik123456 hikvision12345 dahua12345 dahua123456 uniview123
  888888aaa 666666aaa 147258369 147258369a 159357258 159357456 123321123 1234567890qq 112233445566 111222333444
  7758521 7758258 521521521 1314521 31415926 3141592653 0123456789a 987654321a 9876543210a
`;

const words = `
  admin administrator root user guest test tester demo manager operator system support service default public
  password passwd mima kouling denglu welcome hello letmein changeme login
  campus campusedge school xuexiao xiaoyuan xuesheng laoshi jiaoshi teacher student jiaowu houqin baoan baoanshi
  menwei zhongxue xiaoxue gaozhong chuzhong youeryuan jiankong guangbo shipin
  china zhongguo beijing shanghai guangzhou shenzhen
  wang zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo he lin gao luo
  woaini aini baobei laopo laogong iloveyou love
  qwerty qwer qwe asdf asd zxcv zxc abc abcd aaa aa a q w z
`;

const endings = `
  1 12 123 1234 12345 123456 1234567 12345678 123456789 1234567890 0123456789 111 1111 111111 000 000000 666 666666
  888 888888 8888 520 521 1314 520520 5201314 13145 123123 123321 112233 654321 147258 159357 168 1688 2020 2021 2022
  2023 2024 2025 2026 2027
`;

const split = (text: string): string[] => text.trim().split(/\s+/);

const common: ReadonlySet<string> = new Set([
  ...split(alone),
  ...split(words),
  ...split(words).flatMap((word) => split(endings).flatMap((ending) => [word + ending, ending + word])),
]);

/** What is on the keys of the digits 1 to 0 with shift: `1qaz@WSX` is `1qaz2wsx`. */
const shifted = '!@#$%^&*()';

/** Whether a password is among those that are guessed first, however it is dressed up with capitals and signs. */
export function isCommonPassword(password: string): boolean {
  const lower = password.normalize('NFKC').toLowerCase();
  const unshifted = [...lower]
    .map((sign) => (shifted.includes(sign) ? (shifted.indexOf(sign) + 1) % 10 : sign))
    .join('');
  return [lower, unshifted].some((text) => {
    const plain = text.replace(/[^\p{L}\p{N}]/gu, '');
    return common.has(plain) || common.has(plain.replaceAll('0', 'o')) || isTwiceTheSame(plain);
  });
}

/** `abc123abc123` is no better than `abc123`. */
function isTwiceTheSame(plain: string): boolean {
  const half = plain.slice(0, plain.length / 2);
  return half !== '' && plain === half + half && common.has(half);
}
