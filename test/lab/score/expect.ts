import type { ExecutionContext } from 'ava';
import type { Watched } from '../machine/protocol.js';
import { lagsMs, type Score, score } from './score.js';
import { costText, scoreText } from './text.js';
import { type Phase, phasesOf, pidsOf } from './truth.js';

/** One process of a scenario: what it really does, and how well that was seen. */
export interface Scored {
  readonly phases: readonly Phase[];
  readonly score: Score;
}

/** The regions have to be found first: that takes aggregation intervals, and a slow machine makes few in a second. */
export const FINDING = 15;

/** So many snapshots of a target are waited for where nothing but its memory is in question; 25 of them are scored. */
export const ENOUGH = FINDING + 25;

/** Which of what was watched counts. */
export interface Scoring {
  /** Left out after each phase change; nothing unless told otherwise. */
  readonly settleUs?: number;
  /** The first phase that counts; all unless told otherwise. */
  readonly fromPhase?: number;
}

export function scored(
  { truths, snapshots }: Watched,
  { settleUs = 0, fromPhase = 0 }: Scoring = {},
): Scored[] {
  const processes = truths.flatMap((lines) =>
    pidsOf(lines).map((pid) => phasesOf(lines, pid).slice(fromPhase)),
  );
  return processes.map((phases, i) => ({
    phases,
    score: score(snapshots[i]!.slice(FINDING), phases, settleUs),
  }));
}

/** Reports the figures of every process, and fails where one is below `least`. */
export function expectFound(
  t: ExecutionContext,
  watched: Watched,
  { least = 0.98, ...scoring }: { least?: number } & Scoring = {},
): void {
  const processes = scored(watched, scoring);
  for (const { score } of processes) t.log(scoreText(score));
  t.log(costText(watched.cost));
  for (const { score } of processes) expectScore(t, score, least);
}

/** The same of memory that moves: how far behind the picture was is told, and what is seen later than that counts. */
export function expectFollowed(t: ExecutionContext, watched: Watched): void {
  const [process] = scored(watched);
  const lags = lagsMs(watched.snapshots[0]!, process!.phases.slice(0, 3));
  t.log(`behind by ${lags.map((ms) => `${(ms / 1e3).toFixed(1)} s`).join(', ')}`);
  expectFound(t, watched, { least: 0.95, settleUs: 5e6 });
}

export function expectScore(
  t: ExecutionContext,
  { precision, recall, workingSetError }: Score,
  least = 0.98,
): void {
  t.true(precision >= least, `precision ${precision}`);
  t.true(recall >= least, `recall ${recall}`);
  if (least >= 0.98) t.true(workingSetError <= 0.03, `working-set error ${workingSetError}`);
}
