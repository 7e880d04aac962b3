/** A process in a family tree. */
export interface FamilyMember {
  readonly pid: number;
  /** The parent now; an orphan's is not the one that started it. */
  readonly ppid: number;
  /** Whether every process it starts belongs to the family. */
  readonly isRoot: boolean;
  /** Whether it descends from a root; stays true. */
  isDescendant: boolean;
}

/**
 * Marks all descendants of roots. Call it at every look: a descendant stays one when its parent ends and it gets another, or
 * when its root is no longer a root. A process that lost its parent between two looks cannot be found here.
 *
 * Climbs from each process only up to a member of a family or a process that it climbed from before, so each is visited
 * about twice.
 */
export function markDescendants(all: ReadonlyMap<number, FamilyMember>): void {
  const strangers = new Set<FamilyMember>();
  const path: FamilyMember[] = [];
  for (const each of all.values()) {
    if (each.isDescendant) continue;
    path.length = 0;
    let belongs = false;
    // The kernel has no circles, but a table that is read while PIDs are given again may.
    for (
      let at: FamilyMember | undefined = each;
      at && !strangers.has(at) && !path.includes(at);
      at = all.get(at.ppid)
    ) {
      if (at.isDescendant || (at.isRoot && at !== each)) {
        belongs = true;
        break;
      }
      path.push(at);
    }
    for (const climbed of path) {
      if (belongs) climbed.isDescendant = true;
      else if (!climbed.isRoot) strangers.add(climbed);
    }
  }
}
