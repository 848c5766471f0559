// Kernel-owned ports of tasks, threads and hosts, on one's own node, on another, and through a loopback
// proxy: what a task can do to itself, others with a right to its kernel port can do to it (K2 to K8, R19 to R21, D23).

import { expect, test } from "@jest/globals";
import {
  COPY_SEND,
  MACH_PORT_DEAD,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  NOTIFY_DEAD_NAME,
  type PortName,
  RIGHT_DEAD_NAME,
  RIGHT_PORT_SET,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  TYPE_RECEIVE,
  TYPE_SEND,
} from "../../src/ipc/rights.ts";
import {
  HOST_BASIC_INFO,
  mach,
  machHost,
  machPort,
  TASK_BASIC_INFO,
  TASK_BOOTSTRAP_PORT,
  TASK_EXCEPTION_PORT,
  TASK_KERNEL_PORT,
} from "../../src/task/kernel-interfaces.ts";
import { give } from "../support/doors.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes, type LoneNodesInput } from "../support/lone-node.ts";
import { PLACES } from "../support/places.ts";

/** A task and another whose kernel port it has a right to. */
const furnish = async (input: LoneNodesInput, place: number) => {
  const nodes = new LoneNodes(input);
  const [task, target] = [nodes.task(0), nodes.task(place)];
  const port = await give(nodes, target, target.self, COPY_SEND, task);
  const run = <T>(promise: Promise<T>): Promise<T> => nodes.run(promise);
  return { nodes, task, target, port, run };
};

const refusal = (code: string) => ({ code });

