// task.names: check in, look up, check out; hosts; who may; what a dead port does to its name.

import { expect, test } from "@jest/globals";
import { NS_PER_MS } from "../../src/base/clock.ts";
import { COPY_SEND, MAKE_SEND } from "../../src/ipc/rights.ts";
import { give } from "../support/doors.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes, watch } from "../support/lone-node.ts";

const cube = () => {
  const nodes = new LoneNodes({ dimension: 2 });
  return { nodes, tasks: [0, 1, 2, 3].map((node) => nodes.task(node)) };
};

test("names: what was checked in is found from every node, and leads to its port", async () => {
  const { nodes, tasks } = cube();
  const owner = tasks[2]!;
  const port = owner.ports.allocate();
  owner.ports.setQlimit(port, 16);
  await nodes.run(owner.names.checkIn("printer", port));
  for (const [i, task] of tasks.entries()) {
    const name = await nodes.run(task.names.lookUp("printer"));
    await nodes.run(task.send(letter(name, COPY_SEND, i)));
    expect((await nodes.run(owner.receive(port))).id).toBe(i);
  }
  await nodes.expectNothingLeaked();
});

test("names: host is this node, all nodes, or one by number", async () => {
  const { nodes, tasks } = cube();
  const [here, there] = [tasks[0]!, tasks[3]!];
  const port = there.ports.allocate();
  await nodes.run(there.names.checkIn("far", port));
  const missing = { code: "NETNAME_NOT_CHECKED_IN", status: 1001 };
  await expect(nodes.run(here.names.lookUp("far", { host: "" }))).rejects.toMatchObject(missing);
  await expect(nodes.run(here.names.lookUp("far", { host: 1 }))).rejects.toMatchObject(missing);
  const name = await nodes.run(here.names.lookUp("far", { host: 3 }));
  expect(await nodes.run(here.names.lookUp("far", { host: "*" }))).toBe(name);
  expect(await nodes.run(there.names.lookUp("far", { host: "" }))).toBe(port);
  await nodes.expectNothingLeaked();
});

test("names: this node's own entry comes before another node's of the same name", async () => {
  const { nodes, tasks } = cube();
  for (const task of tasks) {
    await nodes.run(task.names.checkIn("clock", task.ports.allocate()));
  }
  for (const task of tasks) {
    const name = await nodes.run(task.names.lookUp("clock"));
    expect(task.ports.type(name) & 0x20000).not.toBe(0);
  }
  await nodes.expectNothingLeaked();
});

test.each([-1, 4, 1.5, Number.NaN])("names: host %d does not exist", async (host) => {
  const { nodes, tasks } = cube();
  await expect(nodes.run(tasks[0]!.names.lookUp("any", { host }))).rejects.toThrow(
    `NETNAME_NO_SUCH_HOST: host is ${host}; 0 to 3`,
  );
  await nodes.expectNothingLeaked();
});

test("names: an unknown name is told with its host", async () => {
  const { nodes, tasks } = cube();
  await expect(nodes.run(tasks[0]!.names.lookUp("nobody"))).rejects.toThrow(
    'NETNAME_NOT_CHECKED_IN: "nobody" is not checked in at host "*"',
  );
  await expect(nodes.run(tasks[0]!.names.lookUp("nobody", { host: 2 }))).rejects.toThrow(
    "at host 2",
  );
  await nodes.expectNothingLeaked();
});

test("names: a look-up that waits finds what is checked in later, and gives up at its time", async () => {
  const { nodes, tasks } = cube();
  const [early, late] = [tasks[0]!, tasks[1]!];
  const found = early.names.lookUp("late", { waitNs: 20 * NS_PER_MS });
  const seen = watch(found);
  await nodes.pass(5 * NS_PER_MS);
  expect(seen.settled).toBe(false);
  await nodes.run(late.names.checkIn("late", late.ports.allocate()));
  await nodes.run(found);
  const startNs = early.now();
  await expect(
    nodes.run(early.names.lookUp("never", { waitNs: 3 * NS_PER_MS })),
  ).rejects.toMatchObject({ code: "NETNAME_NOT_CHECKED_IN" });
  expect(early.now() - startNs).toBeGreaterThanOrEqual(3 * NS_PER_MS);
  expect(early.now() - startNs).toBeLessThan(5 * NS_PER_MS);
  await expect(early.names.lookUp("x", { waitNs: Number.NaN })).rejects.toThrow(
    new RangeError("waitNs is NaN; it must be 0 or more"),
  );
  await nodes.expectNothingLeaked();
});

test("names: a name that is taken is not given to another, unless it shows the same signature", async () => {
  const { nodes, tasks } = cube();
  const task = tasks[0]!;
  const [first, second, signature, other] = [0, 0, 0, 0].map(() => task.ports.allocate()) as [
    number,
    number,
    number,
    number,
  ];
  await nodes.run(task.names.checkIn("seat", first, signature));
  const notYours = { code: "NETNAME_NOT_YOURS", status: 1000 };
  await expect(nodes.run(task.names.checkIn("seat", second))).rejects.toMatchObject(notYours);
  await expect(nodes.run(task.names.checkIn("seat", second, other))).rejects.toMatchObject(
    notYours,
  );
  await expect(nodes.run(task.names.checkOut("seat"))).rejects.toMatchObject(notYours);
  await expect(nodes.run(task.names.checkOut("seat", other))).rejects.toMatchObject(notYours);
  expect(await nodes.run(task.names.lookUp("seat"))).toBe(first);
  await nodes.run(task.names.checkIn("seat", second, signature));
  expect(await nodes.run(task.names.lookUp("seat"))).toBe(second);
  await nodes.run(task.names.checkOut("seat", signature));
  await expect(nodes.run(task.names.checkOut("seat", signature))).rejects.toMatchObject({
    code: "NETNAME_NOT_CHECKED_IN",
  });
  await nodes.expectNothingLeaked();
});

