// Suspended tasks: what of them goes on (nothing), what is kept for them (everything), and what ends the wait.

import { expect, test } from "@jest/globals";
import { COPY_SEND, MAKE_SEND, type PortName } from "../../src/ipc/rights.ts";
import { type ModuleLoader, TaskRunner } from "../../src/node/task-runner.ts";
import { loader, mach, TASK_BASIC_INFO } from "../../src/task/kernel-interfaces.ts";
import type { Task } from "../../src/task/task.ts";
import { give, openDoor } from "../support/doors.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes, type LoneNodesInput, watch } from "../support/lone-node.ts";
import { PLACES } from "../support/places.ts";

/** A task, and another one that has a right to its kernel port. */
const furnish = async (input: LoneNodesInput, place: number) => {
  const nodes = new LoneNodes(input);
  const [task, target] = [nodes.task(0), nodes.task(place)];
  const port = await give(nodes, target, target.self, COPY_SEND, task);
  const run = <T>(promise: Promise<T>): Promise<T> => nodes.run(promise);
  return { nodes, task, target, calls: mach.client(task, port), run };
};

const suspendCount = async (calls: ReturnType<typeof mach.client>): Promise<number> =>
  (await calls.taskInfo({ flavor: TASK_BASIC_INFO })).info[0]!;

test("task_suspend, task_resume: their ids are Mach's", () => {
  const { subsystem } = mach;
  expect([subsystem.routine("taskSuspend").id, subsystem.routine("taskResume").id]).toEqual([
    2056, 2057,
  ]);
});

