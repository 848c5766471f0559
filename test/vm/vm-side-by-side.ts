// A node's virtual memory beside the model: every call is made to both, and what is mapped is compared after
// each. When a call fails for want of memory or because swap fails, the node is relieved (messages in flight
// are done with, swap works again) and the call must succeed.

import { expect } from "@jest/globals";
import {
  KERN_MEMORY_ERROR,
  KERN_PROTECTION_FAILURE,
  KERN_RESOURCE_SHORTAGE,
  KERN_SUCCESS,
} from "../../src/base/status.ts";
import { checkMemory } from "../../src/vm/check-memory.ts";
import { FAULT_BUSY } from "../../src/vm/fault.ts";
import type { MapCopy } from "../../src/vm/map-copy.ts";
import {
  frameOf,
  PAGES_HOLD,
  PAGES_STEAL,
  PageList,
  type PageMode,
} from "../../src/vm/page-list.ts";
import { PTE_FLAGS, PTE_WRITE } from "../../src/vm/page-table.ts";
import { VM_PROT_READ, VM_PROT_WRITE } from "../../src/vm/protection.ts";
import type { TaskMemory } from "../../src/vm/task-memory.ts";
import { expectSame } from "../support/same.ts";
import { PAGE, type TestVirtualMemory, testVirtualMemory } from "../support/virtual-memory.ts";
import { FIRST_PAGE, ModelMemory } from "./vm-model.ts";

export interface Shape {
  readonly frames: number;
  readonly slots: number;
  /** One in so many transfers fails; 0 = none. */
  readonly failures: number;
}

interface Pair {
  readonly task: TaskMemory;
  readonly model: ModelMemory;
}

interface InFlight {
  readonly list: PageList;
  readonly mode: PageMode;
  readonly data: Uint8Array;
}

const TASKS_MAX = 4;
const LISTS_MAX = 3;
const COPIES_MAX = 3;
/** Tasks have no more pages than that. */
const PAGES_MAX = 40;

export class MemorySideBySide {
  readonly log: string[] = [];
  readonly node: TestVirtualMemory;
  private readonly pairs: Pair[] = [];
  private readonly lists: InFlight[] = [];
  private readonly copies: { copy: MapCopy; data: Uint8Array }[] = [];
  private readonly freeAtFirst: number;
  private picks: readonly number[] = [];
  private next = 0;
  private transfers = 0;
  private stamp = 0;

  constructor(shape: Shape) {
    const options = { reserveFrames: 2, lowFrames: 4, highFrames: 6 };
    this.node = testVirtualMemory(shape.frames, shape.slots, options);
    this.pairs.push({ task: this.node.task, model: new ModelMemory() });
    this.freeAtFirst = this.node.free();
    this.node.swap.fails = () =>
      shape.failures > 0 && this.breaking && ++this.transfers % shape.failures === 0;
  }

  private breaking = true;

  run(call: string, picks: readonly number[]): void {
    this.picks = picks;
    this.next = 0;
    this.stamp += 1;
    const pair = this.pairs[this.pick(this.pairs.length)]!;
    this.log.push(`${call} ${this.pairs.indexOf(pair)} ${picks.join(" ")}`);
    this.calls[call]!(pair);
    this.compareMapped();
    const lists = this.lists.map(({ list }) => list);
    const copies = this.copies.map(({ copy }) => copy);
    expect(checkMemory(this.node.vm, lists, copies)).toEqual([]);
  }

  /** Everything is given up: nothing is left. */
  finish(): void {
    this.relieve();
    for (const pair of this.pairs) this.compareAll(pair);
    this.compareLists();
    while (this.copies.length > 0) this.node.vm.discardCopy(this.copies.pop()!.copy);
    for (const { task } of this.pairs) task.destroy();
    expect(checkMemory(this.node.vm, [], [])).toEqual([]);
    expect(this.node.free()).toBe(this.freeAtFirst);
    expect(this.node.vm.slots.used).toBe(0);
    expect(this.node.vm.objects.count).toBe(0);
  }

