// Requests drawn from a seed to the kernel ports that know of nodes: right, nearly right, and wrong. Whatever they
// ask, every one is answered, and when all tasks are gone nothing is left on any node.

import { expect, test } from "@jest/globals";
import { Random } from "../../src/base/random.ts";
import {
  COPY_SEND,
  type Disposition,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_SEND,
  type PortName,
  TYPE_SEND,
} from "../../src/ipc/rights.ts";
import { MessageWriter } from "../../src/mig/message-items.ts";
import { mach } from "../../src/task/kernel-interfaces.ts";
import { MachError } from "../../src/task/mach-error.ts";
import type { Task } from "../../src/task/task.ts";
import { give } from "../support/doors.ts";
import { LoneNodes, type LoneNodesInput } from "../support/lone-node.ts";

const { NORMACUBE_SEED, NORMACUBE_RUNS = "3000" } = process.env;
const SEED = Number(NORMACUBE_SEED ?? Math.floor(Math.random() * 2 ** 31));
const PAGE = 4096;

type Item = "int" | "bool" | "right" | "rights" | "ints" | "text" | "region" | "pieces";

/** Ids, and the items that they want. `pieces`: what taskAllocate has of memory. */
const REQUESTS: readonly (readonly [number, readonly Item[]])[] = [
  [555000, ["int", "int"]],
  [555001, ["int", "right"]],
  [555002, ["right"]],
  [555003, ["bool", "int"]],
  [555004, ["int"]],
  [556000, ["int", "right", "right", "rights", "pieces"]],
  [2007, ["bool"]],
  [2056, []],
  [2057, []],
  [2800, ["int", "text"]],
];
const ITEMS: readonly Item[] = ["int", "bool", "right", "rights", "ints", "text", "region"];
const NUMBERS = [-1, 0, 1, 2, 3, 4, 5, 7, 9, 20, 32, 33, 256, 1 << 20, 0x7fffffff, -0x80000000];
const NAMES = ["sd0", "<0>sd0", "<1>sd0", "<3>sd0", "<2>sd0", "<>", "<9>sd0", "<1><2>sd0", "", "<"];

class Fuzzer {
  private readonly nodes: LoneNodes;
  private readonly task: Task;
  private readonly random: Random;
  private readonly writer = new MessageWriter();
  private readonly memory: number;
  private own: PortName;
  private readonly dead: PortName;
  readonly targets: PortName[] = [];
  private readonly nameServers: PortName[] = [];
  answers = 0;
  successes = 0;

  constructor(nodes: LoneNodes, random: Random) {
    this.nodes = nodes;
    this.random = random;
    this.task = nodes.task(0);
    const { ports, vm, memory } = this.task;
    this.own = ports.allocate();
    this.dead = ports.allocate("dead-name");
    this.memory = vm.allocate(4 * PAGE);
    memory.fill(this.memory, 4 * PAGE, 1);
  }

  /** A task of every node, with some memory, and the ports of every node. */
  async furnish(): Promise<void> {
    const { nodes, task } = this;
    for (const { node } of nodes.kernels) {
      const victim = nodes.task(node);
      const address = victim.vm.allocate(6 * PAGE);
      victim.memory.fill(address, 3 * PAGE, node);
      if (node === 2) victim.vm.inherit(address, PAGE, 0); // shared: no child on another node inherits it
      this.targets.push(await give(nodes, victim, victim.self, COPY_SEND, task));
      this.targets.push(task.hostPriv(node), task.hostPriv(node), task.deviceMaster(node));
      this.targets.push(task.host(node));
      this.nameServers.push(await nodes.run(task.norma.getSpecialPort(node, 4)));
    }
  }

  private pick<T>(from: readonly T[]): T {
    return from[this.random.below(from.length)]!;
  }

  private right(): [PortName, Disposition] {
    const choices: [PortName, Disposition][] = [
      [this.own, MAKE_SEND],
      [this.own, MAKE_SEND_ONCE],
      [this.pick(this.targets), COPY_SEND],
      [this.dead, COPY_SEND],
      [MACH_PORT_NULL, MOVE_SEND],
      [MACH_PORT_DEAD, COPY_SEND],
    ];
    return this.pick(choices);
  }

  private put(item: Item): void {
    const { writer, random } = this;
    switch (item) {
      case "int":
        writer.integer(this.pick(NUMBERS));
        break;
      case "bool":
        writer.boolean(random.chance(0.5));
        break;
      case "right":
        writer.right(...this.right());
        break;
      case "rights":
        writer.rights(new Array(random.below(6)).fill(this.own), MAKE_SEND);
        break;
      case "ints":
        writer.integers(Array.from({ length: random.below(12) }, () => this.pick(NUMBERS)));
        break;
      case "text":
        writer.text(this.pick(NAMES));
        break;
      case "region":
        writer.region(this.region());
        break;
      case "pieces":
        this.pieces();
        break;
    }
  }

