// Fuzz of the raw mach_msg trap: random and damaged messages in task memory, wild addresses, all options, random
// sizes and names. Whatever a task asks for, the kernel answers with one of Mach's codes; no right, message or
// frame is lost; and a task that takes no part keeps exactly its names.
// A run is a row of batches, each on machines of its own with a seed of its own. On failure the seed of the batch
// and the number of the call are told: NORMACUBE_SEED=<seed> replays the batch first thing. NORMACUBE_RUNS is
// the number of calls in all.

import { expect, test } from "@jest/globals";
import { Random } from "../../src/base/random.ts";
import { MACH_SEND_WILL_NOTIFY, statusName } from "../../src/base/status.ts";
import {
  COPY_SEND,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  type PortName,
  RIGHT_SEND,
  TYPE_PORT_SET,
  TYPE_RECEIVE,
} from "../../src/ipc/rights.ts";
import { MachError } from "../../src/task/mach-error.ts";
import { Task } from "../../src/task/task.ts";
import {
  MACH_RCV_INTERRUPT,
  MACH_RCV_MSG,
  MACH_RCV_TIMEOUT,
  MACH_SEND_INTERRUPT,
  MACH_SEND_MSG,
  MACH_SEND_TIMEOUT,
} from "../../src/task/trap.ts";
import { openDoor } from "../support/doors.ts";
import { LoneNodes, type LoneNodesInput } from "../support/lone-node.ts";
import { type Ground, TrapLetters } from "../support/trap-letters.ts";

const { NORMACUBE_SEED, NORMACUBE_RUNS = "20000" } = process.env;
const SEED = NORMACUBE_SEED === undefined ? (Math.random() * 2 ** 31) | 0 : Number(NORMACUBE_SEED);
const CALLS = Number(NORMACUBE_RUNS);
const BATCH_CALLS = 400;

process.stderr.write(`trap-fuzz: SEED=${SEED}\n`); // first: a hang must be replayable too

const PAGES = 4;
const NAMES_MAX = 24;
const MEMORY_MAX = 2 << 20;
/** All bits that mean something, and some that do not. */
const OPTION_BITS = [0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x40000000];

/** A task that calls the trap at random. */
class Fuzzer {
  readonly task: Task;
  readonly letters: TrapLetters;
  private readonly nodes: LoneNodes;
  private readonly random: Random;
  private ground: Ground;

  constructor(nodes: LoneNodes, node: number, random: Random) {
    this.nodes = nodes;
    this.random = random;
    this.task = nodes.task(node);
    this.letters = new TrapLetters(random, this.task);
    this.ground = this.newGround();
  }

  private newGround(): Ground {
    const { vm } = this.task;
    const bytes = PAGES * vm.pageBytes;
    return { address: vm.allocate(bytes), bytes };
  }

  /** One call of the trap. */
  async call(): Promise<void> {
    const { random, letters, task } = this;
    this.keepHouse();
    const bytes = letters.mutate(letters.wellFormed(this.ground));
    const address = this.placed(bytes);
    const sendSize = random.chance(0.95) ? bytes.length : this.wildSize();
    const receiveSize = this.letters.pick([24, 28, 40, 300, 5000, 5000, this.wildSize()]);
    const name = letters.nameWith(TYPE_RECEIVE | TYPE_PORT_SET);
    const notify = random.chance(0.1) ? MACH_PORT_NULL : letters.nameWith(TYPE_RECEIVE);
    const option = this.option(sendSize);
    const call = [address, option, sendSize, receiveSize, name, 0, notify] as const;
    const sync = Task.kernelOf(task).exclusive && random.chance(0.5);
    const status = sync ? task.machMsgSync(...call) : await this.settled(task.machMsg(...call));
    await this.nodes.quiet();
    if (status !== MACH_SEND_WILL_NOTIFY && statusName(status) === "UNKNOWN_STATUS") {
      throw new Error(`the trap returned ${status} (0x${status.toString(16)})`);
    }
  }

