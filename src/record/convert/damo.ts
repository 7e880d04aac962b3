import { type Attrs, maxNrAccesses } from '../../core/attrs.js';
import { jsonText } from '../../core/printable.js';
import type { RecordedRegion } from '../format.js';
import { type Beside, type Passage, startedNs } from './passages.js';
import type { Spool } from './spool.js';

// A file of damo, the operator of the kernel's DAMON: one JSON document (compressed with zlib), a list with an object for
// each target, each with all of its snapshots. So the snapshots of several targets, which a record has mixed, have to be
// sorted into targets, and those read from it merged again; a Spool does both for files that are larger than the memory.

/** Keys that damo does not know it does not look at; so what it has no place for goes with each snapshot. */
export interface Ours extends Beside {
  /** The place of the snapshot among those of all targets. */
  readonly nr: number;
  readonly maxNrAccesses: number;
}

/**
 * The document: in order of targets, and of each target's snapshots. Where the sampling interval changed on the way,
 * a snapshot has its own; where the number of samples in an aggregation interval did, the target has a second object.
 *
 * @param spool empty
 */
export async function* damoOf(passages: AsyncIterable<Passage>, spool: Spool): AsyncGenerator<string> {
  const entries = new Map<
    string,
    { readonly index: number; readonly target: number; readonly attrs: Attrs }
  >();
  let nr = 0;
  for await (const passage of passages) {
    const { attrs, target } = passage;
    const key = `${target.id} ${maxNrAccesses(attrs)}`;
    let entry = entries.get(key);
    if (!entry) {
      entry = { index: entries.size, target: target.id, attrs };
      entries.set(key, entry);
    }
    spool.add(entry.index, snapshotText(passage, nr++, entry.attrs));
  }
  let before = '[';
  for (const { index, target, attrs } of entries.values()) {
    const { sampleUs, aggrUs, updateUs } = attrs;
    yield `${before}{"kdamond_idx":0,"context_idx":0,"intervals":{"sample_us":"${sampleUs}","aggr_us":"${aggrUs}",` +
      `"ops_update_us":"${updateUs}"},"scheme_idx":null,"target_id":${target},"scheme_filters":[],"snapshots":[`;
    before = '';
    for (const snapshot of spool.texts(index)) {
      yield `${before}\n${snapshot}`;
      before = ',';
    }
    yield ']}';
    before = ',\n';
  }
  yield ']\n';
}

/** Their texts in parts take several times as much memory as in one. */
const REGIONS_AT_A_TIME = 512;

function snapshotText(passage: Passage, nr: number, { sampleUs }: Attrs): string {
  const { snapshot, header, attrs, beside } = passage;
  const started = startedNs(header);
  const time = (us: number) => started + BigInt(Math.round(us * 1_000));
  let regions = '';
  for (let from = 0; from < snapshot.regions.length; from += REGIONS_AT_A_TIME) {
    const texts = snapshot.regions.slice(from, from + REGIONS_AT_A_TIME).map(regionText);
    regions += `${from > 0 ? ',' : ''}${texts.join(',')}`;
  }
  const ours = jsonText({ nr, maxNrAccesses: snapshot.maxNrAccesses, ...beside } satisfies Ours);
  return (
    `{"start_time":"${time(snapshot.startUs)}","end_time":"${time(snapshot.endUs)}","regions":[${regions}],` +
    `"total_bytes":null,"sample_interval_us":${attrs.sampleUs === sampleUs ? null : `"${attrs.sampleUs}"`},` +
    `"pagepulse":${ours}}`
  );
}

function regionText([start, end, nrAccesses, age]: RecordedRegion): string {
  return (
    `{"start":"${BigInt(`0x${start}`)}","end":"${BigInt(`0x${end}`)}",` +
    `"nr_accesses":{"samples":${nrAccesses},"percent":null},"age":{"usec":null,"aggr_intervals":${age}}}`
  );
}
