// What the host charges for the steps that everything above is built from. The kernel's own
// operations have cases of their own; compare them with these.

import type { MicroCase } from "./micro-case.ts";

/** Enough that the call around them costs nothing visible. */
const OPERATIONS = 64;

export const HOST_COSTS: readonly MicroCase[] = [
  {
    name: "atomics-load",
    sentence: "Atomics.load of a word that no other thread touches",
    operations: OPERATIONS,
    prepare: () => {
      const words = sharedWords();
      return () => {
        let sum = 0;
        // No partner: the words stay with this thread; only the cost of the load is of interest.
        for (let i = 0; i < OPERATIONS; i++) sum += Atomics.load(words, i);
        return sum;
      };
    },
  },
  {
    name: "atomics-store",
    sentence: "Atomics.store to a word that no other thread touches",
    operations: OPERATIONS,
    prepare: () => {
      const words = sharedWords();
      return () => {
        // No partner, as above.
        for (let i = 0; i < OPERATIONS; i++) Atomics.store(words, i, i);
        return words[0]!;
      };
    },
  },
  {
    name: "atomics-compare-exchange",
    sentence: "Atomics.compareExchange that succeeds",
    operations: OPERATIONS,
    prepare: () => {
      const words = sharedWords();
      let value = 0;
      return () => {
        for (let i = 0; i < OPERATIONS; i++) {
          // No partner, as above.
          Atomics.compareExchange(words, 0, value, value + 1);
          value = (value + 1) | 0;
        }
        return words[0]!;
      };
    },
  },
  {
    name: "atomics-notify-nobody",
    sentence: "Atomics.notify on a word that nobody waits for",
    operations: OPERATIONS,
    prepare: () => {
      const words = sharedWords();
      return () => {
        let woken = 0;
        // No partner: nobody waits.
        for (let i = 0; i < OPERATIONS; i++) woken += Atomics.notify(words, i, 1);
        return woken;
      };
    },
  },
  {
    name: "clock-read",
    sentence: "performance.now()",
    operations: OPERATIONS,
    prepare: () => () => {
      let sum = 0;
      for (let i = 0; i < OPERATIONS; i++) sum += performance.now();
      return sum;
    },
  },
];

function sharedWords(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(OPERATIONS * Int32Array.BYTES_PER_ELEMENT));
}
