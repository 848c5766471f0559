// Random sequences of calls of two tasks, the kernel beside the model of test/support/rights-model.ts:
// after every call the names, types, references and queue counts of both tasks are the model's.
// On failure fast-check prints the shortest sequence and its seed; NORMACUBE_SEED=... replays it, and
// NORMACUBE_RUNS=... makes more of them.

import { expect, test } from "@jest/globals";
import fc from "fast-check";
import type { ReceiveStatus } from "../../src/ipc/mach-port-receive.ts";
import {
  type Disposition,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  RIGHT_DEAD_NAME,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  RIGHT_SEND_ONCE,
  type Right,
  TYPE_DEAD_NAME,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import type { Task } from "../../src/task/task.ts";
import { openDoor } from "../support/doors.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";
import {
  COPY,
  type Entry,
  MAKE,
  MAKE_ONCE,
  type ModelMessage,
  type ModelRight,
  type ModelTask,
  ONCE,
  RECEIVE,
  RightsModel,
  SEND,
} from "../support/rights-model.ts";

const { NORMACUBE_SEED, NORMACUBE_RUNS = "200" } = process.env;
const SEED = NORMACUBE_SEED === undefined ? (Math.random() * 2 ** 31) | 0 : Number(NORMACUBE_SEED);

process.stderr.write(`rights-model: SEED=${SEED}\n`); // first: a hang must be replayable too

/** One call: which task, which operation, and numbers that pick its arguments. */
interface Step {
  readonly task: number;
  readonly call:
    | "allocate"
    | "dead"
    | "insert"
    | "deallocate"
    | "destroy"
    | "modRefs"
    | "send"
    | "receive";
  readonly picks: readonly number[];
}

const step: fc.Arbitrary<Step> = fc.record({
  task: fc.nat(1),
  call: fc.oneof(
    { weight: 2, arbitrary: fc.constant("allocate" as const) },
    { weight: 1, arbitrary: fc.constantFrom("dead" as const, "destroy" as const) },
    {
      weight: 2,
      arbitrary: fc.constantFrom("insert" as const, "deallocate" as const, "modRefs" as const),
    },
    { weight: 8, arbitrary: fc.constant("send" as const) },
    { weight: 6, arbitrary: fc.constant("receive" as const) },
  ),
  picks: fc.array(fc.nat(999), { minLength: 9, maxLength: 9 }),
});

const DISPOSITIONS = [SEND, ONCE, COPY, MAKE, MAKE_ONCE, RECEIVE] as const;
const MOD_RIGHTS = [RIGHT_SEND, RIGHT_RECEIVE, RIGHT_SEND_ONCE, RIGHT_DEAD_NAME] as const;

/** The kernel's tasks and the model's, run side by side. */
class SideBySide {
  readonly nodes: LoneNodes;
  readonly tasks: Task[];
  readonly model: RightsModel;
  private readonly places: readonly number[];
  private nextId = 100;

  constructor(places: readonly number[]) {
    this.places = places;
    this.nodes = new LoneNodes({ dimension: Math.max(...places) });
    this.tasks = places.map((node) => this.nodes.task(node));
    this.model = new RightsModel(places);
  }

  /** Gives each task a send right for a port of the other. */
  async introduce(): Promise<void> {
    for (const [from, to] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const door = await openDoor(this.nodes, this.tasks[from]!, this.tasks[to]!);
      this.model.allocate(this.model.tasks[to]!, door.receive);
      const port = this.model.tasks[to]!.entries.at(-1)!.port!;
      this.model.tasks[from]!.add({ name: door.send, port, send: 1 });
      port.mscount = 1;
    }
    // The tasks' ports for replies of the name server take part in nothing.
    for (const [i, task] of this.tasks.entries()) {
      const known = new Set(this.model.tasks[i]!.entries.map((entry) => entry.name));
      for (const name of task.ports.names()) if (!known.has(name)) task.ports.destroy(name);
    }
    await this.nodes.quiet();
  }

  async perform({ task: index, call, picks }: Step): Promise<void> {
    const task = this.tasks[index]!;
    const model = this.model.tasks[index]!;
    const entry = model.entries[picks[0]! % Math.max(1, model.entries.length)];
    if (call === "allocate") this.model.allocate(model, task.ports.allocate());
    else if (call === "dead") model.add({ name: task.ports.allocate("dead-name"), dead: 1 });
    else if (entry === undefined) return;
    else if (call === "insert") this.insert(task, entry);
    else if (call === "deallocate") this.deallocate(task, model, entry);
    else if (call === "destroy") this.destroy(task, model, entry);
    else if (call === "modRefs") this.modRefs(task, model, entry, picks);
    else if (call === "send") await this.send(task, model, entry, picks);
    else await this.receive(task, model, entry);
    await this.nodes.quiet();
  }

  private insert(task: Task, entry: Entry): void {
    const { name, port } = entry;
    const code = attempt(() => task.ports.insertRight(name, name, MAKE));
    if (port === null || !entry.receive) {
      expect(code).toBe(port === null ? "KERN_INVALID_CAPABILITY" : "KERN_INVALID_RIGHT");
      return;
    }
    expect(code).toBe("done");
    entry.send += 1;
    port.mscount += 1;
  }

  private deallocate(task: Task, model: ModelTask, entry: Entry): void {
    const code = attempt(() => task.ports.deallocate(entry.name));
    const bare = entry.receive && entry.send === 0;
    expect(code).toBe(bare ? "KERN_INVALID_RIGHT" : "done");
    if (bare) return;
    if (entry.once) {
      this.model.destroy(model, entry);
      return;
    }
    if (entry.port === null) entry.dead -= 1;
    else entry.send -= 1;
    model.tidy(entry);
  }

  private destroy(task: Task, model: ModelTask, entry: Entry): void {
    task.ports.destroy(entry.name);
    this.model.destroy(model, entry);
  }

  private modRefs(task: Task, model: ModelTask, entry: Entry, picks: readonly number[]): void {
    const right = MOD_RIGHTS[picks[1]! % MOD_RIGHTS.length]!;
    const delta = (picks[2]! % 5) - 2;
    const code = attempt(() => task.ports.modRefs(entry.name, right, delta));
    const has = references(entry, right);
    const single = right === RIGHT_RECEIVE || right === RIGHT_SEND_ONCE;
    const wrong = single ? delta !== 0 && delta !== -1 : has + delta < 0;
    if (has === 0 || wrong) {
      expect(code).toBe(has === 0 ? "KERN_INVALID_RIGHT" : "KERN_INVALID_VALUE");
      return;
    }
    expect(code).toBe("done");
    if (right === RIGHT_SEND) entry.send += delta;
    if (right === RIGHT_DEAD_NAME) entry.dead += delta;
    if (single && delta === -1) {
      const { port } = entry;
      if (right === RIGHT_RECEIVE) entry.receive = false;
      else entry.once = false;
      this.model.release({ right: right === RIGHT_RECEIVE ? RECEIVE : ONCE, port });
    }
    model.tidy(entry);
  }

  private async send(
    task: Task,
    model: ModelTask,
    entry: Entry,
    picks: readonly number[],
  ): Promise<void> {
    const pick = (i: number): Entry | undefined => model.entries[picks[i]! % model.entries.length];
    const usual = entry.receive ? MAKE : entry.once ? ONCE : COPY;
    const destination = picks[1]! % 4 === 0 ? DISPOSITIONS[picks[2]! % 6]! : usual;
    const replyEntry = picks[3]! % 3 === 0 ? pick(4) : undefined;
    if (replyEntry === entry) return; // the combinations are tested one by one in copyin.test.ts
    const reply = replyEntry === undefined ? 0 : DISPOSITIONS[picks[5]! % 5]!;
    const body = [6, 7].slice(0, picks[8]! % 3).map((i) => {
      return { name: pick(i)!.name, disposition: DISPOSITIONS[Math.floor(picks[i]! / 100) % 6]! };
    });
    const full = entry.port?.home === task.node && entry.port.queue.length >= 5;
    if (full && destination !== ONCE && destination !== MAKE_ONCE) return; // it would block

    const id = this.nextId++;
    const message = letter(
      entry.name,
      destination as Disposition,
      id,
      replyEntry?.name ?? MACH_PORT_NULL,
      reply as Disposition,
    );
    for (const { name, disposition } of body) message.addRight(name, disposition as Disposition);
    const code = await this.nodes.run(
      task.send(message).then(
        () => "done",
        (error) => error.code,
      ),
    );
    expect(code).toBe(this.modelSend(model, id, { entry, destination, replyEntry, reply, body }));
  }

  /** What the send should do; returns the expected code. */
  private modelSend(
    model: ModelTask,
    id: number,
    call: {
      entry: Entry;
      destination: number;
      replyEntry: Entry | undefined;
      reply: number;
      body: readonly { name: number; disposition: number }[];
    },
  ): string {
    const { entry, destination, replyEntry, reply, body } = call;
    if (destination === RECEIVE) return "MACH_SEND_INVALID_HEADER";
    if (replyEntry !== undefined && !RightsModel.canTake(replyEntry, reply)) {
      return "MACH_SEND_INVALID_REPLY";
    }
    if (entry.port === null || !RightsModel.canTake(entry, destination)) {
      return "MACH_SEND_INVALID_DEST";
    }
    const to = entry.port;
    const taken: ModelMessage = {
      id,
      to,
      destination: this.model.take(model, entry, destination),
      reply: replyEntry === undefined ? null : this.model.take(model, replyEntry, reply),
      body: [],
    };
    for (const { name, disposition } of body) {
      const found = model.entries.find((one) => one.name === name);
      const across = disposition === RECEIVE && to.home !== model.node;
      if (found === undefined || across || !RightsModel.canTake(found, disposition)) {
        this.model.destroyMessage(taken);
        return "MACH_SEND_INVALID_RIGHT";
      }
      taken.body.push(this.model.take(model, found, disposition));
    }
    this.model.deliver(taken);
    return "done";
  }

  private async receive(task: Task, model: ModelTask, entry: Entry): Promise<void> {
    const received = this.nodes.run(task.receive(entry.name, { timeoutNs: 0 }));
    if (!entry.receive) {
      return expect(received).rejects.toMatchObject({ code: "MACH_RCV_INVALID_NAME" });
    }
    const port = entry.port!;
    const expected = port.queue[0];
    if (expected === undefined) {
      return expect(received).rejects.toMatchObject({ code: "MACH_RCV_TIMED_OUT" });
    }
    const message = await received;
    port.queue.shift();
    expect(message).toMatchObject({ id: expected.id, local: entry.name, sequence: port.seqno });
    expect(message.localDisposition).toBe(expected.destination.right);
    port.seqno += 1;
    if (expected.reply === null) expect(message.remote).toBe(MACH_PORT_NULL);
    else this.arrive(model, expected.reply, message.remote);
    for (const right of expected.body) {
      const taken = message.takeRight();
      expect(taken.right).toBe(right.right);
      this.arrive(model, right, taken.name);
    }
  }

  /** A right comes under a name: the one it should merge with, or a fresh one. */
  private arrive(model: ModelTask, { right, port }: ModelRight, name: number): void {
    if (port === null || !port.alive) {
      expect(name).toBe(MACH_PORT_DEAD);
      return;
    }
    const known = right === ONCE ? undefined : model.entryOf(port);
    if (known !== undefined) expect(name).toBe(known.name);
    else expect(model.entries.map((entry) => entry.name)).not.toContain(name);
    const entry = known ?? model.add({ name, port });
    if (right === SEND) entry.send += 1;
    if (right === ONCE) entry.once = true;
    if (right === RECEIVE) {
      entry.receive = true;
      port.inside = null;
    }
  }

  /** The kernel's tasks have what the model says, name by name. */
  check(): void {
    const has: string[] = [];
    const should: string[] = [];
    for (const [i, task] of this.tasks.entries()) {
      for (const entry of this.model.tasks[i]!.entries)
        should.push(`${i} ${this.modelEntry(entry)}`);
      for (const name of task.ports.names()) has.push(`${i} ${this.kernelEntry(task, name)}`);
    }
    expect(has.sort()).toEqual(should.sort());
  }

  private modelEntry(entry: Entry): string {
    const { name, port, send, receive, once, dead } = entry;
    const type =
      (send > 0 ? TYPE_SEND : 0) |
      (receive ? TYPE_RECEIVE : 0) |
      (once ? TYPE_SEND_ONCE : 0) |
      (dead > 0 ? TYPE_DEAD_NAME : 0);
    const counts = MOD_RIGHTS.map((right) => references(entry, right));
    if (!receive || port === null) return describe(name, type, counts);
    const { mscount, seqno, queue } = port;
    const srights = this.seesAllSenders && this.model.hasSend(port);
    return describe(name, type, counts, {
      msgcount: queue.length,
      sorights: this.model.onceCount(port),
      mscount,
      seqno,
      srights,
    });
  }

  private kernelEntry(task: Task, name: number): string {
    const type = task.ports.type(name);
    const counts = MOD_RIGHTS.map((right) => task.ports.getRefs(name, right));
    if ((type & TYPE_RECEIVE) === 0) return describe(name, type, counts);
    const status = task.ports.getReceiveStatus(name);
    return describe(name, type, counts, {
      ...status,
      srights: this.seesAllSenders && status.srights,
    });
  }

  /** A node knows of its own send rights only. */
  private get seesAllSenders(): boolean {
    return this.places.every((node) => node === 0);
  }
}

const describe = (
  name: number,
  type: number,
  counts: readonly number[],
  status?: Pick<ReceiveStatus, "msgcount" | "sorights" | "mscount" | "seqno" | "srights">,
): string => {
  const shown = `name ${name.toString(16)} type ${type.toString(16)} references ${counts}`;
  if (status === undefined) return shown;
  const { msgcount, sorights, mscount, seqno, srights } = status;
  return `${shown} queued ${msgcount} once ${sorights} made ${mscount} given ${seqno} send ${srights}`;
};

const references = ({ send, receive, once, dead }: Entry, right: Right): number => {
  switch (right) {
    case RIGHT_SEND:
      return send;
    case RIGHT_RECEIVE:
      return Number(receive);
    case RIGHT_SEND_ONCE:
      return Number(once);
    default:
      return dead;
  }
};

const attempt = (call: () => void): string => {
  try {
    call();
    return "done";
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test.each([
  ["two tasks of one node", [0, 0]],
  ["tasks of two nodes", [0, 1]],
])("rights: %s hold what the model says after any sequence of calls", async (_who, places) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const both = new SideBySide(places);
      await both.introduce();
      both.check();
      for (const one of steps) {
        await both.perform(one);
        both.check();
      }
      await both.nodes.expectNothingLeaked();
    }),
    { seed: SEED, numRuns: Number(NORMACUBE_RUNS) },
  );
});