test.each(PLACES)(
  "suspension: what a waiting task receives is kept until it is resumed %s",
  async (_w, input, place) => {
    const { nodes, task, target, calls, run } = await furnish(input, place);
    const door = await openDoor(nodes, task, target);
    const received = target.receive(door.receive);
    const seen = watch(received);
    await nodes.quiet();
    await run(calls.taskSuspend());
    await run(task.send(letter(door.send, COPY_SEND, 5)));
    await nodes.pass(1_000_000);
    expect(seen.settled).toBe(false);
    expect(target.ports.getReceiveStatus(door.receive)).toMatchObject({ seqno: 1, msgcount: 0 });
    await run(calls.taskResume());
    expect((await run(received)).id).toBe(5);
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "suspension: calls that a suspended task makes do not begin before it is resumed %s",
  async (_w, input, place) => {
    const { nodes, task, target, calls, run } = await furnish(input, place);
    const door = await openDoor(nodes, target, task);
    const own = target.ports.allocate();
    target.ports.insertRight(own, own, MAKE_SEND);
    await run(target.send(letter(own, COPY_SEND, 3)));
    await run(calls.taskSuspend());
    const sent = target.send(letter(door.send, COPY_SEND, 6));
    const received = target.receive(own);
    const slept = target.sleep(1000);
    const echoed = target.rpc(letter(door.send, COPY_SEND, 7, own, MAKE_SEND), { timeoutNs: 5e6 });
    const failing = echoed.catch(({ code }: { code: string }) => code);
    const seen = [sent, received, slept, echoed].map(watch);
    await nodes.pass(1_000_000);
    expect(seen.map(({ settled }) => settled)).toEqual([false, false, false, false]);
    expect(target.ports.getReceiveStatus(own).msgcount).toBe(1);
    await expect(run(task.receive(door.receive, { timeoutNs: 0 }))).rejects.toMatchObject({
      code: "MACH_RCV_TIMED_OUT",
    });
    await run(calls.taskResume());
    await run(Promise.all([sent, slept]));
    expect((await run(received)).id).toBe(3);
    const ids = [await run(task.receive(door.receive)), await run(task.receive(door.receive))];
    expect(ids.map(({ id }) => id)).toEqual([6, 7]);
    expect(await run(failing)).toBe("MACH_RCV_TIMED_OUT");
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "suspension: it counts, and a task that is not suspended cannot be resumed %s",
  async (_w, input, place) => {
    const { nodes, target, calls, run } = await furnish(input, place);
    await expect(run(calls.taskResume())).rejects.toMatchObject({ code: "KERN_FAILURE" });
    await run(calls.taskSuspend());
    await run(calls.taskSuspend());
    expect(await run(suspendCount(calls))).toBe(2);
    const slept = target.sleep(10);
    const seen = watch(slept);
    await run(calls.taskResume());
    await nodes.pass(1_000_000);
    expect(seen.settled).toBe(false);
    await run(calls.taskResume());
    await run(slept);
    expect(await run(suspendCount(calls))).toBe(0);
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "suspension: a blocked send comes back when the task is resumed, not when there is room %s",
  async (_w, input, place) => {
    const { nodes, task, target, calls, run } = await furnish(input, place);
    const door = await openDoor(nodes, target, task);
    task.ports.setQlimit(door.receive, 1);
    await run(target.send(letter(door.send, COPY_SEND, 3)));
    await nodes.quiet();
    const sent = target.send(letter(door.send, COPY_SEND, 4));
    const late = target.send(letter(door.send, COPY_SEND, 5), { timeoutNs: 1000 });
    const failing = late.catch(({ code }: { code: string }) => code);
    const seen = [watch(sent), watch(failing)];
    await nodes.quiet();
    await run(calls.taskSuspend());
    await nodes.pass(1_000_000);
    for (const id of [3, 4]) expect((await run(task.receive(door.receive))).id).toBe(id);
    expect(seen.map(({ settled }) => settled)).toEqual([false, false]);
    await run(calls.taskResume());
    await run(sent);
    expect(await run(failing)).toBe("MACH_SEND_TIMED_OUT");
    await nodes.expectNothingLeaked();
  },
);

test("suspension: a task suspends itself, and the answer comes when another resumes it", async () => {
  const { nodes, target, calls, run } = await furnish({}, 0);
  const stopped = mach.client(target, target.self).taskSuspend();
  const seen = watch(stopped);
  await nodes.pass(1_000_000);
  expect(seen.settled).toBe(false);
  await run(calls.taskResume());
  await run(stopped);
  await nodes.expectNothingLeaked();
});

test("suspension: a Sync call of a suspended task does not return before another node resumes it", async () => {
  const { nodes, task, target, calls } = await furnish({ dimension: 1, exclusive: true }, 1);
  const own = target.ports.allocate();
  target.ports.insertRight(own, own, MAKE_SEND);
  target.sendSync(letter(own, COPY_SEND, 3));
  await nodes.run(calls.taskSuspend());
  const resumed = calls.taskResume();
  nodes.kernels[0]!.step();
  const server = nodes.kernels[1]!;
  const before = server.clock.now();
  expect(target.suspension.waiting).toBe(true);
  expect(target.receiveSync(own).id).toBe(3);
  expect(target.suspension.waiting).toBe(false);
  expect(server.clock.now()).toBe(before);
  await nodes.run(resumed);
  expect(task.node).toBe(0);
  await nodes.expectNothingLeaked();
});

test.each(PLACES)(
  "suspension: termination ends it, and the waits with the codes of the dead %s",
  async (_w, input, place) => {
    const { nodes, target, calls, run } = await furnish(input, place);
    const received = target.receive(target.ports.allocate());
    const failing = received.catch(({ code }: { code: string }) => code);
    await nodes.quiet();
    await run(calls.taskSuspend());
    const later = target.sleep(1000);
    await run(calls.taskTerminate());
    expect(await run(failing)).toBe("MACH_RCV_PORT_DIED");
    await run(later);
    await nodes.expectNothingLeaked();
  },
);

test("suspension: halt ends it", async () => {
  const { nodes, target, calls, run } = await furnish({ dimension: 1 }, 1);
  const received = target.receive(target.ports.allocate());
  const failing = received.catch(({ code }: { code: string }) => code);
  await run(calls.taskSuspend());
  const later = target.sleep(1000);
  const interrupted = later.catch(({ code }: { code: string }) => code);
  nodes.kernels[1]!.halt();
  expect(await failing).toBe("MACH_RCV_INTERRUPTED");
  expect(await interrupted).toBe("KERN_ABORTED");
});

test.each(PLACES)(
  "suspension: a program that is loaded into a suspended task begins when it is resumed %s",
  async (_w, input, place) => {
    const nodes = new LoneNodes(input);
    const begun: number[] = [];
    const program = async (task: Task): Promise<void> => {
      begun.push(task.node);
      await task.sleep(1);
    };
    const load: ModuleLoader = async () => ({ default: program });
    const runners = nodes.kernels.map((kernel) => new TaskRunner(kernel, load));
    const task = nodes.task(0);
    const start = async (): Promise<PortName> => {
      const child = await nodes.run(task.norma.taskCreate({ node: place }));
      await nodes.run(mach.client(task, child).taskSuspend());
      await nodes.run(loader.client(task, child).run({ url: "any:thing", args: null }));
      await nodes.pass(1000);
      return child;
    };
    const first = await start();
    expect(begun).toEqual([]);
    await nodes.run(mach.client(task, first).taskResume());
    await nodes.pass(1000);
    expect(begun).toEqual([place]);
    const second = await start();
    await nodes.run(mach.client(task, second).taskTerminate());
    await nodes.pass(1000);
    expect(begun).toEqual([place]);
    expect(runners.map(({ runningCount }) => runningCount)).toEqual(runners.map(() => 0));
    await nodes.expectNothingLeaked();
  },
);
