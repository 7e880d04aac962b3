import { type Command, Option } from 'commander';
import { convert, FORMATS, type Format, TEXT_FORMATS } from '../record/convert/convert.js';
import { OutputFile } from '../record/output-file.js';
import { withExamples } from './options.js';
import { note, UsageError } from './output.js';
import { beforeSignalEnds } from './signals.js';

interface ConvertOptions {
  readonly to: Format;
  readonly output: string;
  readonly force?: boolean;
}

export function define(command: Command): void {
  command
    .argument('<record>', 'a record, a damo file, or Arrow or CSV made from a record; - for standard input')
    .addOption(new Option('--to <format>', 'format to write').choices(FORMATS).makeOptionMandatory())
    .requiredOption('-o, --output <file>', 'write here, - for standard output; .gz compresses text formats')
    .option('--force', 'replace an existing file once the new one is complete')
    .action(run);
  withExamples(
    command,
    'convert it.ndjson.gz --to arrow -o it.arrow',
    'convert damon.data --to ndjson -o it.ndjson',
  );
}

async function run(path: string, { to, output, force = false }: ConvertOptions): Promise<void> {
  if (output.endsWith('.gz') && !TEXT_FORMATS.includes(to)) {
    throw new UsageError(`${to} cannot be compressed with gzip; give a name without .gz`);
  }
  // Before the file is created: a signal without a listener would leave it behind.
  let file: OutputFile | undefined;
  beforeSignalEnds(() => file?.discard());
  file = OutputFile.create(output, { force });
  for (const text of await convert(path, to, file)) note(text);
}
