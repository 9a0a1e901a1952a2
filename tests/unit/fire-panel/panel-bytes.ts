/* What a GST9000 prints, as its service firms publish it: ESC 6 before the time, ESC 9 before the words, GBK, a blank line at the end. */

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

/** 08/12/02 17:24, 004-004, 首次火警, 裙楼一层上空, 感烟探测器. */
export const fireRecord = bytes(
  `1B 36 30 38 2F 31 32 2F 30 32 20 20 31 37 3A 32 34 0A 20 20 30 30 34 2D 30 30 34 0A 1B 39 CA D7 B4 CE BB F0 BE AF 0A C8 B9 C2 A5 D2 BB B2 E3 C9 CF BF D5 0A B8 D0 D1 CC CC BD B2 E2 C6 F7 0A 0A`,
);
/** 08/12/02 17:21, 006-007, 火警后续, 中烟六层计划部, 感烟探测器. */
export const nextFireRecord = bytes(
  `1B 36 30 38 2F 31 32 2F 30 32 20 20 31 37 3A 32 31 0A 20 20 30 30 36 2D 30 30 37 0A 1B 39 BB F0 BE AF BA F3 D0 F8 0A D6 D0 D1 CC C1 F9 B2 E3 BC C6 BB AE B2 BF 0A B8 D0 D1 CC CC BD B2 E2 C6 F7 0A 0A`,
);
/** 08/12/02 17:25, 系统复位. */
export const resetRecord = bytes(
  `1B 36 30 38 2F 31 32 2F 30 32 20 20 31 37 3A 32 35 0A 20 20 0A 1B 39 CF B5 CD B3 B8 B4 CE BB 0A 0A`,
);