  private option(sendSize: number): number {
    const { random } = this;
    let option = this.letters.pick([
      MACH_SEND_MSG,
      MACH_SEND_MSG,
      MACH_RCV_MSG,
      MACH_RCV_MSG,
      3,
      3,
      random.below(4),
    ]);
    for (const bit of OPTION_BITS) if (random.chance(0.25)) option |= bit;
    // What is to wait must be possible to interrupt; waiting for the pool is not.
    const { ipc, exclusive } = Task.kernelOf(this.task);
    const room = ipc.pool.roomToSend(Math.max(0, sendSize)) && !exclusive;
    if ((option & MACH_SEND_INTERRUPT) === 0 || !room) option |= MACH_SEND_TIMEOUT;
    if ((option & MACH_RCV_INTERRUPT) === 0 || !room) option |= MACH_RCV_TIMEOUT;
    return option;
  }

  private wildSize(): number {
    const { random } = this;
    const wild = [0, 4, 23, 25, random.below(64), random.uint32(), 0xffffffff, -1, 1 << 21];
    return this.letters.pick(wild);
  }

  /** Puts the message somewhere in the task's memory, often at its edge; seldom nowhere. */
  private placed(bytes: Uint8Array): number {
    const { random, ground } = this;
    if (random.chance(0.02)) return random.uint32();
    const last = ground.address + ground.bytes - bytes.length;
    const address = random.chance(0.3)
      ? last
      : ground.address + random.below(last - ground.address);
    this.task.memory.write(address, bytes);
    return random.chance(0.02) ? address + this.letters.pick([4, 64, 4096, 16384]) : address;
  }

  /** The status of a call; one that waits is aborted. */
  private async settled(promise: Promise<number>): Promise<number> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    for (let i = 0; i < 10; i++) {
      await this.nodes.quiet();
      if (settled) return promise;
      this.task.abort();
    }
    throw new Error("the call does not end");
  }

  /** Sees to it that there is something to send, and not ever more of it. */
  private keepHouse(): void {
    const { random, task } = this;
    const { ports, vm } = task;
    try {
      task.memory.read(this.ground.address, this.ground.bytes);
    } catch {
      this.ground = this.newGround(); // it was sent away
    }
    if (this.memoryInUse() > MEMORY_MAX) {
      vm.deallocate(0, 0xffffffff);
      this.ground = this.newGround();
    }
    for (let names = ports.names(); names.length > NAMES_MAX; names = ports.names()) {
      ports.destroy(this.letters.pick(names));
    }
    const receivers = ports.names().filter((name) => (ports.type(name) & TYPE_RECEIVE) !== 0);
    if (receivers.length < 4) receivers.push(this.attempt(() => ports.allocate()) ?? 0);
    if (random.chance(0.7)) return;
    const port = this.letters.pick(receivers);
    this.attempt(() => this.change(port));
  }

  private memoryInUse(): number {
    return this.nodes.spaceOf(this.task).memory.bytesInUse;
  }

  private change(port: PortName): void {
    const { random, letters, task } = this;
    const { ports } = task;
    const other = letters.name();
    switch (random.below(8)) {
      case 0:
      case 1:
        ports.insertRight(port, port, MAKE_SEND);
        break;
      case 2:
        ports.allocate(letters.pick(["port-set", "dead-name"] as const));
        break;
      case 3:
        ports.moveMember(port, random.chance(0.3) ? MACH_PORT_NULL : other);
        break;
      case 4:
        ports.requestNotification(other, letters.pick([69, 70, 72]), random.below(2), port);
        break;
      case 5:
        ports.setQlimit(port, letters.pick([0, 1, 2, 5, 16]));
        break;
      case 6:
        ports.extractRight(port, letters.pick([MAKE_SEND_ONCE, MAKE_SEND, COPY_SEND]));
        break;
      default:
        ports.destroy(other);
    }
  }

  private attempt<T>(call: () => T): T | undefined {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof MachError)) throw error;
      return undefined;
    }
  }
}

