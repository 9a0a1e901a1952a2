/*
 * Every state of an alarm and every input, as data: the machine's test walks each cell, and edge/docs/alarms.md prints it. ISA-18.2
 * states with what lies over them: `+shelved` (a person put it out of sight for a time), `+suppressed` (by design behind its
 * cause), and, of what comes and goes too often, `+held` (held up, its cause stands) and `+quiet` (held up, its cause is away).
 */

export const alarmInputs = [
  /** Its source says again what it said. */
  'raise',
  /** A new event brings its cause. */
  'event',
  /** The cause is graver now, or milder. */
  'graver',
  'milder',
  /** The cause is gone; `flutter`: of a source that comes and goes too often; `calm`: that has stayed away long enough. */
  'return',
  'flutter',
  'calm',
  'acknowledge',
  'shelve',
  'unshelve',
  /** The shelf's time is over. */
  'expire',
  /** A greater cause is known; it is gone; and what it hid has had its grace. */
  'suppress',
  'uncover',
  'unsuppress',
  /** Its source was taken out of the site. */
  'end',
  /** The cause is gone, but the rule is latched: it says nothing until a person resets it, which comes as `return`. */
  'latch',
] as const;
export type AlarmInput = (typeof alarmInputs)[number];

/**
 * A cell is the situation after the input. `.`: nothing changes, nothing is stored. `*`: a new occurrence. A trailing `+`: counted
 * once more; `!`: shown anew, its ladder begins with the first step. U unacknowledged, A acknowledged, R returned, N normal (over);
 * s shelved, x suppressed, h held up, q held up and quiet.
 */
const rows = `
            raise  event  graver  milder  return  flutter  calm  acknowledge  shelve  unshelve  expire  suppress  uncover  unsuppress  end  latch
N           U*     U*     U*      U*      .       .        .     .            .       .         .       .         .        .           .    .
U           .      U+     U!      U       R       Uq       .     A            Us      .         .       Ux        .        .           N    .
Us          .      Us+    U!      Us      Rs      Uqs      .     As           Us      U!        U!      Usx       .        .           N    .
Ux          .      Ux+    U!      Ux      N       N        .     Ax           Usx     .         .       .         Ux       U!          N    .
Usx         .      Usx+   U!      Usx     N       N        .     Asx          Usx     Ux!       Ux!     .         Usx      Us!         N    .
A           .      A+     U!      A       N       Aq       .     .            As      .         .       Ax        .        .           N    .
As          .      As+    U!      As      N       Aqs      .     .            As      A!        A!      Asx       .        .           N    .
Ax          .      Ax+    U!      Ax      N       N        .     .            Asx     .         .       .         Ax       A!          N    .
Asx         .      Asx+   U!      Asx     N       N        .     .            Asx     Ax!       Ax!     .         Asx      As!         N    .
R           U+     U+     U+!     U+      .       .        .     N            Rs      .         .       .         .        .           N    .
Rs          Us+    Us+    U+!     Us+     .       .        .     N            Rs      R!        R!      .         .        .           N    .
Uh          .      Uh+    Uh!     Uh      Uq      Uq       .     Ah           Uhs     .         .       Uhx       .        .           N    .
Uq          Uh+    Uh+    Uh+!    Uh+     .       .        R     Aq           Uqs     .         .       Uqx       .        .           N    .
Ah          .      Ah+    Uh!     Ah      Aq      Aq       .     .            Ahs     .         .       Ahx       .        .           N    .
Aq          Ah+    Ah+    Uh+!    Ah+     .       .        N     .            Aqs     .         .       Aqx       .        .           N    .
`;

export interface AlarmCell {
  readonly from: string;
  readonly input: AlarmInput;
  /** The situation after it; the same as `from` where `isNothing`. */
  readonly to: string;
  readonly isNothing: boolean;
  readonly isNew: boolean;
  readonly isCounted: boolean;
  readonly isShownAnew: boolean;
}

export const alarmCells: readonly AlarmCell[] = rows
  .trim()
  .split('\n')
  .slice(1)
  .flatMap((row) => {
    const [from = '', ...cells] = row.split(/\s+/);
    return alarmInputs.map((input, i) => cellOf(from, input, cells[i] ?? ''));
  });

function cellOf(from: string, input: AlarmInput, cell: string): AlarmCell {
  return {
    from,
    input,
    to: cell === '.' ? from : cell.replace(/[*+!]/g, ''),
    isNothing: cell === '.',
    isNew: cell.includes('*'),
    isCounted: cell.includes('+'),
    isShownAnew: cell.includes('!'),
  };
}

/** The table for people, in Markdown. */
export function alarmTableMarkdown(): string {
  const [head = '', ...body] = rows.trim().split('\n');
  const cells = (row: string) => row.trim().split(/\s+/);
  const line = (columns: readonly string[]) => `| ${columns.join(' | ')} |`;
  const inputs = cells(head);
  return [
    line(['', ...inputs]),
    line(['---', ...inputs.map(() => '---')]),
    ...body.map((row) => {
      const [situation = '', ...rest] = cells(row);
      return line([`**${situation}**`, ...rest.map((cell) => (cell === '.' ? '·' : cell))]);
    }),
  ].join('\n');
}