  private readonly calls: Record<string, (pair: Pair) => void> = {
    allocate: (pair) => {
      const pages = 1 + this.pick(6);
      if (pair.model.pages.size + pages > PAGES_MAX) return;
      const fixed = this.pick(4) === 0 ? FIRST_PAGE + this.pick(60) : -1;
      const { model, task } = pair;
      const place = fixed < 0 ? model.findPlace(pages) : fixed;
      const free = model.touched(place * PAGE, pages * PAGE).length === 0;
      const status = task.vmAllocate(place * PAGE + 5, pages * PAGE - 3, fixed < 0);
      expect(status).toBe(free ? KERN_SUCCESS : 3);
      if (!free) return;
      expect(task.address).toBe(place * PAGE);
      for (let i = 0; i < pages; i++) model.add(place + i);
    },
    deallocate: ({ task, model }) => {
      const { address, bytes } = this.range(model, 5 * PAGE);
      expect(task.vmDeallocate(address, bytes)).toBe(KERN_SUCCESS);
      if (bytes > 0) model.remove(address, bytes);
    },
    write: (pair) => {
      const { address, bytes } = this.range(pair.model, 3 * PAGE);
      this.store(pair, address, this.pattern(bytes), false);
    },
    fault: (pair) => {
      const { address } = this.range(pair.model, 1);
      this.store(pair, address, this.pattern(1), true);
    },
    read: ({ task, model }) => {
      const { address, bytes } = this.range(model, 4 * PAGE);
      const into = new Uint8Array(bytes);
      const status = model.check(address, bytes, VM_PROT_READ);
      expect(this.until(() => task.read(address, into))).toBe(status);
      if (status === KERN_SUCCESS) expect(into).toEqual(model.read(address, bytes));
    },
    protect: ({ task, model }) => {
      const { address, bytes } = this.range(model, 4 * PAGE);
      const protection = [1, 3, 3, 3, 0, 7, 2][this.pick(7)]!;
      const maximum = this.pick(12) === 0;
      const pages = bytes === 0 ? [] : model.touched(address, bytes);
      const allowed = pages.every(([, one]) => (protection & ~one.maxProtection) === 0);
      const status = task.vmProtect(address, bytes, maximum, protection);
      expect(status).toBe(allowed ? KERN_SUCCESS : KERN_PROTECTION_FAILURE);
      for (const [, one] of allowed ? pages : []) {
        if (maximum) one.maxProtection = protection;
        one.protection = maximum ? one.protection & protection : protection;
      }
    },
    inherit: ({ task, model }) => {
      const { address, bytes } = this.range(model, 4 * PAGE);
      const inheritance = this.pick(3);
      expect(task.vmInherit(address, bytes, inheritance)).toBe(KERN_SUCCESS);
      if (bytes === 0) return;
      for (const [, one] of model.touched(address, bytes)) one.inheritance = inheritance;
    },
    region: ({ task, model }) => {
      const { address } = this.range(model, 1);
      const pages = [...model.pages.keys()].filter((page) => page >= Math.floor(address / PAGE));
      expect(task.vmRegion(address)).toBe(pages.length === 0 ? 3 : KERN_SUCCESS);
      if (pages.length === 0) return;
      const { region } = task;
      const [first] = pages.sort((a, b) => a - b);
      expect(region.address <= first! * PAGE).toBe(true);
      expect(region.address + region.bytes > first! * PAGE).toBe(true);
      for (const [, one] of model.touched(region.address, region.bytes)) {
        const { protection, maxProtection, inheritance } = region;
        expect(one).toMatchObject({ protection, maxProtection, inheritance });
      }
    },
    copy: (pair) => {
      const { task, model } = pair;
      const { address, bytes } = this.range(model, 3 * PAGE);
      const { address: to } = this.range(model, 1);
      const readable = model.check(address, bytes, VM_PROT_READ);
      const expected = readable === KERN_SUCCESS ? model.check(to, bytes, VM_PROT_WRITE) : readable;
      // One that has failed half-way has changed its own source, if the two overlap: it cannot be made again.
      if (Math.abs(to - address) < bytes) this.relieve();
      const status = this.until(() => task.vmCopy(address, bytes, to));
      this.breaking = true;
      if (status === FAULT_BUSY) return;
      expect(status).toBe(expected);
      if (status === KERN_SUCCESS) model.write(to, model.read(address, bytes));
    },
    fork: ({ task, model }) => {
      if (this.pairs.length === TASKS_MAX) return;
      this.pairs.push({ task: task.fork(), model: model.fork() });
    },
    kill: (pair) => {
      if (this.pairs.length === 1) return;
      pair.task.destroy();
      this.pairs.splice(this.pairs.indexOf(pair), 1);
    },
    copyin: ({ task, model }) => {
      if (this.lists.length === LISTS_MAX) return;
      const { address, bytes } = this.range(model, 5 * PAGE);
      const mode = this.pick(3) as PageMode;
      const list = new PageList();
      const expected = model.check(address, bytes, VM_PROT_READ);
      expect(this.until(() => task.copyinPages(address, bytes, list, mode))).toBe(expected);
      if (expected !== KERN_SUCCESS) return;
      this.lists.push({ list, mode, data: model.read(address, bytes) });
      if (mode === PAGES_STEAL && bytes > 0) model.remove(address, bytes);
      this.compareLists();
      if (mode === PAGES_HOLD) this.node.vm.discardList(this.lists.pop()!.list);
      else if (this.pick(2) === 0) this.node.vm.linkArrived(list);
    },
    done: () => {
      const flight = this.lists.splice(this.pick(this.lists.length), 1)[0];
      if (flight !== undefined) this.node.vm.discardList(flight.list);
    },
    copyout: ({ task, model }) => {
      const flight = this.lists[this.pick(this.lists.length)];
      if (flight === undefined) return;
      this.lists.splice(this.lists.indexOf(flight), 1);
      const { count, offset } = flight.list;
      const status = this.until(() => task.copyoutPages(flight.list));
      expect(status).toBe(KERN_SUCCESS);
      expect(flight.list.count).toBe(0);
      this.arrive({ task, model }, count, offset, flight.data);
    },
    copyinObject: ({ task, model }) => {
      if (this.copies.length === COPIES_MAX) return;
      const { address, bytes } = this.range(model, 6 * PAGE);
      const deallocate = this.pick(3) === 0;
      const copy = task.copyinObject(address, bytes, deallocate);
      expect(task.status).toBe(model.check(address, bytes, VM_PROT_READ));
      if (copy === null) return;
      this.copies.push({ copy, data: model.read(address, bytes) });
      if (deallocate && bytes > 0) model.remove(address, bytes);
    },
    pageOfCopy: () => {
      const { vm } = this.node;
      const one = this.copies[this.pick(this.copies.length)];
      if (one === undefined || one.data.length === 0) return;
      const at = this.pick(one.data.length);
      const from = one.copy.offset + at;
      let entry = 0;
      const status = this.until(() => {
        entry = vm.pageOfCopy(one.copy, Math.floor(from / PAGE));
        return entry > 0 ? KERN_SUCCESS : -entry;
      });
      expect(status).toBe(KERN_SUCCESS);
      expect(vm.pageBytesOf(frameOf(entry))[from % PAGE]).toBe(one.data[at]);
      vm.pageDone(entry);
    },
    copyoutObject: ({ task, model }) => {
      const one = this.copies.splice(this.pick(this.copies.length), 1)[0];
      if (one === undefined) return;
      expect(task.copyoutObject(one.copy)).toBe(KERN_SUCCESS);
      const count = Math.ceil((one.copy.offset + one.data.length) / PAGE);
      this.arrive({ task, model }, one.data.length === 0 ? 0 : count, one.copy.offset, one.data);
    },
    overwrite: ({ task, model }) => {
      const one = this.copies[this.pick(this.copies.length)];
      if (one === undefined) return;
      const { address } = this.range(model, 1);
      const status = this.until(() => task.overwriteObject(address, one.copy));
      if (status === FAULT_BUSY) return;
      expect(status).toBe(model.check(address, one.data.length, VM_PROT_WRITE));
      if (status === KERN_SUCCESS) model.write(address, one.data);
    },
    discardCopy: () => {
      const one = this.copies.splice(this.pick(this.copies.length), 1)[0];
      if (one !== undefined) this.node.vm.discardCopy(one.copy);
    },
    framesOf: ({ task, model }) => {
      const { address, bytes } = this.range(model, 3 * PAGE);
      const seen: number[] = [];
      const status = this.until(() => {
        seen.length = 0;
        return task.framesOf(address, bytes, (frame, from, length) => {
          seen.push(...this.node.vm.pageBytesOf(frame).subarray(from, from + length));
        });
      });
      expect(status).toBe(model.check(address, bytes, VM_PROT_READ));
      if (status === KERN_SUCCESS) expect(seen).toEqual([...model.read(address, bytes)]);
    },
    pageout: () => this.node.vm.pageout.run(this.pick(40)),
    compare: (pair) => this.compareAll(pair),
  };

