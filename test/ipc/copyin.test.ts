// Copyin: header rights all or none, body rights front to back, typed items checked.

import { describe, expect, test } from "@jest/globals";
import { Message } from "../../src/ipc/message.ts";
import {
  COPY_SEND,
  type Disposition,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  PORT_SEND,
  PORT_SEND_ONCE,
  RIGHT_DEAD_NAME,
  RIGHT_SEND,
  TYPE_DEAD_NAME,
  TYPE_RECEIVE,
  TYPE_SEND,
} from "../../src/ipc/rights.ts";
import type { Task } from "../../src/task/task.ts";
import { give, openDoor } from "../support/doors.ts";
import { letter, parcel } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

const DISPOSITION_NAMES = {
  [MOVE_RECEIVE]: "MOVE_RECEIVE",
  [MOVE_SEND]: "MOVE_SEND",
  [MOVE_SEND_ONCE]: "MOVE_SEND_ONCE",
  [COPY_SEND]: "COPY_SEND",
  [MAKE_SEND]: "MAKE_SEND",
  [MAKE_SEND_ONCE]: "MAKE_SEND_ONCE",
};
const ALL = [
  MOVE_RECEIVE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  COPY_SEND,
  MAKE_SEND,
  MAKE_SEND_ONCE,
] as const;

/** Everything under a task's names: to see that nothing changed. */
const photograph = (task: Task): string =>
  task.ports
    .names()
    .map((name) => {
      const type = task.ports.type(name);
      const status = (type & TYPE_RECEIVE) === 0 ? {} : task.ports.getReceiveStatus(name);
      const references = [0, 1, 2, 4].map((right) => task.ports.getRefs(name, right as 0));
      return `${name} ${type} ${references} ${JSON.stringify(status)}`;
    })
    .join("\n");

const refused = (nodes: LoneNodes, task: Task, message: Message, code: string): Promise<void> =>
  expect(nodes.run(task.send(message))).rejects.toMatchObject({ code });

/** A task with one name of every kind, and a partner to whom it sends. */
const furnish = async (nodes: LoneNodes) => {
  const [task, other] = [nodes.task(), nodes.task()];
  const foreign = other.ports.allocate();
  const names = {
    receive: task.ports.allocate(),
    spare: task.ports.allocate(),
    both: task.ports.allocate(),
    send: await give(nodes, other, foreign, MAKE_SEND, task),
    once: await give(nodes, other, foreign, MAKE_SEND_ONCE, task),
    dead: task.ports.allocate("dead-name"),
  };
  task.ports.insertRight(names.both, names.both, MAKE_SEND);
  const door = await openDoor(nodes, task, other);
  return { task, other, foreign, names, door };
};

