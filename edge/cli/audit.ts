import { stringify } from 'csv-stringify/sync';
import { systemClock } from '#edge/runtime/clock.ts';
import { verifyAudit } from '#edge/store/audit-chain.ts';
import { openReader } from '#edge/store/reader.ts';
import { type Command, dataOption, type Given, jsonOption } from './command.ts';

export const auditCommands: readonly Command[] = [
  {
    name: 'audit verify',
    usage: '--data FOLDER [--json]',
    about: {
      zh: '校验审计链：修改、删除、调换的行都会被发现；有问题时退出码为 1',
      en: 'verify the audit: an altered, deleted or reordered line is found; ends with 1 then',
    },
    options: { data: dataOption, json: jsonOption },
    run: async (given) => {
      given.none();
      const verdict = await verifyAudit(given.data());
      if (given.has('json')) given.print(JSON.stringify(verdict));
      else {
        for (const { seq, message } of verdict.faults) given.print(`${seq}: ${message}`);
        given.say(
          verdict.ok
            ? {
                zh: `审计完整：${verdict.lines} 行，链头 ${verdict.head}`,
                en: `whole: ${verdict.lines} lines, head ${verdict.head}`,
              }
            : { zh: `审计不完整（共看 ${verdict.lines} 行）`, en: `not whole (${verdict.lines} lines were looked at)` },
        );
      }
      return verdict.ok ? 0 : 1;
    },
  },
  {
    name: 'audit export',
    usage: '--data FOLDER',
    about: { zh: '以 CSV 输出全部审计行', en: 'print every line of the audit as CSV' },
    options: { data: dataOption },
    run: exportAudit,
  },
];

const page = 5_000;
const columns = ['seq', 'time', 'who', 'from', 'what', 'why', 'result'];

async function exportAudit(given: Given): Promise<undefined> {
  given.none();
  using reader = openReader(given.data(), systemClock);
  const print = (rows: readonly (readonly unknown[])[]): void =>
    given.print(stringify([...rows], { record_delimiter: 'unix', escape_formulas: true }).trimEnd());
  print([columns]);
  let after = 0;
  for (;;) {
    const lines = reader.audit(after, page);
    const last = lines.at(-1);
    if (last === undefined) return;
    print(
      lines.map(({ seq, time, who, from, what, why, result }) => {
        const iso = new Date(time).toISOString();
        return [seq, iso, who, from, what, why, result];
      }),
    );
    after = last.seq;
  }
}
