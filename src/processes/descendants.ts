/** A process in a family tree. */
export interface Kin {
  readonly pid: number;
  /** The parent now: that of an orphan is another one than that which started it. */
  readonly ppid: number;
  /** Whether all that it starts belongs to the family. */
  readonly isRoot: boolean;
  /** Whether it was found to descend from a root; stays true. */
  isDescendant: boolean;
}

/**
 * Marks all descendants of roots. To be called at every look: whoever was found to be a descendant once stays one, when
 * its parent ends and it is given to another one, or when its root is none any longer. A process that lost its parent
 * between two looks cannot be found here.
 *
 * Climbs from each process only until a kin, or a process that was climbed from before: each is looked at some twice.
 */
export function markDescendants(all: ReadonlyMap<number, Kin>): void {
  const strangers = new Set<Kin>();
  const path: Kin[] = [];
  for (const each of all.values()) {
    if (each.isDescendant) continue;
    path.length = 0;
    let isKin = false;
    // The kernel knows no circles, but a table read one by one while ids are given again might.
    for (
      let at: Kin | undefined = each;
      at && !strangers.has(at) && !path.includes(at);
      at = all.get(at.ppid)
    ) {
      if (at.isDescendant || (at.isRoot && at !== each)) {
        isKin = true;
        break;
      }
      path.push(at);
    }
    for (const climbed of path) {
      if (isKin) climbed.isDescendant = true;
      else if (!climbed.isRoot) strangers.add(climbed);
    }
  }
}