  private region(pages = this.random.below(4)) {
    const offset = this.random.chance(0.1) ? 5 : 0;
    return { address: this.memory + offset, bytes: pages * PAGE };
  }

  private pieces(): void {
    const { writer, random } = this;
    const counts = Array.from({ length: random.below(4) }, () => random.below(4));
    const words = counts.flatMap((pages, i) => {
      const sound = [256 + 8 * i, Math.max(1, pages), 3, 7, 1];
      if (random.chance(0.2)) sound[random.below(5)] = this.pick(NUMBERS);
      return sound;
    });
    writer.integers(random.chance(0.9) ? words : words.slice(1));
    writer.integer(random.chance(0.9) ? counts.length : this.pick(NUMBERS));
    for (const pages of counts) writer.region(this.region(pages));
  }

  /** One request, and its answer. */
  async step(): Promise<void> {
    const { nodes, task, writer, random } = this;
    const [id, items] = this.pick(REQUESTS);
    writer.begin();
    for (const item of items) this.put(random.chance(0.05) ? this.pick(ITEMS) : item);
    if (random.chance(0.05)) this.put(this.pick(ITEMS));
    const request = writer.finish();
    request.remote = this.pick(this.targets);
    request.remoteDisposition = COPY_SEND;
    request.id = id;
    const silent = random.chance(0.1) && id !== 555003 && id !== 556000 && id !== 2007;
    request.local = silent ? MACH_PORT_NULL : task.ports.allocate();
    request.localDisposition = silent ? 0 : MAKE_SEND_ONCE;
    const { local } = request;
    try {
      if (silent) {
        await nodes.run(task.send(request));
        return;
      }
      const reply = await nodes.run(task.rpc(request));
      this.answers += 1;
      if (reply.takeInteger() === 0) this.successes += 1;
    } catch (error) {
      // What was to be sent may be no right of this task's, or no memory.
      if (!(error instanceof MachError) || !error.code.startsWith("MACH_SEND")) throw error;
    }
    if (!silent) task.ports.destroy(local);
  }

  /** Ends every task that has been made: whatever else there is a right to does not know the call. */
  async endTasks(): Promise<void> {
    const { nodes, task } = this;
    const known = new Set([...this.targets, ...this.nameServers, task.self]);
    for (const name of task.ports.names()) {
      if (known.has(name) || task.ports.type(name) !== TYPE_SEND) continue;
      const call = mach.client(task, name).taskTerminate();
      await nodes.run(call.catch(() => {}));
      task.ports.destroy(name);
    }
    // Notifications of send-once rights that nobody took; a new port, so that they are all gone.
    task.ports.destroy(this.own);
    this.own = task.ports.allocate();
  }

  /** Ends the tasks and puts the special ports back. */
  async clear(): Promise<void> {
    const { nodes, task } = this;
    await this.endTasks();
    for (const { node } of nodes.kernels) {
      await nodes.run(task.norma.setSpecialPort(4, this.nameServers[node]!, node));
      for (let which = 5; which <= 32; which++) {
        await nodes.run(task.norma.setSpecialPort(which, MACH_PORT_NULL, node));
      }
    }
  }
}

test.each<[string, LoneNodesInput]>([
  ["over four nodes", { dimension: 2, devices: [{ node: 0, name: "sd0", bytes: 4096 }] }],
  ["through a loopback proxy", { kernel: { loopback: true } }],
])("norma calls: whatever is asked is answered, and leaves nothing %s", async (_way, input) => {
  const nodes = new LoneNodes(input);
  try {
    const fuzzer = new Fuzzer(nodes, new Random(SEED));
    await fuzzer.furnish();
    for (let i = 1; i <= Number(NORMACUBE_RUNS); i++) {
      await fuzzer.step();
      // What they inherit is more than the nodes have memory for, in the end.
      if (i % 50 === 0) await fuzzer.endTasks();
    }
    expect(fuzzer.answers).toBeGreaterThan(Number(NORMACUBE_RUNS) / 2);
    expect(fuzzer.successes).toBeGreaterThan(Number(NORMACUBE_RUNS) / 20);
    await fuzzer.clear();
    await nodes.pass(1e9);
    await nodes.expectNothingLeaked();
  } catch (error) {
    if (error instanceof Error) error.message += `\n(NORMACUBE_SEED=${SEED})`;
    throw error;
  } finally {
    nodes.files.close();
  }
});
