// Messages whose data travels by page list: what is moved and what is copied, how the sender is kept off its pages,
// and that nothing is left behind.

import { expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import { FRAME_MESSAGE } from "../../src/hardware/frame-table.ts";
import type { SendOptions } from "../../src/index.ts";
import type { KernelMessage } from "../../src/ipc/kernel-message.ts";
import { COPY_SEND } from "../../src/ipc/rights.ts";
import type { NodeKernel } from "../../src/node/kernel.ts";
import type { Task } from "../../src/task/task.ts";
import { openDoor } from "../support/doors.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes, type LoneNodesInput } from "../support/lone-node.ts";

const PAGE = 4096;

const twoTasks = async (input: LoneNodesInput = {}, other = 1) => {
  const nodes = new LoneNodes({ dimension: 1, ...input });
  const [sender, receiver] = [nodes.task(0), nodes.task(other)];
  const door = await openDoor(nodes, sender, receiver);
  await nodes.quiet();
  const kernels: readonly NodeKernel[] = nodes.kernels;
  const count = () => {
    const total = { dma: 0, data: 0, cow: 0, packets: 0 };
    for (const { memory } of kernels) {
      total.dma += memory.counters[COUNTERS.dmaBytes.index]!;
      total.data += memory.counters[COUNTERS.dataCopiedBytes.index]!;
      total.cow += memory.counters[COUNTERS.cowCopies.index]!;
      total.packets += memory.counters[COUNTERS.packetsSent.index]!;
    }
    return total;
  };
  return { nodes, sender, receiver, door, count };
};

/** Pages of which each word tells where it is. */
const pattern = (task: Task, pages: number): number => {
  const address = task.vm.allocate(pages * PAGE);
  for (let at = 0; at < pages * PAGE; at += 4) task.memory.store32(address + at, at ^ 0x5a5a5a);
  return address;
};

const firstWrong = (task: Task, address: number, bytes: number, from = 0): number => {
  for (let at = 0; at + 4 <= bytes; at += 4) {
    if (task.memory.load32(address + at) !== ((from + at) ^ 0x5a5a5a)) return at;
  }
  return -1;
};

test.each<[string, SendOptions, boolean]>([
  ["busy", { protection: "busy" }, false],
  ["hold", { protection: "hold" }, false],
  ["deallocate", {}, true],
])(
  "page list: the interface moves every byte once and no CPU copies one (%s)",
  async (_way, options, deallocate) => {
    for (const pages of [1, 2, 3, 20]) {
      const { nodes, sender, receiver, door, count } = await twoTasks();
      const address = pattern(sender, pages);
      await nodes.quiet();
      const before = count();
      const message = letter(door.send, COPY_SEND).addRegion(address, pages * PAGE, deallocate);
      await nodes.run(sender.send(message, options));
      const received = await nodes.run(receiver.receive(door.receive));
      await nodes.quiet();
      const after = count();
      const { address: at, bytes } = received.takeRegion();
      expect(bytes).toBe(pages * PAGE);
      expect(firstWrong(receiver, at, bytes)).toBe(-1);
      expect(after.data - before.data).toBe(0);
      expect(after.cow - before.cow).toBe(0);
      const packets = after.packets - before.packets;
      const headers = after.dma - before.dma - pages * PAGE;
      expect(headers).toBeGreaterThanOrEqual(56 * packets);
      expect(headers).toBeLessThanOrEqual(56 * packets + 16); // the body's one item
      if (deallocate) expect(() => sender.memory.load8(address)).toThrow("KERN_INVALID_ADDRESS");
      else expect(firstWrong(sender, address, bytes)).toBe(-1);
      await nodes.expectNothingLeaked();
    }
  },
);

test("page list: one page rides in the packet of its message", async () => {
  const { nodes, sender, door } = await twoTasks();
  const address = pattern(sender, 1);
  await nodes.quiet();
  const [kernel] = nodes.kernels;
  const { counters } = kernel!.memory;
  const sent = () => counters[COUNTERS.packetsSent.index]! - counters[COUNTERS.acksSent.index]!;
  const before = sent();
  await nodes.run(sender.send(letter(door.send, COPY_SEND).addRegion(address, PAGE)));
  await nodes.quiet();
  expect(sent() - before).toBe(1);
  await nodes.expectNothingLeaked();
});

test("page list: busy pages are free as soon as they are stored, without the ordinary acknowledgement", async () => {
  const { nodes, sender, door } = await twoTasks();
  const address = pattern(sender, 3);
  await nodes.quiet();
  const [kernel] = nodes.kernels;
  const before = nodes.clock.now();
  await sender.send(letter(door.send, COPY_SEND).addRegion(address, 3 * PAGE));
  expect(kernel!.vm.pages.busyFrames).toBe(3);
  sender.memory.store32(address + 2 * PAGE, 1); // waits, and comes through
  expect(kernel!.vm.pages.busyFrames).toBe(0);
  expect(nodes.clock.now()).toBe(before);
  await nodes.expectNothingLeaked();
});

test("page list: a held sender does not return before its pages are stored", async () => {
  const { nodes, sender, door } = await twoTasks();
  const address = pattern(sender, 3);
  await nodes.quiet();
  const [kernel] = nodes.kernels;
  let returned = false;
  const message = letter(door.send, COPY_SEND).addRegion(address, 3 * PAGE);
  const sent = sender.send(message, { protection: "hold" }).then(() => {
    returned = true;
  });
  await Promise.resolve();
  expect([returned, kernel!.vm.pages.busyFrames]).toEqual([false, 0]);
  await nodes.run(sent);
  expect(kernel!.transport.unacknowledged()).toBe(0);
  await nodes.expectNothingLeaked();
});

test("page list: a sender that waits for room may store to its pages; its message does not see it", async () => {
  const { nodes, sender, receiver, door, count } = await twoTasks();
  const address = pattern(sender, 2);
  receiver.ports.setQlimit(door.receive, 1);
  await nodes.run(sender.send(letter(door.send, COPY_SEND)));
  await nodes.quiet();
  const waiting = sender.send(letter(door.send, COPY_SEND, 7).addRegion(address, 2 * PAGE));
  await nodes.quiet();
  const before = count();
  const at = nodes.clock.now();
  sender.memory.store32(address, 99);
  sender.memory.store32(address + 4, 98);
  expect([count().cow - before.cow, nodes.clock.now()]).toEqual([1, at]); // one copy, and no wait
  await nodes.run(receiver.receive(door.receive));
  await nodes.run(waiting);
  const { address: got, bytes } = (await nodes.run(receiver.receive(door.receive))).takeRegion();
  expect(firstWrong(receiver, got, bytes)).toBe(-1);
  expect([sender.memory.load32(address), sender.memory.load32(address + 4)]).toEqual([99, 98]);
  await nodes.expectNothingLeaked();
});

test("page list: a message that is given back because there was no room has the data of when it was sent", async () => {
  const { nodes, sender, receiver, door } = await twoTasks();
  const address = pattern(sender, 2);
  receiver.ports.setQlimit(door.receive, 1);
  await nodes.run(sender.send(letter(door.send, COPY_SEND)));
  await nodes.quiet();
  const message = letter(door.send, COPY_SEND, 7).addRegion(address, 2 * PAGE);
  const waiting = sender.send(message, { timeoutNs: 1e6 });
  await nodes.quiet();
  sender.memory.store32(address, 99);
  await expect(nodes.run(waiting)).rejects.toMatchObject({ code: "MACH_SEND_TIMED_OUT" });
  const { address: back, bytes } = message.rewind().takeRegion();
  expect(firstWrong(sender, back, bytes)).toBe(-1);
  await nodes.expectNothingLeaked();
});

test.each([
  [100, 8000],
  [4095, 2],
  [1, 1],
  [4092, 3 * PAGE + 8],
])(
  "page list: data from byte %d on, %d bytes, arrives with zeros around it",
  async (offset, length) => {
    const { nodes, sender, receiver, door } = await twoTasks({ memory: { poison: true } });
    const address = pattern(sender, 5) + offset;
    const expected = sender.memory.read(address, length);
    await nodes.run(sender.send(letter(door.send, COPY_SEND).addRegion(address, length)));
    const { address: at, bytes } = (await nodes.run(receiver.receive(door.receive))).takeRegion();
    expect(bytes).toBe(length);
    expect(Buffer.compare(receiver.memory.read(at, bytes), expected)).toBe(0);
    const start = at - (at % PAGE);
    const end = Math.ceil((at + bytes) / PAGE) * PAGE;
    const around = [...receiver.memory.read(start, at - start)];
    around.push(...receiver.memory.read(at + bytes, end - at - bytes));
    expect(new Set(around)).toEqual(new Set(around.length === 0 ? [] : [0]));
    await nodes.expectNothingLeaked();
  },
);

test("page list: a message that is destroyed before it is received gives its frames back", async () => {
  const { nodes, sender, receiver, door } = await twoTasks();
  const address = pattern(sender, 6);
  await nodes.run(sender.send(letter(door.send, COPY_SEND).addRegion(address, 6 * PAGE)));
  await nodes.quiet();
  const [, kernel] = nodes.kernels;
  const free = kernel!.frames.freeCount;
  receiver.ports.destroy(door.receive);
  await nodes.quiet();
  expect(kernel!.frames.freeCount).toBe(free + 6);
  await nodes.expectNothingLeaked();
});

test("page list: within a node nothing is moved or copied until somebody stores", async () => {
  const { nodes, sender, receiver, door, count } = await twoTasks({}, 0);
  const address = pattern(sender, 4);
  const before = count();
  await nodes.run(sender.send(letter(door.send, COPY_SEND).addRegion(address, 4 * PAGE)));
  const { address: at, bytes } = (await nodes.run(receiver.receive(door.receive))).takeRegion();
  expect(firstWrong(receiver, at, bytes)).toBe(-1);
  expect(count()).toEqual(before);
  sender.memory.store32(address, 1);
  expect(count()).toEqual({ ...before, cow: before.cow + 1 });
  expect(firstWrong(receiver, at, bytes)).toBe(-1);
  await nodes.expectNothingLeaked();
});

test("page list: pages that no frame is free for are refused, and come when there is one", async () => {
  const { nodes, sender, receiver, door } = await twoTasks({ memory: { bytesPerNode: 1 << 18 } });
  const [, kernel] = nodes.kernels;
  const address = pattern(sender, 12);
  const hog = receiver.vm.allocate(8 * PAGE);
  receiver.memory.fill(hog, 8 * PAGE, 1);
  const taken: number[] = [];
  while (kernel!.frames.freeCount > 4) taken.push(kernel!.frames.allocate(FRAME_MESSAGE));
  await sender.send(letter(door.send, COPY_SEND).addRegion(address, 12 * PAGE));
  await nodes.quiet();
  expect(kernel!.memory.counters[COUNTERS.noBuffer.index]!).toBeGreaterThan(0);
  for (const frame of taken) kernel!.frames.free(frame, FRAME_MESSAGE);
  const { address: at, bytes } = (await nodes.run(receiver.receive(door.receive))).takeRegion();
  expect(firstWrong(receiver, at, bytes)).toBe(-1);
  await nodes.expectNothingLeaked();
});

test("page list: pages of a message that has begun are refused too while their node starves", async () => {
  const { nodes, sender, receiver, door } = await twoTasks({
    transport: { windowPackets: 1 },
    faults: { starve: [{ node: 1, atNs: 1e6, forNs: 1e6 }] },
  });
  const address = pattern(sender, 12);
  const [home, other] = nodes.kernels;
  const received = () => other!.memory.counters[COUNTERS.packetsReceived.index]!;
  const before = received();
  await sender.send(letter(door.send, COPY_SEND).addRegion(address, 12 * PAGE));
  while (received() < before + 4) nodes.stepNodes();
  await nodes.pass(1e6); // now
  expect(other!.memory.counters[COUNTERS.noBuffer.index]!).toBeGreaterThan(0);
  expect(received() - before).toBeLessThan(12);
  expect(home!.transport.backlog(1)).toBeGreaterThan(0);
  await nodes.pass(1e6);
  const { address: at, bytes } = (await nodes.run(receiver.receive(door.receive))).takeRegion();
  expect(firstWrong(receiver, at, bytes)).toBe(-1);
  await nodes.expectNothingLeaked();
});

test("page list: a held sender returns at halt though its pages are not stored", async () => {
  const { nodes, sender, door } = await twoTasks({ transport: { windowPackets: 1 } });
  const address = pattern(sender, 5);
  await nodes.quiet();
  const message = letter(door.send, COPY_SEND).addRegion(address, 5 * PAGE);
  const sent = sender.send(message, { protection: "hold" });
  nodes.kernels[0]!.step();
  for (const kernel of nodes.kernels) kernel.halt();
  await expect(sent).resolves.toBe(0);
});

test("page list: lists wire half of the memory at most; what is beyond is listed as it goes", async () => {
  const { nodes, sender, receiver, door } = await twoTasks();
  const [kernel] = nodes.kernels;
  const { frameCount } = kernel!.memory.layout;
  const pages = Math.floor(frameCount * 0.2);
  const bytes = pages * PAGE;
  const addresses = [1, 2, 3].map(() => pattern(sender, pages));
  // Nothing is stepped: what does not fit on the way waits, copied in.
  const sent = addresses.map((address) =>
    sender.send(letter(door.send, COPY_SEND).addRegion(address, bytes)),
  );
  expect(kernel!.vm.pages.wiredFrames).toBe(2 * pages);
  sender.memory.store32(sender.vm.allocate(PAGE), 1); // and the task still gets memory
  for (let i = 0; i < 3; i++) {
    const { address } = (await nodes.run(receiver.receive(door.receive))).takeRegion();
    expect(firstWrong(receiver, address, bytes)).toBe(-1);
    receiver.vm.deallocate(address, bytes);
  }
  await nodes.run(Promise.all(sent));
  await nodes.expectNothingLeaked();
});

test("page list: a store that only the receiver's program could let through gets a copy, and the transfer keeps its page", async () => {
  const { nodes, sender, receiver, door, count } = await twoTasks({ kernel: { messages: 8 } });
  const [, kernel] = nodes.kernels;
  const address = pattern(sender, 1);
  receiver.ports.setQlimit(door.receive, 16);
  await nodes.quiet();
  // Nothing arrives any more: the receiver's node has no message for it.
  const taken: KernelMessage[] = [];
  for (let next = kernel!.ipc.pool.takeForKernel(); next !== null; ) {
    taken.push(next);
    next = kernel!.ipc.pool.takeForKernel();
  }
  await sender.send(letter(door.send, COPY_SEND).addRegion(address, PAGE));
  await nodes.quiet();
  const before = count();
  sender.memory.store32(address, 7);
  expect(count().cow - before.cow).toBe(1);
  expect(sender.memory.load32(address)).toBe(7);
  expect(sender.memory.load32(address + 4)).toBe(4 ^ 0x5a5a5a);
  sender.memory.store32(address + 8, 8); // its own page now
  expect(count().cow - before.cow).toBe(1);
  for (const message of taken) kernel!.ipc.pool.put(message);
  const { address: at, bytes } = (await nodes.run(receiver.receive(door.receive))).takeRegion();
  expect(firstWrong(receiver, at, bytes)).toBe(-1);
  await nodes.expectNothingLeaked();
});
