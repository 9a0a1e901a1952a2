/*
 * Every state of an incident and every input, as data: the machine asks it what may be, its test walks each cell, and
 * edge/docs/incidents.md prints it. N new, C claimed by whoever acts, O claimed by another, E escalated, R resolved; a trailing `e`: of the
 * one-key alarm, which is ended by its own reset and by nothing else.
 */

export const incidentInputs = [
  /** Somebody looked at it. */
  'see',
  'claim',
  /** Claims it, also out of another's hands. */
  'take',
  'release',
  'note',
  'escalate',
  /** Its time to be claimed is over. */
  'due',
  'resolve',
  'reopen',
  /** It becomes part of another one. */
  'merge',
  'bookmark',
  'export',
  /** The one-key alarm behind it was ended, by a person with the right and a reason. */
  'reset',
] as const;
export type IncidentInput = (typeof incidentInputs)[number];

export const incidentSituations = ['N', 'C', 'O', 'E', 'R', 'Ce', 'Oe', 'Ee', 'Re'] as const;
export type IncidentSituation = (typeof incidentSituations)[number];

/** A cell is the situation after the input, as whoever acts sees it. `.`: nothing changes, nothing is stored. `-`: refused. */
const rows = `
     see  claim  take  release  note  escalate  due  resolve  reopen  merge  bookmark  export  reset
N    N    C      C     -        N     E         E    R        -       R      N         N       -
C    C    .      .     N        C     E         .    R        -       R      C         C       -
O    O    -      C     -        O     E         .    R        -       R      O         O       -
E    E    C      C     -        E     .         .    R        -       R      E         E       -
R    R    -      -     -        R     -         .    -        N       -      R         R       -
Ce   Ce   .      .     Ee       Ce    Ee        .    -        -       -      Ce        Ce      Re
Oe   Oe   -      Ce    -        Oe    Ee        .    -        -       -      Oe        Oe      Re
Ee   Ee   Ce     Ce    -        Ee    .         .    -        -       -      Ee        Ee      Re
Re   Re   -      -     -        Re    -         .    -        N       -      Re        Re      -
`;

export type IncidentCell = { readonly to: IncidentSituation } | 'nothing' | 'refused';

const table: ReadonlyMap<string, IncidentCell> = new Map(
  rows
    .trim()
    .split('\n')
    .slice(1)
    .flatMap((row) => {
      const [from = '', ...cells] = row.split(/\s+/);
      return incidentInputs.map((input, i) => [`${from} ${input}`, cellOf(cells[i] ?? '-')] as const);
    }),
);

function cellOf(text: string): IncidentCell {
  if (text === '.') return 'nothing';
  const to = incidentSituations.find((known) => known === text);
  return to === undefined ? 'refused' : { to };
}

export function incidentCell(from: IncidentSituation, input: IncidentInput): IncidentCell {
  return table.get(`${from} ${input}`) ?? 'refused';
}

/** For the documentation. */
export function incidentTableMarkdown(): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const shown = (cell: IncidentCell) => (cell === 'nothing' ? '·' : cell === 'refused' ? '' : cell.to);
  return [
    line(['', ...incidentInputs]),
    line(['---', ...incidentInputs.map(() => '---')]),
    ...incidentSituations.map((from) =>
      line([`**${from}**`, ...incidentInputs.map((input) => shown(incidentCell(from, input)))]),
    ),
  ].join('\n');
}