  /** New memory with data that came in a message: what is beside it is not said. */
  private arrive({ task, model }: Pair, count: number, offset: number, data: Uint8Array): void {
    if (count === 0) {
      expect(task.address).toBe(0);
      return;
    }
    const place = model.findPlace(count);
    expect(task.address).toBe(place * PAGE + offset);
    const all = new Uint8Array(count * PAGE);
    expect(this.until(() => task.read(place * PAGE, all))).toBe(KERN_SUCCESS);
    expect(all.subarray(offset, offset + data.length)).toEqual(data);
    for (let i = 0; i < count; i++) model.add(place + i, all.slice(i * PAGE, (i + 1) * PAGE));
  }

  private store(pair: Pair, address: number, from: Uint8Array, byFault: boolean): void {
    const { task, model } = pair;
    const expected = model.check(address, from.length, VM_PROT_WRITE);
    const status = this.until(() =>
      byFault ? this.storeByFault(task, address, from[0]!) : task.write(address, from),
    );
    if (status === FAULT_BUSY) {
      expect(this.node.vm.pages.busy(task.busyFrame)).toBeGreaterThan(0);
      return;
    }
    expect(status).toBe(expected);
    if (status === KERN_SUCCESS) model.write(address, from);
  }

  /** What task.memory does for a byte. */
  private storeByFault(task: TaskMemory, address: number, byte: number): number {
    const page = Math.floor(address / PAGE);
    if ((task.pageTable.entry(page) & PTE_WRITE) === 0) {
      const status = task.fault(address, true);
      if (status !== KERN_SUCCESS) return status;
    }
    const entry = task.pageTable.entry(page);
    expect(entry & PTE_WRITE).not.toBe(0);
    this.node.vm.memory.bytes[(entry & ~PTE_FLAGS) * 4 + (address % PAGE)] = byte;
    return KERN_SUCCESS;
  }

