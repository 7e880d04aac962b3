import { type Command, Option } from 'commander';
import { convert, FORMATS, type Format, TEXT_FORMATS } from '../record/convert/convert.js';
import { OutputFile } from '../record/output-file.js';
import { note, UsageError } from './failure.js';
import { beforeSignalEnds } from './signals.js';

interface ConvertOptions {
  readonly to: Format;
  readonly output: string;
  readonly force?: boolean;
}

export function addConvert(program: Command): void {
  program
    .command('convert')
    .description("convert a record, or a recording of the kernel's DAMON, for other programs")
    .argument('<record>', 'a record, a file of damo, or Arrow or CSV made of one; - for standard input')
    .addOption(new Option('--to <format>', 'what to').choices(FORMATS).makeOptionMandatory())
    .requiredOption('-o, --output <file>', 'where to, - for standard output; text is compressed in .gz')
    .option('--force', 'replace the file if it exists, when the new one is whole')
    .addHelpText(
      'after',
      '\nExamples:\n  pagepulse convert it.ndjson.gz --to arrow -o it.arrow\n  pagepulse convert damon.data --to ndjson -o it.ndjson',
    )
    .action(run);
}

async function run(path: string, { to, output, force = false }: ConvertOptions): Promise<void> {
  if (output.endsWith('.gz') && !TEXT_FORMATS.includes(to)) {
    throw new UsageError(`${to} is not compressed with gzip; give a name without .gz`);
  }
  // Before there is a file: a signal that nobody listens to would leave it behind.
  let file: OutputFile | undefined;
  beforeSignalEnds(() => file?.discard());
  file = OutputFile.create(output, { force });
  for (const text of await convert(path, to, file)) note(text);
}
