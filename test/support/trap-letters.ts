// Random messages for the raw trap, as the bytes that a program would have in its memory: first one that follows
// the grammar of mach/message.h, then, mostly, damaged: bits flipped, words replaced, cut off.
// Everything follows from the Random that is given.

import type { Random } from "../../src/base/random.ts";
import { Message } from "../../src/ipc/message.ts";
import {
  COPY_SEND,
  type Disposition,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  type PortName,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import type { Task } from "../../src/task/task.ts";
import { HEADER_BYTES } from "../../src/task/trap.ts";

const BODY_BYTES_MAX = 6000;
const BITS_COMPLEX = 1 << 31;

/** Where a task's out-of-line data may lie. */
export interface Ground {
  readonly address: number;
  readonly bytes: number;
}

export class TrapLetters {
  private readonly random: Random;
  private readonly task: Task;

  constructor(random: Random, task: Task) {
    this.random = random;
    this.task = task;
  }

  /** A name of the task, or, seldom, none. */
  name(): PortName {
    const { random } = this;
    if (random.chance(0.04)) return this.pick([MACH_PORT_NULL, MACH_PORT_DEAD, random.uint32()]);
    const names = this.task.ports.names();
    const name = names.length === 0 ? random.uint32() : this.pick(names);
    return random.chance(0.02) ? (name + 1) >>> 0 : name;
  }

  /** A name with one of these rights, if there is one. */
  nameWith(types: number): PortName {
    const { ports } = this.task;
    const names = ports.names().filter((name) => (ports.type(name) & types) !== 0);
    return names.length === 0 || this.random.chance(0.08) ? this.name() : this.pick(names);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.random.below(from.length)]!;
  }

  /** Mostly one that the name allows. */
  disposition(name: PortName): Disposition {
    const { random } = this;
    const any: Disposition[] = [0, 16, 17, 18, 19, 20, 21];
    if (random.chance(0.05) || !this.task.ports.names().includes(name)) return this.pick(any);
    const type = this.task.ports.type(name);
    const fitting: Disposition[] = [];
    if ((type & TYPE_RECEIVE) !== 0) fitting.push(MAKE_SEND, MAKE_SEND, MAKE_SEND_ONCE);
    if ((type & TYPE_RECEIVE) !== 0 && random.chance(0.3)) fitting.push(MOVE_RECEIVE);
    if ((type & TYPE_SEND) !== 0) fitting.push(COPY_SEND, COPY_SEND, COPY_SEND, MOVE_SEND);
    if ((type & TYPE_SEND_ONCE) !== 0) fitting.push(MOVE_SEND_ONCE);
    return fitting.length === 0 ? this.pick(any) : this.pick(fitting);
  }

  /** A whole message that follows the grammar. */
  wellFormed(ground: Ground): Uint8Array {
    const { random } = this;
    const message = new Message(BODY_BYTES_MAX);
    const items = this.pick([0, 0, 1, 1, 2, 3, 6]);
    for (let i = 0; i < items; i++) this.addItem(message, ground);
    const usable = TYPE_SEND | TYPE_SEND_ONCE | TYPE_RECEIVE;
    const remote = this.nameWith(usable);
    const local = random.chance(0.4) ? this.nameWith(usable) : MACH_PORT_NULL;
    const localDisposition = local === MACH_PORT_NULL ? 0 : this.disposition(local);
    const complex = message.complex || random.chance(0.1) ? BITS_COMPLEX : 0;
    const bits = this.disposition(remote) | (localDisposition << 8) | complex;
    const size = HEADER_BYTES + message.size;
    const bytes = new Uint8Array(size);
    const header = Int32Array.of(bits, size, remote, local, random.uint32(), random.below(200));
    bytes.set(new Uint8Array(header.buffer));
    bytes.set(message.bytes.subarray(0, message.size), HEADER_BYTES);
    return bytes;
  }

  private addItem(message: Message, ground: Ground): void {
    const { random } = this;
    const name = this.nameWith(TYPE_SEND | TYPE_SEND_ONCE | TYPE_RECEIVE);
    const disposition = this.disposition(name) || COPY_SEND;
    const deallocate = random.chance(0.2);
    switch (random.below(8)) {
      case 0:
      case 1:
        message.addRight(name, disposition);
        break;
      case 2: {
        const names = Array.from({ length: random.below(5) }, () => this.name());
        message.addRights([name, ...names], disposition);
        break;
      }
      case 3:
        message.addBytes(new Uint8Array(this.pick([0, 1, 5, 100, 700])).fill(random.below(256)));
        break;
      case 4:
        message.addPortName(name);
        break;
      case 5: {
        const { address, bytes } = this.region(ground);
        message.addRegion(address, bytes, deallocate);
        break;
      }
      case 6: {
        const count = this.pick([0, 1, 2, 3, 9]);
        const address = ground.address + random.below(ground.bytes - 4 * count);
        const names = Int32Array.from({ length: count }, () =>
          random.chance(0.7) ? name : this.name(),
        );
        if (this.has(address, 4 * count))
          this.task.memory.write(address, new Uint8Array(names.buffer));
        message.addRightsRegion(address, count, disposition, deallocate);
        break;
      }
      default:
        message.addIntegers(Array.from({ length: random.below(4) }, () => random.uint32() | 0));
    }
  }

  private region({ address, bytes }: Ground): Ground {
    const { random } = this;
    if (random.chance(0.1)) return { address: random.uint32(), bytes: random.below(10_000) };
    const start = random.below(bytes);
    const most = this.pick([1, 64, 5000, bytes]);
    return { address: address + start, bytes: Math.min(random.below(most + 1), bytes - start) };
  }

  private has(address: number, bytes: number): boolean {
    try {
      this.task.memory.read(address, bytes);
      return true;
    } catch {
      return false;
    }
  }

  /** Damages a message. */
  mutate(bytes: Uint8Array): Uint8Array {
    const { random } = this;
    let mutated: Uint8Array = bytes.slice();
    const times = this.pick([0, 0, 0, 0, 0, 1, 1, 2, 5]);
    for (let i = 0; i < times && mutated.length >= 4; i++) {
      const at = random.below(mutated.length);
      switch (random.below(5)) {
        case 0:
          mutated[at]! ^= 1 << random.below(8);
          break;
        case 1:
          mutated[at] = this.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
          break;
        case 2:
          this.putWord(
            mutated,
            this.pick([0, -1, 1 << 31, 0x10000000, random.uint32(), this.name()]),
          );
          break;
        case 3:
          mutated = mutated.slice(0, random.chance(0.8) ? at & ~3 : at);
          break;
        default: {
          // A piece of it once more: descriptors where data should be, and the other way round.
          const from = random.below(mutated.length);
          mutated.copyWithin(at & ~3, from & ~3, (from & ~3) + 4 * (1 + random.below(4)));
        }
      }
    }
    return mutated;
  }

  private putWord(bytes: Uint8Array, word: number): void {
    const at = this.random.below(bytes.length >> 2) * 4;
    new DataView(bytes.buffer).setInt32(at, word, true);
  }
}
