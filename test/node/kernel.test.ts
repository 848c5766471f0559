// The kernel as a whole: halt, census, spinning, special ports.

import { describe, expect, test } from "@jest/globals";
import { readCounters } from "../../src/base/counters.ts";
import { REG_STATE } from "../../src/hardware/machine-layout.ts";
import { COPY_SEND, MAKE_SEND, MAKE_SEND_ONCE } from "../../src/ipc/rights.ts";
import { takeCensus } from "../../src/node/census.ts";
import { NODE_HALTED, NODE_RUNNING } from "../../src/node/kernel.ts";
import { openDoor } from "../support/doors.ts";
import { letter, patterned } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

describe("halt", () => {
  test("kernel: halt interrupts a receive, a blocked send, a wait for the pool and a sleep", async () => {
    const nodes = new LoneNodes({ dimension: 1, kernel: { messages: 16 } });
    const [kernel] = nodes.kernels;
    const [task, other] = [nodes.task(0), nodes.task(1)];
    const door = await openDoor(nodes, task, other);
    const full = task.ports.allocate();
    for (let i = 0; i < 5; i++) await nodes.run(task.send(letter(full, MAKE_SEND)));
    const waits: [string, Promise<unknown>][] = [
      ["MACH_RCV_INTERRUPTED", task.receive(task.ports.allocate())],
      ["MACH_RCV_INTERRUPTED", task.receive(task.ports.allocate(), { timeoutNs: 1e12 })],
      ["MACH_SEND_INTERRUPTED", task.send(letter(full, MAKE_SEND))],
      ["KERN_ABORTED", task.sleep(1e12)],
    ];
    // The pool is used up by messages that the other node does not take any more.
    for (let i = 0; i < 40; i++) {
      const sent = task.send(letter(door.send, COPY_SEND));
      sent.catch(() => {});
      if (i === 39) waits.push(["MACH_SEND_INTERRUPTED", sent]);
    }
    for (const [, wait] of waits) wait.catch(() => {});
    await nodes.quiet();
    kernel!.halt();
    for (const [code, wait] of waits) {
      await expect(wait).rejects.toMatchObject({ code });
    }
    await expect(task.sleep(1)).rejects.toMatchObject({ code: "KERN_ABORTED" });
    expect(kernel!.memory.words[REG_STATE]).toBe(NODE_HALTED);
    kernel!.halt(); // again: nothing happens
  });

  test("kernel: halt interrupts a look-up that waits", async () => {
    const nodes = new LoneNodes();
    const found = nodes.task().names.lookUp("nobody", { waitNs: 1e12 });
    found.catch(() => {});
    await nodes.quiet();
    nodes.kernels[0]!.halt();
    await expect(found).rejects.toMatchObject({ code: "KERN_ABORTED" });
    await nodes.expectNothingLeaked();
  });

  test("kernel: a receive or a send that starts after halt is interrupted too", async () => {
    const nodes = new LoneNodes();
    const task = nodes.task();
    const port = task.ports.allocate();
    task.ports.setQlimit(port, 0);
    nodes.kernels[0]!.halt();
    await expect(nodes.run(task.receive(port))).rejects.toMatchObject({
      code: "MACH_RCV_INTERRUPTED",
    });
    await expect(nodes.run(task.send(letter(port, MAKE_SEND)))).rejects.toMatchObject({
      code: "MACH_SEND_INTERRUPTED",
    });
    await nodes.expectNothingLeaked();
  });

  test("kernel: after halt and the end of its tasks a node has everything back", async () => {
    const nodes = new LoneNodes();
    const task = nodes.task();
    const port = task.ports.allocate();
    for (let i = 0; i < 9; i++) task.send(patterned(port, 4096, i)).catch(() => {});
    for (let i = 0; i < 9; i++) {
      task.send(letter(port, MAKE_SEND, i, port, MAKE_SEND_ONCE)).catch(() => {});
    }
    await nodes.quiet();
    nodes.kernels[0]!.halt();
    await nodes.expectNothingLeaked();
  });
});

describe("census", () => {
  test("kernel: the census counts what messages and names hold, wherever it is", async () => {
    const nodes = new LoneNodes({ dimension: 1 });
    expect(nodes.kernels[0]!.memory.words[REG_STATE]).toBe(NODE_RUNNING);
    const [task, other] = [nodes.task(0), nodes.task(1)];
    const door = await openDoor(nodes, task, other);
    await nodes.quiet();
    const before = nodes.kernels.map(takeCensus);
    const reply = task.ports.allocate();
    for (let i = 0; i < 3; i++) {
      const message = patterned(door.send, 1000, i);
      message.local = reply;
      message.localDisposition = MAKE_SEND_ONCE;
      await nodes.run(task.send(message));
    }
    await nodes.quiet();
    const after = nodes.kernels.map(takeCensus);
    expect(after[0]).toEqual({ ...before[0], ports: before[0]!.ports + 1, sendOnceRights: 3 });
    expect(after[1]).toEqual({
      ...before[1],
      framesFree: before[1]!.framesFree - 3,
      framesInMessages: 3,
      messagesFree: before[1]!.messagesFree - 3,
      proxies: before[1]!.proxies + 1,
      sendRights: before[1]!.sendRights + 3,
      sendOnceRights: 3,
      queuedMessages: 3,
    });
    await nodes.expectNothingLeaked();
  });
});

describe("spinning", () => {
  test("kernel: a task that waits spins while nobody else can run, and the count tells", async () => {
    const nodes = new LoneNodes({ dimension: 1, exclusive: true, spinNs: 1 });
    const task = nodes.task(0);
    const spun = () => readCounters(nodes.kernels[0]!.memory.counters).suspends;
    const port = task.ports.allocate();
    task.ports.insertRight(port, port, MAKE_SEND);
    await nodes.run(task.send(letter(port, COPY_SEND, 3)));
    // The other node's name server answers only when that node is stepped: the wait must suspend.
    nodes.patience = 10;
    await nodes.run(task.names.lookUp("x", { host: 1 })).catch(() => {});
    expect(spun()).toBeGreaterThan(0);
    await nodes.expectNothingLeaked();
  });
});

test("kernel: every node's name server has the same local identifier", () => {
  const nodes = new LoneNodes({ dimension: 2 });
  for (const kernel of nodes.kernels) {
    for (let node = 0; node < 4; node++) {
      expect(kernel.specialPort(node, 4).identifier).toBe((node << 22) | 4);
    }
  }
});
