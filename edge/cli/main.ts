import { chooseLanguage, type Language } from '#edge/runtime/arguments.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { auditCommands } from './audit.ts';
import { backupCommands } from './backup.ts';
import { caseCommands } from './case.ts';
import { certificateCommands } from './certificates.ts';
import { clientCommands } from './client.ts';
import { type Command, commonOptions, Given, readOptions, type Terminal, usage } from './command.ts';
import { deviceCommands } from './device.ts';
import { doctorCommands } from './doctor.ts';
import { helpOf, overview } from './help.ts';
import { profileCommands } from './profile.ts';
import { profileTryCommands } from './profile-try.ts';
import { ruleCommands } from './rule.ts';
import { scanCommands } from './scan-command.ts';
import { serviceCommands } from './service.ts';
import { siteCommands } from './site.ts';
import { userCommands } from './user.ts';

/* The `campus` command. Every line it prints is for a person; it exits 0 only when what was asked is done. */

const commands: readonly Command[] = [
  ...doctorCommands,
  ...userCommands,
  ...deviceCommands,
  ...scanCommands,
  ...clientCommands,
  ...certificateCommands,
  ...profileCommands,
  ...profileTryCommands,
  ...siteCommands,
  ...ruleCommands,
  ...auditCommands,
  ...caseCommands,
  ...backupCommands,
  ...serviceCommands,
];

/** The longest name that the words begin with. */
function findCommand(args: readonly string[]): { command: Command; rest: readonly string[] } | null {
  for (const count of [2, 1]) {
    const name = args.slice(0, count).join(' ');
    const command = commands.find((known) => known.name === name);
    if (command !== undefined) return { command, rest: args.slice(count) };
  }
  return null;
}

/** `--help` alone means every command, `device --help` those that begin with the word. Throws USAGE for anything else. */
function commandsMeant(args: readonly string[]): readonly Command[] {
  const end = args.findIndex((arg) => arg.startsWith('-'));
  const words = args.slice(0, end < 0 ? args.length : end);
  const meant = commands.filter(({ name }) => words.length === 0 || name.startsWith(`${words.join(' ')} `));
  const unknown = usage(`there is no command "${words.join(' ')}"`);
  if (meant.length === 0) throw unknown;
  const { values } = readOptions(args, commonOptions);
  if (values.help !== true) throw unknown;
  return meant;
}

/** The language must be known before anything else can be said to be wrong. */
function languageIn(args: readonly string[]): Language {
  const at = args.indexOf('--lang');
  const joined = args.find((arg) => arg.startsWith('--lang='))?.slice('--lang='.length);
  return chooseLanguage(joined ?? (at < 0 ? undefined : (args[at + 1] ?? '')));
}

async function main(args: readonly string[]): Promise<number> {
  const terminal: Terminal = {
    language: languageIn(args),
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    stdin: process.stdin,
  };
  const found = findCommand(args);
  if (found === null) {
    process.stdout.write(overview(commandsMeant(args), terminal.language));
    return 0;
  }
  const { command, rest } = found;
  const { words, values } = readOptions(rest, { ...command.options, ...commonOptions });
  if (values.help === true) {
    process.stdout.write(helpOf(command, terminal.language));
    return 0;
  }
  return (await command.run(new Given(words, values, terminal))) ?? 0;
}

/** Whoever reads what we say may go (`campus device list | head`). */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') return;
    throw error;
  });
}

const args = process.argv.slice(2);
try {
  process.exitCode = await main(args);
} catch (error) {
  if (!(error instanceof CodedError)) throw error;
  const isUsage = error.code === 'USAGE';
  process.stderr.write(`${messageOf(error)}\n${isUsage ? `\n${overview(commands, safeLanguage())}` : ''}`);
  process.exitCode = isUsage ? 2 : 1;
}

function safeLanguage(): Language {
  try {
    return languageIn(args);
  } catch {
    return 'both';
  }
}
