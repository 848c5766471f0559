// What waits for its turn on the token, first come first served. Taking is cheap however much waits: no array of
// a hundred thousand moves up by one, and no table is built anew in the middle of a pass.

/** Fewer places than this are not worth moving the rest up. */
const TAKEN_MIN = 1024;

export class Backlog<T> {
  private readonly entries: T[] = [];
  /** Entries before this one have been taken. */
  private first = 0;

  get size(): number {
    return this.entries.length - this.first;
  }

  add(entry: T): void {
    this.entries.push(entry);
  }

  /** The one that has waited longest. */
  take(): T | undefined {
    const entry = this.entries[this.first];
    if (this.first < this.entries.length) this.first += 1;
    if (this.first >= TAKEN_MIN && this.first * 2 >= this.entries.length) {
      this.entries.splice(0, this.first);
      this.first = 0;
    }
    return entry;
  }
}