  /** The call's status; if it is for want of something, that of the call after relief. */
  private until(call: () => number): number {
    const status = call();
    if (status !== KERN_MEMORY_ERROR && status !== KERN_RESOURCE_SHORTAGE) return status;
    this.relieve();
    const again = call();
    this.breaking = true;
    expect(again).not.toBe(KERN_MEMORY_ERROR);
    expect(again).not.toBe(KERN_RESOURCE_SHORTAGE);
    return again;
  }

  private relieve(): void {
    this.breaking = false;
    for (const { list } of this.lists) this.node.vm.discardList(list);
    this.lists.length = 0;
  }

  /** What is mapped is what it should be, and no more than it should. */
  private compareMapped(): void {
    const { memory, pages } = this.node.vm;
    for (const { task, model } of this.pairs) {
      expectSame(task.bytesInUse, model.pages.size * PAGE);
      for (const [page, { bytes, protection }] of model.pages) {
        const entry = task.pageTable.entry(page);
        if (entry === 0) continue;
        expectSame((protection & 3) === 0, false);
        if ((entry & PTE_WRITE) !== 0) expectSame((protection & VM_PROT_WRITE) === 0, false);
        const { frame } = task.pageTable.pageOf(entry);
        if ((entry & PTE_WRITE) !== 0) expectSame(pages.busy(frame), 0);
        const at = memory.frameByte(frame);
        if (Buffer.compare(memory.bytes.subarray(at, at + PAGE), bytes) !== 0) {
          throw new Error(`page ${page} is mapped, and wrong`);
        }
      }
    }
    this.compareLists();
  }

  private compareAll({ task, model }: Pair): void {
    for (const [page, { bytes, protection }] of model.pages) {
      const into = new Uint8Array(PAGE);
      if ((protection & VM_PROT_READ) === 0) continue;
      expect(this.until(() => task.read(page * PAGE, into))).toBe(KERN_SUCCESS);
      if (Buffer.compare(into, bytes) !== 0) throw new Error(`page ${page} is wrong`);
    }
  }

  /** Whatever its sender has done since, a list has what was there when it was made. */
  private compareLists(): void {
    const { vm } = this.node;
    for (const { list, data } of this.lists) {
      let from = list.offset;
      let at = 0;
      for (let i = 0; i < list.count; i++) {
        const length = Math.min(PAGE - from, data.length - at);
        const entry = list.entries[i]!;
        if (entry > 0) {
          const bytes = vm.pageBytesOf(frameOf(entry)).subarray(from, from + length);
          if (Buffer.compare(bytes, data.subarray(at, at + length)) !== 0) {
            throw new Error(`page ${i} of a list has changed`);
          }
        }
        at += length;
        from = 0;
      }
    }
  }

  private pick(below: number): number {
    return below === 0 ? 0 : this.picks[this.next++ % this.picks.length]! % below;
  }

  /** Mostly in what is allocated. */
  private range(model: ModelMemory, bytesMax: number): { address: number; bytes: number } {
    const pages = [...model.pages.keys()];
    const page = pages[this.pick(pages.length)] ?? FIRST_PAGE;
    const offset = this.pick(3) === 0 ? 0 : this.pick(PAGE);
    const bytes =
      this.pick(2) === 0 ? PAGE * this.pick(bytesMax / PAGE + 1) : this.pick(bytesMax + 1);
    return { address: page * PAGE + offset, bytes };
  }

  private pattern(bytes: number): Uint8Array {
    return Uint8Array.from({ length: bytes }, (_, i) => this.stamp * 7 + i * 3 + (i >> 8) + 1);
  }
}
