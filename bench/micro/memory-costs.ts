// What virtual memory costs one thread: a program's loads and stores, and the steps that a page of a message takes.

import { Task } from "../../src/task/task.ts";
import { PAGES_HOLD, PageList } from "../../src/vm/page-list.ts";
import type { MicroCase } from "./micro-case.ts";
import { TwoNodes } from "./two-nodes.ts";

const OPERATIONS = 1024;
const PAGE_BYTES = 4096;

/** A task with one page that is mapped for stores. */
const mappedPage = (seed: number) => {
  const { client, clientSpace } = new TwoNodes(seed);
  const task = new Task(client, clientSpace, 1);
  const address = task.vm.allocate(PAGE_BYTES);
  task.memory.fill(address, PAGE_BYTES, 1);
  return { client, task, memory: clientSpace.memory, address };
};

export const MEMORY_COSTS: readonly MicroCase[] = [
  {
    name: "store",
    sentence: "a word stored to a mapped page by task.memory.store32, every word of a page in turn",
    operations: OPERATIONS,
    prepare: (seed) => {
      const { task, address } = mappedPage(seed);
      const { memory } = task;
      return () => {
        for (let i = 0; i < OPERATIONS; i++) memory.store32(address + i * 4, i);
        return memory.load32(address);
      };
    },
  },
  {
    name: "load",
    sentence: "a word loaded from a mapped page by task.memory.load32",
    operations: OPERATIONS,
    prepare: (seed) => {
      const { task, address } = mappedPage(seed);
      const { memory } = task;
      return () => {
        let sum = 0;
        for (let i = 0; i < OPERATIONS; i++) sum = (sum + memory.load32(address + i * 4)) | 0;
        return sum;
      };
    },
  },
  {
    name: "copyin-page",
    sentence: "a page located, wired, made busy, and given back",
    operations: OPERATIONS,
    prepare: (seed) => {
      const { client, memory, address } = mappedPage(seed);
      const list = new PageList();
      return () => {
        let sum = 0;
        for (let i = 0; i < OPERATIONS; i++) {
          memory.copyinPages(address, PAGE_BYTES, list, PAGES_HOLD);
          client.vm.protectList(list);
          sum += list.count;
          client.vm.discardList(list);
        }
        return sum;
      };
    },
  },
  {
    name: "allocate-page",
    sentence: "a page of a task's addresses allocated and deallocated, never touched",
    operations: OPERATIONS,
    prepare: (seed) => {
      const { memory } = mappedPage(seed);
      return () => {
        let sum = 0;
        for (let i = 0; i < OPERATIONS; i++) {
          const address = memory.allocate(PAGE_BYTES)!;
          sum += address;
          memory.vmDeallocate(address, PAGE_BYTES);
        }
        return sum;
      };
    },
  },
];