/** A task that only has ports others know: it takes what comes and wants to keep nothing. */
class Bystander {
  readonly task: Task;
  private readonly nodes: LoneNodes;
  private own: readonly string[] = [];
  private doors: PortName[] = [];

  constructor(nodes: LoneNodes, node: number) {
    this.nodes = nodes;
    this.task = nodes.task(node);
  }

  async meet(fuzzer: Fuzzer): Promise<void> {
    this.doors.push((await openDoor(this.nodes, fuzzer.task, this.task)).receive);
  }

  remember(): void {
    this.own = this.names();
  }

  private names(): string[] {
    const { ports } = this.task;
    return ports.names().map((name) => `${name} ${ports.type(name)} ${ports.getRefs(name, 0)}`);
  }

  /** Takes and destroys what came; the names are the old ones. */
  async check(): Promise<void> {
    const { task } = this;
    const old = new Set(task.ports.names());
    expect(this.names()).toEqual(this.own);
    for (const door of this.doors) {
      for (let more = true; more; ) {
        const received = task.receive(door, { timeoutNs: 0 });
        more = await this.nodes.run(received).then(
          () => true,
          (error: MachError) => error.code !== "MACH_RCV_TIMED_OUT",
        );
      }
    }
    for (const name of task.ports.names()) {
      if (!old.has(name)) task.ports.destroy(name);
      else this.dropSends(name);
    }
    task.vm.deallocate(0, 0xffffffff);
    expect(this.names()).toEqual(this.own);
  }

  /** Rights to its own ports have come back to it. */
  private dropSends(name: PortName): void {
    const { ports } = this.task;
    const references = ports.getRefs(name, RIGHT_SEND);
    if (references > 0) ports.modRefs(name, RIGHT_SEND, -references);
  }
}

/** Machines differ: much room or little, small names spaces. */
const machineFor = (random: Random, input: LoneNodesInput): LoneNodesInput => {
  const messages = [256, 64, 24][random.below(3)]!;
  const namesPerTask = [1000, 1000, 26][random.below(3)]!;
  const kernel = { messages, namesPerTask, ...input.kernel };
  return { ...input, kernel, exclusive: random.chance(0.3), memory: { poison: true } };
};

/** Calls on one machine, all of which follow from the seed. */
const runBatch = async (seed: number, input: LoneNodesInput, calls: number): Promise<void> => {
  const random = new Random(seed);
  const nodes = new LoneNodes(machineFor(random, input));
  const last = nodes.kernels.length - 1;
  const fuzzers = [0, last].map((node, i) => new Fuzzer(nodes, node, random.fork(`${i}`)));
  const bystander = new Bystander(nodes, last);
  let call = 0;
  try {
    for (const fuzzer of fuzzers) await bystander.meet(fuzzer);
    await openDoor(nodes, fuzzers[0]!.task, fuzzers[1]!.task);
    await openDoor(nodes, fuzzers[1]!.task, fuzzers[0]!.task);
    bystander.remember();
    for (; call < calls; call++) {
      await fuzzers[random.below(2)]!.call();
      if (call % 50 === 49) await bystander.check();
    }
    await bystander.check();
    await nodes.expectNothingLeaked();
  } catch (error) {
    const where = `NORMACUBE_SEED=${seed} (the first batch), call ${call} of ${calls}`;
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
};

test.each<[string, LoneNodesInput]>([
  ["two tasks of one node", {}],
  ["tasks of two nodes", { dimension: 1 }],
  ["two tasks of one node with loopback", { kernel: { loopback: true } }],
])(
  "trap: %s can ask for anything, and harm nobody",
  async (_who, input) => {
    const calls = Math.ceil(CALLS / 3);
    for (let done = 0, batch = 0; done < calls; done += BATCH_CALLS, batch++) {
      await runBatch((SEED + batch) >>> 0, input, Math.min(BATCH_CALLS, calls - done));
    }
  },
  3_600_000,
);
