import { Command } from 'commander';
import type { TargetInfo } from '../../core/target.js';
import { isNamed } from '../../processes/selection.js';
import type { Observation, ObservationSource } from '../../report/source/observation.js';
import { note, UsageError } from '../failure.js';
import { addMonitorOptions, type WatchOptions } from '../options.js';

/** What a record tells of its processes can be asked for again; whose or where they were it does not tell. */
const OF_RECORDS = ['pid', 'name', 'exclude'] as const;

/** @throws UsageError where an option says how or what to watch: a record was watched already */
export function refuseWatching(options: WatchOptions): void {
  for (const option of addMonitorOptions(new Command()).options) {
    const name = option.attributeName() as keyof WatchOptions;
    if ((OF_RECORDS as readonly string[]).includes(name)) continue;
    if (options[name] === undefined || options[name] === option.defaultValue) continue;
    throw new UsageError(
      `${option.long} is for what is watched now, and a record is from before; leave one of them out`,
    );
  }
}

/** The same source with those processes alone that --pid, --name and --exclude choose. */
export function chosenOf(
  source: ObservationSource,
  { pid, name, exclude }: Pick<WatchOptions, (typeof OF_RECORDS)[number]>,
): ObservationSource {
  if (!pid && !name && !exclude) return source;
  const isChosen = ({ pid: itsPid, comm, cmdline }: TargetInfo) => {
    const traits = { comm: () => comm, cmdline: () => cmdline.join(' ') };
    const isWanted = name ? isNamed(name, traits) : !pid;
    return (pid?.includes(itsPid) ?? false) || (isWanted && !(exclude && isNamed(exclude, traits)));
  };
  return {
    header: source.header,
    notes: () => source.notes(),
    observations: () => filtered(source, isChosen),
  };
}

async function* filtered(
  source: ObservationSource,
  isChosen: (target: TargetInfo) => boolean,
): AsyncGenerator<Observation> {
  const others = new Set<number>();
  let chosen = 0;
  for await (const observation of source.observations()) {
    if (isChosen(observation.snapshot.target)) {
      chosen++;
      yield observation;
    } else others.add(observation.snapshot.target.id);
  }
  if (chosen === 0 && others.size > 0)
    note(`${source.header.name}: none of its ${others.size} processes matches`);
}
