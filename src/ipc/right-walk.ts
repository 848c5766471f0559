// The rights of a message's body, one after the other, in line and out of line: what copyout, destruction
// and network IPC all go through. One object per walk; only complex messages are walked.
//   const walk = new RightWalk(memory, message);
//   while (walk.next()) ... walk.word, walk.right; set walk.word to replace it

import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import { bodyWord, bodyWords, type KernelMessage } from "./kernel-message.ts";
import { type CarriedRight, isPortDisposition, PORT_SEND } from "./rights.ts";
import { isInline, itemData, itemEnd, itemNumber, itemType } from "./typed-item.ts";

export class RightWalk {
  right: CarriedRight = PORT_SEND;
  private readonly words: Int32Array;
  private readonly message: KernelMessage;
  private readonly end: number;
  private at: number;
  private array: Int32Array;
  private index = 0;
  private left = 0;

  constructor(memory: PhysicalMemory, message: KernelMessage) {
    this.words = bodyWords(memory, message);
    this.array = this.words;
    this.message = message;
    this.at = bodyWord(memory, message);
    this.end = this.at + (message.size >> 2);
  }

  /** Goes to the next right; false at the end. */
  next(): boolean {
    if (this.left > 0) {
      this.left -= 1;
      this.index += 1;
      return true;
    }
    while (this.at < this.end) {
      const { at, words } = this;
      this.at = itemEnd(words, at);
      const right = itemType(words, at);
      const count = itemNumber(words, at);
      if (!isPortDisposition(right) || count === 0) continue;
      const data = itemData(words, at);
      this.right = right as CarriedRight;
      this.left = count - 1;
      const outOfLine = !isInline(words, at);
      this.array = outOfLine ? this.message.overflow!.rightsAt(words[data]!) : words;
      this.index = outOfLine ? 0 : data;
      return true;
    }
    return false;
  }

  /** What stands for the right: a port index, 0 (null) or BODY_DEAD. */
  get word(): number {
    return this.array[this.index]!;
  }

  set word(value: number) {
    this.array[this.index] = value;
  }
}