test.each(PLACES)(
  "task port: the mach_port calls work on another task %s",
  async (_w, input, place) => {
    const { nodes, task, target, port, run } = await furnish(input, place);
    const calls = machPort.client(task, port);
    const { name } = await run(calls.allocate({ right: RIGHT_RECEIVE }));
    expect(target.ports.type(name)).toBe(TYPE_RECEIVE);
    await run(calls.allocateName({ right: RIGHT_PORT_SET, name: 0xabcd00 }));
    await run(calls.moveMember({ member: name, after: 0xabcd00 }));
    expect((await run(calls.getSetStatus({ name: 0xabcd00 }))).members).toEqual(
      Int32Array.of(name),
    );
    await run(calls.setQlimit({ name, qlimit: 3 }));
    await run(calls.setMscount({ name, mscount: 7 }));
    await run(calls.setSeqno({ name, seqno: 9 }));
    const status = await run(calls.getReceiveStatus({ name }));
    expect(status).toEqual({
      pset: 0xabcd00,
      seqno: 9,
      mscount: 7,
      qlimit: 3,
      msgcount: 0,
      sorights: 0,
      srights: false,
      pdrequest: false,
      nsrequest: false,
    });
    const { seqno: _seqno, ...older } = status;
    expect(await run(calls.oldGetReceiveStatus({ name }))).toEqual(older);
    await run(calls.rename({ oldName: name, newName: 0xbeef }));
    expect(await run(calls.type({ name: 0xbeef }))).toEqual({ type: TYPE_RECEIVE });
    expect((await run(calls.names())).names).toContain(0xbeef);
    expect(await run(calls.getRefs({ name: 0xbeef, right: RIGHT_RECEIVE }))).toEqual({ refs: 1 });
    await run(calls.modRefs({ name: 0xbeef, right: RIGHT_RECEIVE, delta: -1 }));
    await expect(run(calls.type({ name: 0xbeef }))).rejects.toMatchObject(
      refusal("KERN_INVALID_NAME"),
    );
    const dead = (await run(calls.allocate({ right: RIGHT_DEAD_NAME }))).name;
    await run(calls.deallocate({ name: dead }));
    await run(calls.destroy({ name: 0xabcd00 }));
    await expect(run(calls.allocate({ right: RIGHT_SEND }))).rejects.toMatchObject(
      refusal("KERN_INVALID_VALUE"),
    );
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "task port: rights are put into and taken out of a task %s (R19, R21)",
  async (_w, input, place) => {
    const { nodes, task, target, port, run } = await furnish(input, place);
    const calls = machPort.client(task, port);
    const own = task.ports.allocate();
    await run(calls.insertRight({ name: 0x5500, poly: { right: own, disposition: MAKE_SEND } }));
    expect(target.ports.type(0x5500)).toBe(TYPE_SEND);
    await run(target.send(letter(0x5500, COPY_SEND, 5)));
    expect((await run(task.receive(own))).id).toBe(5);
    await expect(
      run(calls.insertRight({ name: 0x6600, poly: { right: own, disposition: MAKE_SEND } })),
    ).rejects.toMatchObject(refusal("KERN_RIGHT_EXISTS"));
    const theirs = target.ports.allocate();
    const { poly } = await run(calls.extractRight({ name: theirs, disposition: MAKE_SEND }));
    expect(poly.kind).toBe(MOVE_SEND);
    await run(task.send(letter(poly.right, COPY_SEND, 6)));
    expect((await run(target.receive(theirs))).id).toBe(6);
    await expect(
      run(calls.extractRight({ name: 0xdead00, disposition: COPY_SEND })),
    ).rejects.toMatchObject(refusal("KERN_INVALID_NAME"));
    await expect(run(calls.extractRight({ name: theirs, disposition: 15 }))).rejects.toMatchObject(
      refusal("KERN_INVALID_VALUE"),
    );
    await expect(
      run(calls.extractRight({ name: 0x5500, disposition: MAKE_SEND })),
    ).rejects.toMatchObject(refusal("KERN_INVALID_RIGHT"));
    await nodes.expectNothingLeaked();
  },
);

test("task port: a receive right is taken out of a task, and its send right stays there (R20)", async () => {
  const { nodes, task, target, port, run } = await furnish({}, 0);
  const theirs = target.ports.allocate();
  target.ports.insertRight(theirs, theirs, MAKE_SEND);
  const calls = machPort.client(task, port);
  const { poly } = await run(calls.extractRight({ name: theirs, disposition: MOVE_RECEIVE }));
  expect([task.ports.type(poly.right), target.ports.type(theirs)]).toEqual([
    TYPE_RECEIVE,
    TYPE_SEND,
  ]);
  await nodes.expectNothingLeaked();
});

test.each(PLACES)(
  "task port: a notification is asked for in the name of a task %s",
  async (_w, input, place) => {
    const { nodes, task, target, port, run } = await furnish(input, place);
    const calls = machPort.client(task, port);
    const watcher = task.ports.allocate();
    const dying = target.ports.allocate();
    const request = { name: dying, id: NOTIFY_DEAD_NAME, sync: 0 };
    const notify = { right: watcher, disposition: MAKE_SEND_ONCE } as const;
    expect((await run(calls.requestNotification({ ...request, notify }))).previous).toBe(0);
    target.ports.destroy(dying);
    const message = await run(task.receive(watcher));
    expect([message.id, message.takePortName()]).toEqual([65, dying]); // the name went with the port
    await expect(
      run(calls.requestNotification({ ...request, name: 0xdead00, notify })),
    ).rejects.toMatchObject(refusal("KERN_INVALID_NAME"));
    expect((await run(task.receive(watcher))).id).toBe(71); // the right that was given for it
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "task port: an unknown id is MIG_BAD_ID, a request without reply port runs %s (K2, K3)",
  async (_w, input, place) => {
    const { nodes, task, target, port, run } = await furnish(input, place);
    const reply = task.ports.allocate();
    const answer = await run(task.rpc(letter(port, COPY_SEND, 3999, reply, MAKE_SEND_ONCE)));
    expect([answer.id, answer.takeInteger()]).toEqual([4099, -303]);
    const before = target.ports.names().length;
    await run(task.send(letter(port, COPY_SEND, 3204).addInteger(RIGHT_RECEIVE)));
    await nodes.quiet();
    expect(target.ports.names().length).toBe(before + 1);
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "task port: registered and special ports come back, and a child inherits them %s (K4, K6)",
  async (_w, input, place) => {
    const { nodes, task, port, run } = await furnish(input, place);
    const calls = mach.client(task, port);
    const right = (name: PortName): PortName => {
      task.ports.insertRight(name, name, MAKE_SEND);
      return name;
    };
    const four = Array.from({ length: 4 }, () => right(task.ports.allocate()));
    await run(calls.machPortsRegister({ ports: four }));
    expect((await run(calls.machPortsLookup())).ports).toEqual(four);
    const five = Array.from({ length: 5 }, () => right(task.ports.allocate()));
    await expect(run(calls.machPortsRegister({ ports: five }))).rejects.toMatchObject(
      refusal("KERN_INVALID_ARGUMENT"),
    );
    const bootstrap = task.ports.allocate();
    const given = { right: bootstrap, disposition: MAKE_SEND } as const;
    await run(calls.taskSetSpecialPort({ which: TASK_BOOTSTRAP_PORT, port: given }));
    const got = await run(calls.taskGetSpecialPort({ which: TASK_BOOTSTRAP_PORT }));
    expect(got.port).toBe(bootstrap);
    expect((await run(calls.taskGetSpecialPort({ which: TASK_KERNEL_PORT }))).port).toBe(port);
    expect((await run(calls.taskGetSpecialPort({ which: TASK_EXCEPTION_PORT }))).port).toBe(0);
    for (const which of [0, 2, 5]) {
      await expect(run(calls.taskGetSpecialPort({ which }))).rejects.toMatchObject(
        refusal("KERN_INVALID_ARGUMENT"),
      );
      await expect(run(calls.taskSetSpecialPort({ which, port: given }))).rejects.toMatchObject(
        refusal("KERN_INVALID_ARGUMENT"),
      );
    }
    const { child } = await run(calls.taskCreate({ inheritMemory: false }));
    const childCalls = mach.client(task, child);
    expect((await run(childCalls.machPortsLookup())).ports).toEqual(four);
    const inherited = await run(childCalls.taskGetSpecialPort({ which: TASK_BOOTSTRAP_PORT }));
    expect(inherited.port).toBe(bootstrap);
    await run(childCalls.taskTerminate());
    await nodes.quiet();
    await expect(run(childCalls.machPortsLookup())).rejects.toMatchObject(
      refusal("MACH_SEND_INVALID_DEST"),
    );
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "task port: a task is told of its size and its thread, and terminated %s",
  async (_w, input, place) => {
    const { nodes, task, target, port, run } = await furnish(input, place);
    const calls = mach.client(task, port);
    target.vm.allocate(10_000);
    const { info } = await run(calls.taskInfo({ flavor: TASK_BASIC_INFO }));
    expect([...info]).toEqual([0, 0, 12_288, 12_288, target.ports.names().length]);
    await expect(run(calls.taskInfo({ flavor: 99 }))).rejects.toMatchObject(
      refusal("KERN_INVALID_ARGUMENT"),
    );
    expect((await run(calls.taskThreads())).threads).toHaveLength(1);
    const waiting = target.receive(target.ports.allocate());
    waiting.catch(() => {}); // it is looked at below
    await run(calls.taskTerminate());
    await expect(run(waiting)).rejects.toMatchObject(refusal("MACH_RCV_PORT_DIED"));
    expect(() => target.ports.allocate()).toThrow("KERN_INVALID_TASK");
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "thread port: thread_abort ends the waits that are interruptible, and no others %s (S41)",
  async (_w, input, place) => {
    const { nodes, task, target, run } = await furnish(input, place);
    const thread = await give(nodes, target, target.thread, COPY_SEND, task);
    const [first, second] = [target.ports.allocate(), target.ports.allocate()];
    const sturdy = target.receive(first);
    const fragile = target.receive(second, { interruptible: true });
    target.ports.setQlimit(first, 0);
    fragile.catch(() => {}); // it is looked at below
    const message = letter(first, MAKE_SEND, 4);
    const blocked = target.send(message, { interruptible: true });
    blocked.catch(() => {}); // likewise
    await run(mach.client(task, thread).threadAbort());
    await expect(run(fragile)).rejects.toMatchObject(refusal("MACH_RCV_INTERRUPTED"));
    await expect(run(blocked)).rejects.toMatchObject(refusal("MACH_SEND_INTERRUPTED"));
    expect(message).toMatchObject({ remote: first, remoteDisposition: MOVE_SEND });
    target.ports.setQlimit(first, 5);
    await run(target.send(message));
    expect((await run(sturdy)).id).toBe(4);
    await expect(run(mach.client(task, thread).taskInfo({ flavor: 1 }))).rejects.toMatchObject(
      refusal("KERN_INVALID_ARGUMENT"),
    );
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "host port: tells of its node, whoever asks %s (K8)",
  async (_w, input, place) => {
    const { nodes, task, run } = await furnish(input, place);
    const host = machHost.client(task, task.host(place));
    const { info } = await run(host.hostInfo({ flavor: HOST_BASIC_INFO }));
    expect([...info].slice(0, 3)).toEqual([1, 1, 1 << 20]);
    await expect(run(host.hostInfo({ flavor: 9 }))).rejects.toMatchObject(
      refusal("KERN_INVALID_ARGUMENT"),
    );
    expect((await run(host.hostKernelVersion())).version).toMatch(/^normacube \d/);
    expect(task.hostPriv(place)).not.toBe(task.host(place));
    expect(() => task.host(9)).toThrow("KERN_INVALID_ARGUMENT");
    await nodes.expectNothingLeaked();
  },
);

test("kernel ports: a request of another node is not served while packets are being taken (D23)", async () => {
  const { nodes, task, target, port } = await furnish({ dimension: 1 }, 1);
  const server = nodes.kernels[1]!;
  const levels: boolean[] = [];
  const serve = server.taskServer.serveTask.bind(server.taskServer);
  server.taskServer.serveTask = (request, record) => {
    levels.push(server.ipc.atInterruptLevel);
    serve(request, record);
  };
  await nodes.run(machPort.client(task, port).names());
  expect(levels).toEqual([false]);
  expect(target.node).toBe(1);
  await nodes.expectNothingLeaked();
});

test.each(PLACES)(
  "task port: a task's names come back however many they are, in a page and beyond %s",
  async (_w, input, place) => {
    const { nodes, task, target, port, run } = await furnish(input, place);
    const calls = machPort.client(task, port);
    for (const more of [5, 200, 2000]) {
      for (let i = 0; i < more; i++) target.ports.allocate("dead-name");
      const { names, types } = await run(calls.names());
      expect(Array.from(names, (name) => name >>> 0)).toEqual(target.ports.names());
      expect(types).toHaveLength(names.length);
    }
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "task port: a notification to a dead right is refused, and the request that was there stays %s",
  async (_w, input, place) => {
    const { nodes, task, target, port, run } = await furnish(input, place);
    const calls = machPort.client(task, port);
    const watcher = task.ports.allocate();
    const name = target.ports.allocate();
    const request = { name, id: NOTIFY_DEAD_NAME, sync: 0 };
    const notify = { right: watcher, disposition: MAKE_SEND_ONCE } as const;
    await run(calls.requestNotification({ ...request, notify }));
    const dead = { right: MACH_PORT_DEAD, disposition: MOVE_SEND_ONCE } as const;
    await expect(
      run(calls.requestNotification({ ...request, notify: dead })),
    ).rejects.toMatchObject(refusal("KERN_INVALID_CAPABILITY"));
    target.ports.destroy(name);
    expect((await run(task.receive(watcher))).id).toBe(65);
    await nodes.expectNothingLeaked();
  },
);