describe("header", () => {
  // Rows: which name; columns: which disposition works for a destination.
  const GOOD_DESTINATION: Record<string, readonly number[]> = {
    receive: [MAKE_SEND, MAKE_SEND_ONCE],
    both: [COPY_SEND, MOVE_SEND, MAKE_SEND, MAKE_SEND_ONCE],
    send: [COPY_SEND, MOVE_SEND],
    once: [MOVE_SEND_ONCE],
    dead: [],
  };
  const cases = Object.keys(GOOD_DESTINATION).flatMap((kind) =>
    ALL.map((disposition) => ({ kind, disposition, shown: DISPOSITION_NAMES[disposition] })),
  );

  test.each(cases)(
    "copyin: destination with $shown, name of kind $kind (S8, S9, S12)",
    async ({ kind, disposition }) => {
      const nodes = new LoneNodes();
      const { task, other, foreign, names } = await furnish(nodes);
      const name = names[kind as keyof typeof names];
      const before = photograph(task);
      const message = letter(name, disposition, 5, names.spare, MAKE_SEND_ONCE);
      if (disposition === MOVE_RECEIVE) {
        await refused(nodes, task, message, "MACH_SEND_INVALID_HEADER");
        expect(photograph(task)).toBe(before);
      } else if (!GOOD_DESTINATION[kind]!.includes(disposition)) {
        await refused(nodes, task, message, "MACH_SEND_INVALID_DEST");
        expect(photograph(task)).toBe(before);
      } else {
        await nodes.run(task.send(message));
        const own = kind === "both" || kind === "receive";
        const got = await nodes.run(own ? task.receive(name) : other.receive(foreign));
        expect(got.id).toBe(5);
        expect(got.remoteDisposition).toBe(PORT_SEND_ONCE);
      }
      await nodes.expectNothingLeaked();
    },
  );

  const GOOD_REPLY: Record<string, readonly number[]> = {
    ...GOOD_DESTINATION,
    dead: [COPY_SEND, MOVE_SEND, MOVE_SEND_ONCE],
  };
  test.each(cases)(
    "copyin: reply port with $shown, name of kind $kind (S11)",
    async ({ kind, disposition }) => {
      const nodes = new LoneNodes();
      const { task, other, names, door } = await furnish(nodes);
      const name = names[kind as keyof typeof names];
      const before = photograph(task);
      const message = letter(door.send, MOVE_SEND, 5, name, disposition);
      if (disposition === MOVE_RECEIVE) {
        await refused(nodes, task, message, "MACH_SEND_INVALID_HEADER");
        expect(photograph(task)).toBe(before);
      } else if (!GOOD_REPLY[kind]!.includes(disposition)) {
        await refused(nodes, task, message, "MACH_SEND_INVALID_REPLY");
        expect(photograph(task)).toBe(before);
      } else {
        await nodes.run(task.send(message));
        const got = await nodes.run(other.receive(door.receive));
        if (kind === "dead") expect(got.remote).toBe(MACH_PORT_DEAD);
        else expect(other.ports.names()).toContain(got.remote);
        expect(got.local).toBe(door.receive);
      }
      await nodes.expectNothingLeaked();
    },
  );

  test("copyin: a name that is no right is an invalid destination, and the sentence tells which", async () => {
    const nodes = new LoneNodes();
    const task = nodes.task();
    for (const name of [MACH_PORT_NULL, MACH_PORT_DEAD, 0xc0ffee]) {
      const sent = task.send(letter(name, COPY_SEND));
      await expect(nodes.run(sent)).rejects.toThrow(
        `MACH_SEND_INVALID_DEST: remote 0x${name.toString(16)} is not a name`,
      );
    }
    await nodes.expectNothingLeaked();
  });

  test("copyin: of a missing destination and a missing reply port the destination is named", async () => {
    const nodes = new LoneNodes();
    const task = nodes.task();
    await refused(
      nodes,
      task,
      letter(0xbad00, COPY_SEND, 1, 0xbad01, COPY_SEND),
      "MACH_SEND_INVALID_DEST",
    );
  });

  test("copyin: a dead destination takes no reference from its dead name", async () => {
    const nodes = new LoneNodes();
    const task = nodes.task();
    const dead = task.ports.allocate("dead-name");
    task.ports.modRefs(dead, RIGHT_DEAD_NAME, 2);
    const port = task.ports.allocate();
    const dispositions: Disposition[] = [COPY_SEND, MOVE_SEND, MOVE_SEND_ONCE];
    for (const disposition of dispositions) {
      const message = letter(dead, disposition, 1, port, MAKE_SEND);
      await refused(nodes, task, message, "MACH_SEND_INVALID_DEST");
      expect(task.ports.getRefs(dead, RIGHT_DEAD_NAME)).toBe(3);
    }
    expect(task.ports.getReceiveStatus(port).mscount).toBe(0);
    await nodes.expectNothingLeaked();
  });

  test("copyin: a reply port without disposition, or a disposition that is none (S12)", async () => {
    const nodes = new LoneNodes();
    const task = nodes.task();
    const port = task.ports.allocate();
    for (const [remote, local, name] of [
      [MAKE_SEND, 0, port],
      [0, 0, 0],
      [MAKE_SEND, MOVE_RECEIVE, port],
      [MAKE_SEND, 22, port],
      [15, 0, 0],
    ] as const) {
      const message = letter(port, remote as Disposition, 1, name, local as Disposition);
      await refused(nodes, task, message, "MACH_SEND_INVALID_HEADER");
    }
    await nodes.expectNothingLeaked();
  });

  test("copyin: null and dead reply names are carried as they are", async () => {
    const nodes = new LoneNodes();
    const task = nodes.task();
    const port = task.ports.allocate();
    for (const reply of [MACH_PORT_NULL, MACH_PORT_DEAD]) {
      await nodes.run(task.send(letter(port, MAKE_SEND, 1, reply, MAKE_SEND_ONCE)));
      expect((await nodes.run(task.receive(port))).remote).toBe(reply);
    }
    await nodes.expectNothingLeaked();
  });

  test("copyin: a moved dead reply name loses one reference", async () => {
    const nodes = new LoneNodes();
    const task = nodes.task();
    const port = task.ports.allocate();
    const dead = task.ports.allocate("dead-name");
    task.ports.modRefs(dead, RIGHT_DEAD_NAME, 1);
    await nodes.run(task.send(letter(port, MAKE_SEND, 1, dead, MOVE_SEND)));
    expect(task.ports.getRefs(dead, RIGHT_DEAD_NAME)).toBe(1);
    await nodes.expectNothingLeaked();
  });

  test("copyin: a send right of the last reference goes; the receive right under its name stays", async () => {
    const nodes = new LoneNodes();
    const { task, names, door, other } = await furnish(nodes);
    await nodes.run(task.send(letter(door.send, MOVE_SEND, 1, names.both, MOVE_SEND)));
    expect(task.ports.names()).not.toContain(door.send);
    expect(task.ports.type(names.both)).toBe(TYPE_RECEIVE);
    expect(task.ports.getReceiveStatus(names.both).srights).toBe(true);
    await nodes.run(other.receive(door.receive));
    await nodes.expectNothingLeaked();
  });

  describe("same name for destination and reply", () => {
    const outcome = async (
      references: number,
      remote: Disposition,
      local: Disposition,
      withReceive = false,
    ) => {
      const nodes = new LoneNodes();
      const [task, other] = [nodes.task(), nodes.task()];
      let receiver: Task;
      let at: number;
      let name: number;
      if (withReceive) {
        name = task.ports.allocate();
        task.ports.insertRight(name, name, MAKE_SEND);
        [receiver, at] = [task, name];
      } else {
        at = other.ports.allocate();
        name = await give(nodes, other, at, MAKE_SEND, task);
        receiver = other;
      }
      task.ports.modRefs(name, RIGHT_SEND, references - 1);
      const before = photograph(task);
      const sent = task.send(letter(name, remote, 3, name, local));
      const code = await nodes.run(sent).then(
        () => "sent",
        (error) => error.code,
      );
      if (code !== "sent") {
        expect(photograph(task)).toBe(before);
      } else {
        const got = await nodes.run(receiver.receive(at));
        expect(got).toMatchObject({ id: 3, local: at });
        // The reply right is one for the receiver's own port: it merges with the receive right.
        if (got.remoteDisposition === PORT_SEND) expect(got.remote).toBe(at);
        else expect(got.remote).not.toBe(at);
      }
      // In the case of withReceive, the reply right has come back as a reference of its own.
      const left = task.ports.names().includes(name)
        ? task.ports.getRefs(name, RIGHT_SEND)
        : "gone";
      await nodes.expectNothingLeaked();
      return `${code} ${left}`;
    };

    test("copyin: COPY_SEND twice takes nothing", async () => {
      expect(await outcome(1, COPY_SEND, COPY_SEND)).toBe("sent 1");
    });
    test("copyin: MOVE_SEND with COPY_SEND takes one, and one is enough (S13)", async () => {
      expect(await outcome(1, MOVE_SEND, COPY_SEND)).toBe("sent gone");
      expect(await outcome(1, COPY_SEND, MOVE_SEND)).toBe("sent gone");
      expect(await outcome(3, MOVE_SEND, COPY_SEND)).toBe("sent 2");
      expect(await outcome(3, COPY_SEND, MOVE_SEND)).toBe("sent 2");
    });
    test("copyin: MOVE_SEND twice needs two references (S14)", async () => {
      expect(await outcome(1, MOVE_SEND, MOVE_SEND)).toBe("MACH_SEND_INVALID_DEST 1");
      expect(await outcome(2, MOVE_SEND, MOVE_SEND)).toBe("sent gone");
      expect(await outcome(5, MOVE_SEND, MOVE_SEND)).toBe("sent 3");
    });
    test("copyin: MOVE_SEND_ONCE cannot be one of them (S15)", async () => {
      for (const other of [MOVE_SEND, COPY_SEND, MOVE_SEND_ONCE] as const) {
        expect(await outcome(1, MOVE_SEND_ONCE, other)).toBe("MACH_SEND_INVALID_DEST 1");
        expect(await outcome(1, other, MOVE_SEND_ONCE)).toBe("MACH_SEND_INVALID_DEST 1");
      }
    });
    test("copyin: makes need the receive right", async () => {
      expect(await outcome(1, MAKE_SEND, COPY_SEND)).toBe("MACH_SEND_INVALID_DEST 1");
      expect(await outcome(1, COPY_SEND, MAKE_SEND)).toBe("MACH_SEND_INVALID_REPLY 1");
      expect(await outcome(1, COPY_SEND, MAKE_SEND_ONCE)).toBe("MACH_SEND_INVALID_REPLY 1");
    });
    test("copyin: with the receive right every pair but send-once ones works (S16)", async () => {
      expect(await outcome(1, MAKE_SEND, MAKE_SEND_ONCE, true)).toBe("sent 1");
      expect(await outcome(1, MAKE_SEND_ONCE, MAKE_SEND, true)).toBe("sent 2");
      expect(await outcome(1, MAKE_SEND, MAKE_SEND, true)).toBe("sent 2");
      expect(await outcome(1, MOVE_SEND, MAKE_SEND, true)).toBe("sent 1");
      expect(await outcome(1, MAKE_SEND, MOVE_SEND, true)).toBe("sent 1");
      expect(await outcome(2, COPY_SEND, MOVE_SEND, true)).toBe("sent 2");
      expect(await outcome(1, MOVE_SEND, MOVE_SEND, true)).toBe("MACH_SEND_INVALID_DEST 1");
    });
    test("copyin: a send-once right cannot be both, and is still there afterwards (S15)", async () => {
      const nodes = new LoneNodes();
      const { task, names } = await furnish(nodes);
      const before = photograph(task);
      const message = letter(names.once, MOVE_SEND_ONCE, 1, names.once, MOVE_SEND_ONCE);
      await refused(nodes, task, message, "MACH_SEND_INVALID_DEST");
      expect(photograph(task)).toBe(before);
      await nodes.expectNothingLeaked();
    });
    test("copyin: a dead name cannot be both, and keeps its references", async () => {
      const nodes = new LoneNodes();
      const { task, names } = await furnish(nodes);
      const before = photograph(task);
      for (const disposition of [COPY_SEND, MOVE_SEND] as const) {
        const message = letter(names.dead, disposition, 1, names.dead, COPY_SEND);
        await refused(nodes, task, message, "MACH_SEND_INVALID_DEST");
      }
      expect(photograph(task)).toBe(before);
      await nodes.expectNothingLeaked();
    });
  });
});

