/**
 * The three ranges that a target is watched in. An address space is mostly empty; its two largest gaps lie,
 * in nearly every process, between the heap and the mmap()ed areas, and between these and the stack:
 *
 *     |text data heap|      largest gap      |mmap()ed areas, libraries|     second gap     |stack|
 *     first mapping                                                                  last mapping
 *
 * Sampling those gaps would find nothing, and following every small gap would make a region of every mapping.
 *
 * @param mapped [start, end) pairs of pages in address order, `[vsyscall]` left out; may touch, may be empty
 * @param length numbers of `mapped` that are in use
 * @returns none to three [start, end) pairs, in order: one where there is no gap, two where there is one
 */
export function threeRanges(mapped: Float64Array, length = mapped.length): Float64Array {
  if (length === 0) return new Float64Array(0);
  let [largest, second] = [0, 0];
  let [largestAt, secondAt] = [-1, -1]; // index of the pair before the gap
  for (let i = 2; i < length; i += 2) {
    const gap = mapped[i]! - mapped[i - 1]!;
    if (gap > largest) {
      [second, secondAt] = [largest, largestAt];
      [largest, largestAt] = [gap, i - 2];
    } else if (gap > second) {
      [second, secondAt] = [gap, i - 2];
    }
  }
  const edges = [mapped[0]!];
  for (const before of [largestAt, secondAt].filter((at) => at >= 0).sort((a, b) => a - b)) {
    edges.push(mapped[before + 1]!, mapped[before + 2]!);
  }
  edges.push(mapped[length - 1]!);
  return Float64Array.from(edges);
}
