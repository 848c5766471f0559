// A digest of words in their order: what two runs of one seed must agree in. Not for hostile words.

export class Digest {
  private low = 0x811c9dc5 | 0;
  private high = 0x9e3779b9 | 0;

  add(word: number): void {
    this.low = Math.imul(this.low ^ word, 0x01000193);
    this.high = Math.imul(this.high ^ (this.low >>> 15) ^ word, 0x85ebca6b);
    this.high ^= this.high >>> 13;
  }

  /** 16 hexadecimal digits. */
  value(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");
    return hex(this.high) + hex(this.low);
  }
}
