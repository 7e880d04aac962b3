import { printable } from '../../core/printable.js';
import { nameOfProcess } from '../reports/text.js';
import { formatBytes, formatDuration, formatShare } from '../units.js';
import type { HeatMap, Panel } from './heat-map.js';

/** What the pictures say in words, in parts: as many of them are shown as have room. */

export function titleParts({ source, startUs, endUs, panels, isFlat }: HeatMap): string[] {
  const snapshots = panels.reduce((sum, { sums }) => sum + sums.snapshots, 0);
  return [
    printable(source.name),
    `${printable(source.check)} check`,
    ...(isFlat ? ['flat per mapping'] : []),
    `${formatDuration(endUs - startUs)} in ${snapshots} snapshot${snapshots === 1 ? '' : 's'}`,
    ...(source.startedAt === '' ? [] : [`started ${startTime(source.startedAt)}`]),
  ];
}

function startTime(iso: string): string {
  return printable(iso.replace('T', ' ').replace(/\.\d+Z$/, ' UTC'));
}

export function panelName({ sums: { target } }: Panel): string {
  return nameOfProcess(target, Number.POSITIVE_INFINITY);
}

export function panelParts(panel: Panel, { choice }: HeatMap): string[] {
  const { shownBytes, watchedBytes, leftOut, sums, accessesShown } = panel;
  const shown = `${formatBytes(shownBytes)} of ${formatBytes(watchedBytes)} watched`;
  return [
    choice === 'hottest' && sums.accessed > 0 ? `the hottest ${shown}` : shown,
    sums.accessed === 0 ? 'never accessed' : `${formatShare(accessesShown)} of the accesses`,
    ...(leftOut.length > 0 ? [`${leftOut.length} smaller ranges left out`] : []),
  ];
}

/** What is not in the picture; undefined where everything is. */
export function leftOutText({ leftOut: { targets, accesses } }: HeatMap): string | undefined {
  if (targets === 0) return undefined;
  const who = targets === 1 ? '1 more process' : `${targets} more processes`;
  return `left out: ${who} with ${formatShare(accesses)} of the accesses; --panels and --pid choose`;
}

export function gapText(bytes: number): string {
  return `${formatBytes(bytes)} cut out`;
}

/** What a share is a part of. */
export function sharesOf({ isFlat }: HeatMap): string {
  return isFlat ? 'what is resident' : 'samples';
}
