import { FRAMES_PER_WORD } from '../../kernel/idle-bitmap.js';
import { WordBatch } from '../../kernel/words.js';

/** The marks of a tick: a row for each sample whose frame has an idle bit, in the order of the regions. */
export class Marked {
  count = 0;
  readonly region: Uint32Array;
  readonly frame: Float64Array;
  /** The frame whose idle bit covers the page. */
  readonly idleFrame: Float64Array;
  /** For every region, with or without a row: the index of its page in known-frames.ts, or -1. */
  readonly known: Int32Array;
  /** The index in `words` of the word with this bit. Neighbours may share one. */
  readonly word: Uint32Array;
  /** Words of the bitmap: first the marks to write, then the words read back. */
  readonly words: WordBatch;
  /** Words read from pagemap or kpageflags. */
  readonly asked: WordBatch;
  /** Mapper counts of the pages that may be shared. */
  readonly mappers: WordBatch;

  constructor(readonly capacity: number) {
    this.region = new Uint32Array(capacity);
    this.frame = new Float64Array(capacity);
    this.idleFrame = new Float64Array(capacity);
    this.known = new Int32Array(capacity);
    this.word = new Uint32Array(capacity);
    this.words = new WordBatch(capacity);
    this.asked = new WordBatch(capacity);
    this.mappers = new WordBatch(capacity);
  }

  clear(): void {
    this.count = this.words.count = 0;
  }

  /** Adds a row. Its mark goes into the last word if the bit lies in it, else into a new word. */
  add(region: number, frame: number, idleFrame: number): void {
    const { words } = this;
    const bit = idleFrame & (FRAMES_PER_WORD - 1);
    const index = (idleFrame - bit) / FRAMES_PER_WORD;
    if (words.count === 0 || words.indices[words.count - 1] !== index) {
      words.indices[words.count] = index;
      words.halves[2 * words.count] = words.halves[2 * words.count + 1] = 0;
      words.count++;
    }
    words.halves[2 * words.count - 2 + (bit >>> 5)]! |= 1 << (bit & 31);
    this.region[this.count] = region;
    this.frame[this.count] = frame;
    this.idleFrame[this.count] = idleFrame;
    this.word[this.count] = words.count - 1;
    this.count++;
  }

  /** Whether the row's bit is still set in the words read back. */
  isIdle(row: number): boolean {
    const bit = this.idleFrame[row]! & (FRAMES_PER_WORD - 1);
    return ((this.words.halves[2 * this.word[row]! + (bit >>> 5)]! >>> (bit & 31)) & 1) === 1;
  }

  /** Makes row `to` a copy of row `from`. */
  move(from: number, to: number): void {
    this.region[to] = this.region[from]!;
    this.frame[to] = this.frame[from]!;
    this.idleFrame[to] = this.idleFrame[from]!;
  }
}