test("names: an entry vanishes with its port, and with its signature", async () => {
  const { nodes, tasks } = cube();
  const task = tasks[0]!;
  for (const victim of ["port", "signature"]) {
    const [port, signature] = [task.ports.allocate(), task.ports.allocate()];
    await nodes.run(task.names.checkIn("brief", port, signature));
    task.ports.destroy(victim === "port" ? port : signature);
    await expect(nodes.run(tasks[1]!.names.lookUp("brief"))).rejects.toMatchObject({
      code: "NETNAME_NOT_CHECKED_IN",
    });
    await nodes.run(task.names.checkIn("brief", task.ports.allocate()));
    await nodes.run(task.names.checkOut("brief"));
  }
  await nodes.expectNothingLeaked();
});

test("names: all entries of a task go when it ends", async () => {
  const { nodes, tasks } = cube();
  const task = nodes.task(1);
  for (let i = 0; i < 20; i++) {
    await nodes.run(task.names.checkIn(`entry ${i}`, task.ports.allocate()));
  }
  nodes.end(task);
  await expect(nodes.run(tasks[1]!.names.lookUp("entry 7"))).rejects.toThrow("NOT_CHECKED_IN");
  await nodes.expectNothingLeaked();
});

test("names: a dead or missing port cannot be checked in", async () => {
  const { nodes, tasks } = cube();
  const task = tasks[0]!;
  const invalid = { code: "NETNAME_INVALID_PORT", status: 1004 };
  await expect(nodes.run(task.names.checkIn("x", 0))).rejects.toMatchObject(invalid);
  const dead = task.ports.allocate("dead-name");
  await expect(nodes.run(task.names.checkIn("x", dead))).rejects.toMatchObject(invalid);
  await expect(nodes.run(task.names.checkIn("x", 0xbad00))).rejects.toMatchObject({
    code: "MACH_SEND_INVALID_RIGHT",
  });
  await nodes.run(task.names.checkIn("x", task.ports.allocate()));
  await nodes.expectNothingLeaked();
});

test("names: a send right from elsewhere can be checked in as well", async () => {
  const { nodes, tasks } = cube();
  const [owner, agent, third] = [tasks[0]!, tasks[1]!, tasks[2]!];
  const port = owner.ports.allocate();
  const right = await give(nodes, owner, port, MAKE_SEND, agent);
  await nodes.run(agent.names.checkIn("agent", right));
  agent.ports.destroy(right);
  const name = await nodes.run(third.names.lookUp("agent"));
  await nodes.run(third.send(letter(name, COPY_SEND, 12)));
  expect((await nodes.run(owner.receive(port))).id).toBe(12);
  await nodes.run(agent.names.checkOut("agent"));
  await nodes.expectNothingLeaked();
});

test("names: a name has 1 to 80 bytes", async () => {
  const { nodes, tasks } = cube();
  const task = tasks[0]!;
  const port = task.ports.allocate();
  await expect(task.names.checkIn("", port)).rejects.toThrow(
    new RangeError("name has 0 bytes; it must have 1 to 80"),
  );
  await expect(task.names.lookUp("ü".repeat(41))).rejects.toThrow("name has 82 bytes");
  await nodes.run(task.names.checkIn("ü".repeat(40), port));
  expect(await nodes.run(task.names.lookUp("ü".repeat(40)))).toBe(port);
  await nodes.run(task.names.checkOut("ü".repeat(40)));
  await nodes.expectNothingLeaked();
});

test("names: calls side by side do not mix up their replies", async () => {
  const { nodes, tasks } = cube();
  const task = tasks[0]!;
  const ports = Array.from({ length: 30 }, () => task.ports.allocate());
  await nodes.run(Promise.all(ports.map((port, i) => task.names.checkIn(`n${i}`, port))));
  const found = await nodes.run(Promise.all(ports.map((_, i) => task.names.lookUp(`n${i}`))));
  expect(found).toEqual(ports);
  await nodes.expectNothingLeaked();
});

test("names: failed calls leave the task's names as they were", async () => {
  const nodes = new LoneNodes({ kernel: { namesPerTask: 16 } });
  const task = nodes.task();
  while (task.ports.names().length < 16) task.ports.allocate();
  const before = task.ports.names();
  for (let i = 0; i < 3; i++) {
    await expect(nodes.run(task.names.checkIn("full", before[0]!))).rejects.toMatchObject({
      code: "KERN_NO_SPACE",
    });
  }
  expect(task.ports.names()).toEqual(before);
  // Room for the reply port alone is not enough: the server needs a name too.
  task.ports.destroy(before[15]!);
  await expect(nodes.run(task.names.lookUp("full"))).rejects.toMatchObject({
    code: "KERN_NO_SPACE",
  });
  expect(task.ports.names()).toEqual(before.slice(0, 15));
  await nodes.expectNothingLeaked();
});

test("names: every node's server says which version it is", async () => {
  const { nodes, tasks } = cube();
  const task = tasks[1]!;
  for (const host of ["", 0, 1, 3] as const) {
    expect(await nodes.run(task.names.version(host))).toMatch(/^normacube \d+\.\d+\.\d+$/);
  }
  await expect(nodes.run(task.names.version(4))).rejects.toMatchObject({
    code: "NETNAME_NO_SUCH_HOST",
  });
  await nodes.expectNothingLeaked();
});
