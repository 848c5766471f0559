// The entries of a name space and their names: from a name to an entry and back, in constant time. What
// the rights in an entry mean is Space's business.
// A name is index << 8 | generation; the generation changes whenever an index is used again, so a
// name kept too long is invalid and not somebody else's right. A name that the task itself has chosen
// is an alias: a map leads to its entry, which then has no name of the usual kind.

import { SPACE_ENTRIES_MAX } from "../base/limits.ts";
import { PORT_DEAD, type Port } from "./port.ts";
import { MACH_PORT_NULL, type PortName, TYPE_NONE } from "./rights.ts";

/** No entry under this name. */
export const NO_ENTRY = -1;

const GENERATION_MASK = 0xff;
const INDEX_SHIFT = 8;
/** Beside the generation of an entry whose name is an alias: no name has such a generation. */
const ALIASED = 0x100;

/** The entry of a name that take() has just given. */
export const indexOfNew = (name: PortName): number => name >>> INDEX_SHIFT;

export abstract class NameTable {
  /** By index. An entry without a port is a dead name or a port set. */
  protected readonly ports: (Port | null)[] = [null];
  protected readonly types: number[] = [TYPE_NONE];
  protected readonly references: number[] = [0];
  private readonly generations: number[] = [0];
  private readonly freeIndexes: number[] = [];
  private readonly setAside: number[] = [];
  private readonly aliases = new Map<PortName, number>();
  private readonly aliasOf = new Map<number, PortName>();
  private readonly entriesMax: number;

  /** `entriesMax`: names that there can be. */
  constructor(entriesMax = SPACE_ENTRIES_MAX) {
    this.entriesMax = entriesMax;
  }

  /** The port of an entry that was found has died meanwhile. */
  protected abstract becomeDeadName(index: number, port: Port): void;

  /** Names in use. */
  get count(): number {
    return this.ports.length - 1 - this.freeIndexes.length - this.setAside.length;
  }

  /** True when another name can be made without fail. */
  get hasRoom(): boolean {
    return this.freeIndexes.length > 0 || this.types.length <= this.entriesMax;
  }

  /** Index of the live entry under `name`, or NO_ENTRY. A send or send-once right whose port died is
   *  turned into a dead name on the way, as Mach does when it is touched. */
  find(name: PortName): number {
    const index = name >>> INDEX_SHIFT;
    if (
      index >= this.types.length ||
      this.generations[index] !== (name & GENERATION_MASK) ||
      this.types[index] === TYPE_NONE
    ) {
      return this.aliases.size === 0 ? NO_ENTRY : this.findAlias(name);
    }
    const port = this.ports[index]!;
    if (port !== null && port.state === PORT_DEAD) this.becomeDeadName(index, port);
    return index;
  }

  private findAlias(name: PortName): number {
    const index = this.aliases.get(name >>> 0);
    if (index === undefined) return NO_ENTRY;
    const port = this.ports[index]!;
    if (port !== null && port.state === PORT_DEAD) this.becomeDeadName(index, port);
    return index;
  }

  typeAt(index: number): number {
    return this.types[index]!;
  }

  /** The entry's port; null for a dead name and for a port set. */
  portAt(index: number): Port | null {
    return this.ports[index]!;
  }

  referencesAt(index: number): number {
    return this.references[index]!;
  }

  nameAt(index: number): PortName {
    const generation = this.generations[index]!;
    if (generation >= ALIASED) return this.aliasOf.get(index)!;
    return ((index << INDEX_SHIFT) | generation) >>> 0;
  }

  /** All live names, in index order. */
  *names(): IterableIterator<PortName> {
    for (let index = 1; index < this.types.length; index++) {
      if (this.types[index] !== TYPE_NONE) yield this.nameAt(index);
    }
  }

  /** A new entry's name; MACH_PORT_NULL when the table is full. */
  protected take(port: Port | null, type: number, references: number): PortName {
    const index = this.aliases.size === 0 ? this.freeIndex() : this.unaliasedIndex();
    if (index === NO_ENTRY) return MACH_PORT_NULL;
    this.ports[index] = port;
    this.types[index] = type;
    this.references[index] = references;
    return this.nameAt(index);
  }

  private freeIndex(): number {
    const free = this.freeIndexes.pop();
    if (free !== undefined) return free;
    const index = this.types.length;
    if (index > this.entriesMax) return NO_ENTRY;
    this.ports[index] = null;
    this.types[index] = TYPE_NONE;
    this.generations[index] = 0;
    return index;
  }

  /** A free index with a name that no task's choice has; one whose names have all been chosen is set aside. */
  private unaliasedIndex(): number {
    for (;;) {
      const index = this.freeIndex();
      if (index === NO_ENTRY) return index;
      for (let tries = 0; tries <= GENERATION_MASK; tries++) {
        if (!this.aliases.has(this.nameAt(index))) return index;
        this.generations[index] = (this.generations[index]! + 1) & GENERATION_MASK;
      }
      this.setAside.push(index);
    }
  }

  /** Gives an entry a name of the task's choice, which nothing has. */
  protected giveAlias(index: number, name: PortName): void {
    const old = this.aliasOf.get(index);
    if (old === undefined) this.generations[index]! |= ALIASED;
    else this.aliases.delete(old);
    this.aliases.set(name >>> 0, index);
    this.aliasOf.set(index, name >>> 0);
  }

  /** Forgets an entry. */
  protected free(index: number): void {
    this.ports[index] = null;
    this.types[index] = TYPE_NONE;
    this.references[index] = 0;
    const alias = this.aliasOf.size === 0 ? undefined : this.aliasOf.get(index);
    if (alias !== undefined) {
      this.aliases.delete(alias);
      this.aliasOf.delete(index);
      this.freeIndexes.push(...this.setAside.splice(0));
    }
    this.generations[index] = (this.generations[index]! + 1) & GENERATION_MASK;
    this.freeIndexes.push(index);
  }
}
