// What waits for its turn on the token, first come first served. It lies in pieces, so that taking is cheap however much
// waits: nothing of a hundred thousand entries moves up, and no table is built anew in the middle of a pass.

/** Entries of a piece. */
const PIECE = 1024;

export class Backlog<T> {
  private readonly pieces: T[][] = [[]];
  /** Entries of the first piece before this one have been taken. */
  private first = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  add(entry: T): void {
    const last = this.pieces[this.pieces.length - 1]!;
    if (last.length < PIECE) last.push(entry);
    else this.pieces.push([entry]);
    this.count += 1;
  }

  /** The one that has waited longest. */
  take(): T | undefined {
    if (this.count === 0) return undefined;
    const entry = this.pieces[0]![this.first]!;
    this.first += 1;
    this.count -= 1;
    if (this.first === PIECE || this.count === 0) {
      if (this.pieces.length > 1) this.pieces.shift();
      else this.pieces[0] = [];
      this.first = 0;
    }
    return entry;
  }
}