describe("body", () => {
  test.each(ALL.map((disposition) => [DISPOSITION_NAMES[disposition], disposition] as const))(
    "copyin: %s in a body takes what it should and gives what it should (16.10)",
    async (_shown, disposition) => {
      const nodes = new LoneNodes();
      const { task, other, foreign, names, door } = await furnish(nodes);
      const name = {
        [MOVE_RECEIVE]: names.both,
        [MOVE_SEND]: names.send,
        [MOVE_SEND_ONCE]: names.once,
        [COPY_SEND]: names.send,
        [MAKE_SEND]: names.receive,
        [MAKE_SEND_ONCE]: names.receive,
      }[disposition];
      await nodes.run(task.send(parcel(door.send, COPY_SEND, name, disposition)));
      const { name: arrived, right } = (await nodes.run(other.receive(door.receive))).takeRight();
      const left = task.ports.names().includes(name) ? task.ports.type(name) : 0;
      const [type, expected] = {
        [MOVE_RECEIVE]: [TYPE_RECEIVE, TYPE_SEND],
        // The send right is for the other's own port, so it merges there.
        [MOVE_SEND]: [TYPE_SEND | TYPE_RECEIVE, 0],
        [MOVE_SEND_ONCE]: [0x40000, 0],
        [COPY_SEND]: [TYPE_SEND | TYPE_RECEIVE, TYPE_SEND],
        [MAKE_SEND]: [TYPE_SEND, TYPE_RECEIVE],
        [MAKE_SEND_ONCE]: [0x40000, TYPE_RECEIVE],
      }[disposition];
      expect(other.ports.type(arrived)).toBe(type);
      expect(left).toBe(expected);
      if (disposition === COPY_SEND || disposition === MOVE_SEND) expect(arrived).toBe(foreign);
      expect(right).toBe({ 16: 16, 17: 17, 18: 18, 19: 17, 20: 17, 21: 18 }[disposition]);
      const mscount = disposition === MAKE_SEND ? 1 : 0;
      expect(task.ports.getReceiveStatus(names.receive).mscount).toBe(mscount);
      await nodes.expectNothingLeaked();
    },
  );

  test("copyin: null and dead names are carried unchanged (S18)", async () => {
    const nodes = new LoneNodes();
    const task = nodes.task();
    const port = task.ports.allocate();
    const dead = task.ports.allocate("dead-name");
    const message = letter(port, MAKE_SEND)
      .addRight(MACH_PORT_NULL, COPY_SEND)
      .addRight(MACH_PORT_DEAD, MAKE_SEND)
      .addRight(dead, COPY_SEND)
      .addRight(dead, MOVE_SEND);
    await nodes.run(task.send(message));
    const got = await nodes.run(task.receive(port));
    const names = [1, 2, 3, 4].map(() => got.takeRight().name);
    expect(names).toEqual([MACH_PORT_NULL, MACH_PORT_DEAD, MACH_PORT_DEAD, MACH_PORT_DEAD]);
    expect(task.ports.names()).not.toContain(dead);
    await nodes.expectNothingLeaked();
  });

  test("copyin: a missing right in the middle releases, once, what came before it", async () => {
    const nodes = new LoneNodes();
    const { task, other, foreign, names, door } = await furnish(nodes);
    const witness = task.ports.allocate();
    const message = letter(door.send, MOVE_SEND, 1, witness, MAKE_SEND_ONCE)
      .addRight(names.send, MOVE_SEND)
      .addRight(names.once, MOVE_SEND_ONCE)
      .addRight(names.both, MOVE_RECEIVE)
      .addRight(names.receive, COPY_SEND) // has no send right
      .addRight(names.dead, MOVE_SEND);
    await refused(nodes, task, message, "MACH_SEND_INVALID_RIGHT");
    // Gone with the message: what lay before the bad one, and the header's rights.
    expect(task.ports.names()).not.toContain(names.send);
    expect(task.ports.names()).not.toContain(names.once);
    expect(task.ports.names()).not.toContain(door.send);
    expect(task.ports.type(names.both)).toBe(TYPE_DEAD_NAME);
    // Still there: what lay behind it.
    expect(task.ports.getRefs(names.dead, RIGHT_DEAD_NAME)).toBe(1);
    // The two send-once rights said that they were destroyed.
    expect((await nodes.run(other.receive(foreign))).id).toBe(71);
    expect((await nodes.run(task.receive(witness))).id).toBe(71);
    expect(other.ports.getReceiveStatus(foreign)).toMatchObject({ srights: false, sorights: 0 });
    expect(other.ports.getReceiveStatus(door.receive)).toMatchObject({
      srights: false,
      msgcount: 0,
    });
    await nodes.expectNothingLeaked();
  });

  test("copyin: a missing right inside an array of rights releases the elements before it", async () => {
    const nodes = new LoneNodes();
    const { task, other, names, door, foreign } = await furnish(nodes);
    task.ports.modRefs(names.send, RIGHT_SEND, 1);
    const message = letter(door.send, COPY_SEND);
    message.addBytes(new Uint8Array(12)); // room for three names, under a byte descriptor
    message.words[0] = MOVE_SEND | (32 << 8) | (3 << 16) | (1 << 28);
    message.complex = true;
    message.words.set([names.send, names.send, names.send], 1);
    await refused(nodes, task, message, "MACH_SEND_INVALID_RIGHT");
    expect(task.ports.names()).not.toContain(names.send);
    expect(other.ports.getReceiveStatus(foreign).srights).toBe(false);
    await nodes.expectNothingLeaked();
  });

  test("copyin: an array of rights arrives as an array of names", async () => {
    const nodes = new LoneNodes();
    const { task, other, names, door, foreign } = await furnish(nodes);
    task.ports.modRefs(names.send, RIGHT_SEND, 1);
    const message = letter(door.send, COPY_SEND);
    message.addBytes(new Uint8Array(8));
    message.words[0] = MOVE_SEND | (32 << 8) | (2 << 16) | (1 << 28);
    message.complex = true;
    message.words.set([names.send, names.send], 1);
    await nodes.run(task.send(message));
    const got = await nodes.run(other.receive(door.receive));
    expect([...got.words.slice(0, 3)]).toEqual([
      PORT_SEND | (32 << 8) | (2 << 16) | (1 << 28),
      foreign,
      foreign,
    ]);
    expect(other.ports.getRefs(foreign, RIGHT_SEND)).toBe(2);
    await nodes.expectNothingLeaked();
  });

  const INLINE = 1 << 28;
  const LONG = 1 << 29;
  const DEALLOCATE = 1 << 30;
  const UNUSED = 1 << 31;
  test.each([
    [
      "the deallocate bit on an inline item",
      [2 | (32 << 8) | (1 << 16) | INLINE | DEALLOCATE, 7],
      "MACH_SEND_INVALID_TYPE",
    ],
    ["the unused bit", [2 | (32 << 8) | (1 << 16) | INLINE | UNUSED, 7], "MACH_SEND_INVALID_TYPE"],
    ["a right of 8 bits", [COPY_SEND | (8 << 8) | (4 << 16) | INLINE, 7], "MACH_SEND_INVALID_TYPE"],
    [
      "a long form with short fields",
      [2 | INLINE | LONG, 2 | (32 << 16), 1, 7],
      "MACH_SEND_INVALID_TYPE",
    ],
    [
      "a long-form right of 16 bits",
      [INLINE | LONG, COPY_SEND | (16 << 16), 2, 7],
      "MACH_SEND_INVALID_TYPE",
    ],
    [
      "out-of-line data of no memory of the task",
      [2 | (32 << 8) | (1 << 16), 7],
      "MACH_SEND_INVALID_MEMORY",
    ],
    ["an address that is cut off", [2 | (32 << 8) | (1 << 16)], "SIZE"],
    ["an item that runs past the end", [2 | (32 << 8) | (2 << 16) | INLINE, 7], "SIZE"],
    ["a long descriptor that is cut off", [INLINE | LONG, 2 | (32 << 16)], "SIZE"],
    ["a number of elements beyond all memory", [INLINE | LONG, 2 | (0xffff << 16), -1, 7], "SIZE"],
    ["as many rights", [INLINE | LONG, COPY_SEND | (32 << 16), -1, 7], "SIZE"],
  ])(
    "copyin: %s is refused, and the rights taken by then are released (S20, S21)",
    async (_what, words, why) => {
      const nodes = new LoneNodes();
      const { task, other, names, door, foreign } = await furnish(nodes);
      const message = parcel(door.send, COPY_SEND, names.send, MOVE_SEND);
      message.words.set(words, message.size / 4);
      message.size += words.length * 4;
      await refused(nodes, task, message, why === "SIZE" ? "MACH_SEND_MSG_TOO_SMALL" : why);
      expect(task.ports.names()).not.toContain(names.send);
      expect(other.ports.getReceiveStatus(foreign).srights).toBe(false);
      expect(other.ports.getReceiveStatus(door.receive).msgcount).toBe(0);
      await nodes.expectNothingLeaked();
    },
  );

  test("copyin: a body without typed items is never looked at", async () => {
    const nodes = new LoneNodes();
    const task = nodes.task();
    const port = task.ports.allocate();
    const message = letter(port, MAKE_SEND);
    message.words.fill(MOVE_RECEIVE | (8 << 8) | (4 << 16) | UNUSED);
    message.size = 189;
    await nodes.run(task.send(message));
    const got = await nodes.run(task.receive(port));
    expect(got).toMatchObject({ size: 189, complex: false });
    expect([...got.bytes.slice(0, 189)]).toEqual([...message.bytes.slice(0, 189)]);
    await nodes.expectNothingLeaked();
  });

  test("copyin: sizes that a message cannot have are refused, and the sentence gives the limits", async () => {
    const nodes = new LoneNodes();
    const task = nodes.task();
    const port = task.ports.allocate();
    for (const size of [-1, 193, 2.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32]) {
      const message = letter(port, MAKE_SEND);
      message.size = size;
      const sent = nodes.run(task.send(message));
      await expect(sent).rejects.toThrow(
        `MACH_SEND_INVALID_DATA: size is ${size}; it must be 0 to 192`,
      );
    }
    await nodes.expectNothingLeaked();
  });

  test("copyin: a page-sized message with a bad destination gives its frame back", async () => {
    const nodes = new LoneNodes();
    const task = nodes.task();
    const message = new Message(4096);
    message.size = 4096;
    message.remote = 0xbad00;
    for (let i = 0; i < 500; i++) await refused(nodes, task, message, "MACH_SEND_INVALID_DEST");
    await nodes.expectNothingLeaked();
  });
});
