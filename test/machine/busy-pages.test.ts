// Pages that are on their way stay as they were when the send returned (I-2, paper 2.3.2), and a store that waits
// for one loses no wake-up: a sender that stores as fast as it can beside a receiver that looks at every word.

import { expect, test } from "@jest/globals";
import { boot, program, within } from "../support/machines.ts";

const MESSAGES = 1500;

test.each<[string, "busy" | "hold", object]>([
  ["busy", "busy", {}],
  ["busy, one packet at a time", "busy", { transport: { windowPackets: 1 } }],
  ["busy, one receive descriptor", "busy", { interconnect: { ringLength: 1 } }],
  ["busy, store and forward", "busy", { interconnect: { kind: "store-and-forward" } }],
  ["busy, packets lost", "busy", { faults: { drop: 0.01 } }],
  ["busy, both nodes in one worker", "busy", { processors: { workers: 1 } }],
  ["hold", "hold", {}],
])(
  "busy pages: stores race against what is on its way (%s)",
  async (_what, protection, options) => {
    await using booted = await boot({ dimension: 1, ...options });
    const { machine } = booted;
    const args = { port: "racing", node: 1, messages: MESSAGES, pages: 3, protection };
    const receiver = await machine.spawn(1, program("racing-receiver"), { args });
    const sender = await machine.spawn(0, program("racing-sender"), { args });
    const [seen, stored] = await within(
      50_000,
      "all messages",
      Promise.all([receiver.exited, sender.exited]),
    );
    const words = (MESSAGES * 3 * machine.options.memory.pageBytes) / 4;
    expect(seen).toBe(words);
    expect(stored).toBe(words);
    const { total } = machine.stats();
    expect(total.cowCopies).toBe(0);
    if (protection === "busy") expect(total.busyWaits).toBeGreaterThan(0);
  },
);
