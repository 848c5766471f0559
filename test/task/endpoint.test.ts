// Comlink over ports: calls, properties, errors, large values, callbacks, and what becomes of calls when
// the other side goes away.

import { describe, expect, test } from "@jest/globals";
import * as Comlink from "comlink";
import { COPY_SEND, MAKE_SEND, MAKE_SEND_ONCE } from "../../src/ipc/rights.ts";
import { comlinkOverPorts } from "../../src/task/comlink-over-ports.ts";
import { connect, listen, type PortEndpoint } from "../../src/task/endpoint.ts";
import { MachError } from "../../src/task/mach-error.ts";
import { give } from "../support/doors.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes, watch } from "../support/lone-node.ts";
import { pair } from "../support/typed.ts";

class Account {
  balance = 0;
  readonly limits = { most: 100 };
  finalized = 0;

  deposit(amount: number): number {
    this.balance += amount;
    return this.balance;
  }
  async later(text: string): Promise<string> {
    await Promise.resolve();
    return `later: ${text}`;
  }
  echo<T>(value: T): T {
    return value;
  }
  refuse(how: "mach" | "error" | "text"): never {
    if (how === "mach") throw new MachError(1001, "not here");
    if (how === "error") throw new RangeError("too much");
    throw how;
  }
  never(): Promise<void> {
    return new Promise(() => {});
  }
  broken(): unknown {
    return { run: () => {} };
  }
  async notify(callback: (text: string) => unknown): Promise<unknown> {
    return [await callback("one"), await callback("two")];
  }
  async notifyOnce(callback: Comlink.Remote<(text: string) => unknown>): Promise<unknown> {
    const answer = await callback("once");
    callback[Comlink.releaseProxy]();
    return answer;
  }
  open(): Account & Comlink.ProxyMarked {
    return Comlink.proxy(new Account());
  }
  [Comlink.finalizer](): void {
    this.finalized += 1;
  }
}

/** An Account exposed on node 1 and wrapped on node 0 (or on the same node). */
const exposed = async (node = 1) => {
  const set = await pair(node);
  const { nodes, client, server, receive, send } = set;
  const account = new Account();
  const { expose, wrap } = comlinkOverPorts(Comlink);
  const ended = expose(account, server, receive);
  const remote = await nodes.run(wrap<typeof Account.prototype>(client, send));
  return { ...set, account, ended, remote };
};

const release = async (nodes: LoneNodes, remote: Comlink.ProxyMethods): Promise<void> => {
  remote[Comlink.releaseProxy]();
  await nodes.quiet();
};

test.each([0, 1])("endpoint: methods and properties of an object on node %d", async (node) => {
  const { nodes, account, remote } = await exposed(node);
  expect(await nodes.run(remote.deposit(5))).toBe(5);
  expect(await nodes.run(remote.deposit(6))).toBe(11);
  expect(await nodes.run(Promise.resolve(remote.balance))).toBe(11);
  (remote as unknown as { balance: number }).balance = 50;
  await nodes.quiet();
  expect(account.balance).toBe(50);
  expect(await nodes.run(Promise.resolve(remote.limits))).toEqual({ most: 100 });
  expect(await nodes.run(remote.later("x"))).toBe("later: x");
  await release(nodes, remote);
  await nodes.expectNothingLeaked();
});

test("endpoint: values that can be cloned arrive equal", async () => {
  const { nodes, remote } = await exposed();
  const values = [
    undefined,
    null,
    -0,
    12n,
    "grüß",
    [1, [2, { a: new Date(5) }]],
    new Map([["a", new Set([1])]]),
    new Float64Array([1.5, 2.5]),
    /x+/g,
  ];
  for (const value of values) {
    const back = await nodes.run(remote.echo(value));
    expect(String(back)).toBe(String(value));
    expect(JSON.stringify(typeof back === "bigint" ? 0 : back)).toBe(
      JSON.stringify(typeof value === "bigint" ? 0 : value),
    );
  }
  await release(nodes, remote);
  await nodes.expectNothingLeaked();
});

test("endpoint: a value larger than a message goes in pieces, and calls side by side keep apart", async () => {
  const { nodes, remote } = await exposed();
  const sizes = [0, 3583, 3584, 3585, 10_000, 200_000];
  const replies = await nodes.run(
    Promise.all(sizes.map((size) => remote.echo(new Uint8Array(size).fill(size & 0xff)))),
  );
  for (const [i, size] of sizes.entries()) {
    const reply = replies[i] as Uint8Array;
    expect(reply.length).toBe(size);
    expect(reply.every((byte) => byte === (size & 0xff))).toBe(true);
  }
  await release(nodes, remote);
  await nodes.expectNothingLeaked();
});

describe("errors", () => {
  test("endpoint: a MachError keeps its code and status", async () => {
    const { nodes, remote } = await exposed();
    await expect(nodes.run(remote.refuse("mach"))).rejects.toMatchObject({
      name: "MachError",
      message: "NETNAME_NOT_CHECKED_IN: not here",
      code: "NETNAME_NOT_CHECKED_IN",
      status: 1001,
    });
    await release(nodes, remote);
    await nodes.expectNothingLeaked();
  });

  test("endpoint: other errors keep what Comlink carries, and whatever else is thrown is itself", async () => {
    const { nodes, remote } = await exposed();
    await expect(nodes.run(remote.refuse("error"))).rejects.toMatchObject({
      name: "RangeError",
      message: "too much",
    });
    await expect(nodes.run(remote.refuse("text"))).rejects.toBe("text");
    await expect(nodes.run(remote.echo(() => {}))).rejects.toThrow(/could not be cloned/);
    await expect(nodes.run(remote.broken())).rejects.toThrow("Unserializable return value");
    const shared = remote.echo(new SharedArrayBuffer(8));
    await expect(nodes.run(shared)).rejects.toThrow(/could not be cloned/);
    expect(await nodes.run(remote.deposit(1))).toBe(1);
    await release(nodes, remote);
    await nodes.expectNothingLeaked();
  });
});

describe("proxies", () => {
  test("endpoint: a callback given by Comlink.proxy() is called back, over ports of its own", async () => {
    const { nodes, client, server, remote } = await exposed();
    const before = [client, server].map((task) => task.ports.names().length);
    const heard: string[] = [];
    const callback = Comlink.proxy((text: string) => heard.push(text));
    expect(await nodes.run(remote.notify(callback))).toEqual([1, 2]);
    expect(heard).toEqual(["one", "two"]);
    expect([client, server].map((task) => task.ports.names().length)).toEqual(
      before.map((count) => count + 2),
    );
    await release(nodes, remote);
    await nodes.expectNothingLeaked();
  });

  test("endpoint: an object that a method returns by Comlink.proxy() stays over there", async () => {
    const { nodes, client, server, account, remote } = await exposed();
    const before = [client, server].map((task) => task.ports.names().length);
    const second = (await nodes.run(remote.open())) as unknown as typeof remote;
    expect(await nodes.run(second.deposit(7))).toBe(7);
    expect(account.balance).toBe(0);
    await release(nodes, second);
    expect([client, server].map((task) => task.ports.names().length)).toEqual(before);
    expect(await nodes.run(remote.deposit(1))).toBe(1);
    await release(nodes, remote);
    await nodes.expectNothingLeaked();
  });

  test("endpoint: classes can be constructed over there", async () => {
    const { nodes, client, server, receive, send } = await pair();
    const { expose, wrap } = comlinkOverPorts(Comlink);
    void expose(Account, server, receive);
    const Remote = await nodes.run(wrap<typeof Account>(client, send));
    const account = await nodes.run(Promise.resolve(new Remote()));
    expect(await nodes.run(account.deposit(3))).toBe(3);
    await release(nodes, account);
    await release(nodes, Remote);
    await nodes.expectNothingLeaked();
  });

  test("endpoint: a proxy that goes on from node to node works at its third", async () => {
    const nodes = new LoneNodes({ dimension: 2 });
    const tasks = [0, 1, 2].map((node) => nodes.task(node));
    const { expose, wrap } = comlinkOverPorts(Comlink);
    const [first, second, third] = tasks as [
      (typeof tasks)[0],
      (typeof tasks)[0],
      (typeof tasks)[0],
    ];
    const account = new Account();
    const open = async (owner: typeof first, user: typeof first, what: object) => {
      const port = owner.ports.allocate();
      void expose(what, owner, port);
      return nodes.run(wrap<Account>(user, await give(nodes, owner, port, MAKE_SEND, user)));
    };
    const atSecond = await open(first, second, account);
    const relay = { deposit: (amount: number) => atSecond.deposit(amount) };
    const atThird = await open(second, third, relay);
    expect(await nodes.run(atThird.deposit(9))).toBe(9);
    expect(account.balance).toBe(9);
    await release(nodes, atThird);
    await release(nodes, atSecond);
    await nodes.expectNothingLeaked();
  });

  test("endpoint: over a MessagePort proxies still go Comlink's way", async () => {
    comlinkOverPorts(Comlink);
    const { port1, port2 } = new MessageChannel();
    Comlink.expose(new Account(), port1 as unknown as Comlink.Endpoint);
    const remote = Comlink.wrap<Account>(port2 as unknown as Comlink.Endpoint);
    const heard: string[] = [];
    const callback = Comlink.proxy((text: string) => heard.push(text));
    await remote.notifyOnce(callback as unknown as Comlink.Remote<(text: string) => unknown>);
    expect(heard).toEqual(["once"]);
    port1.close();
  });

  test("endpoint: a channel of Comlink.createEndpoint is refused with a sentence", async () => {
    const { nodes, remote } = await exposed();
    await expect(nodes.run(remote[Comlink.createEndpoint]())).rejects.toThrow(
      "a MessagePort cannot go to another node: connect() to the port once more instead",
    );
    await release(nodes, remote);
    await nodes.expectNothingLeaked();
  });

  test("endpoint: more than 64 proxies in one call are refused, and leave nothing", async () => {
    const { nodes, client, remote } = await exposed();
    const before = client.ports.names().length;
    const many = Array.from({ length: 65 }, () => Comlink.proxy(() => {}));
    const echo = remote.echo as unknown as (...args: unknown[]) => Promise<unknown>;
    await expect(nodes.run(echo(...many))).rejects.toThrow("65 ports in one message; 64 at most");
    expect(client.ports.names()).toHaveLength(before);
    await nodes.run(echo(...many.slice(1)));
    await release(nodes, remote);
    await nodes.expectNothingLeaked();
  });

  test("endpoint: a callback that is released gives up its ports", async () => {
    const { nodes, client, server, remote } = await exposed();
    const before = [client, server].map((task) => task.ports.names().length);
    const callback = Comlink.proxy((text: string) => `heard ${text}`);
    const once = remote.notifyOnce as unknown as (to: typeof callback) => Promise<unknown>;
    expect(await nodes.run(once(callback))).toBe("heard once");
    await nodes.quiet();
    expect([client, server].map((task) => task.ports.names().length)).toEqual(before);
    await release(nodes, remote);
    await nodes.expectNothingLeaked();
  });
});

describe("the end", () => {
  test("endpoint: a release gives up the ports of both sides, and tells the object", async () => {
    const { nodes, client, server, account, remote } = await exposed();
    await nodes.run(remote.deposit(1));
    const before = [client, server].map((task) => task.ports.names().length);
    await release(nodes, remote);
    expect(account.finalized).toBe(1);
    expect([client, server].map((task) => task.ports.names().length)).toEqual(
      before.map((count) => count - 2),
    );
    expect(() => remote.deposit(1)).toThrow("released");
    await nodes.expectNothingLeaked();
  });

  test("endpoint: when the client's own right dies, its calls fail", async () => {
    const { nodes, client, remote } = await exposed();
    const call = remote.never();
    const seen = watch(call);
    await nodes.quiet();
    expect(seen.settled).toBe(false);
    nodes.end(client);
    await expect(nodes.run(call)).rejects.toMatchObject({ code: "MACH_RCV_PORT_DIED" });
    await expect(nodes.run(remote.deposit(1))).rejects.toMatchObject({
      code: "MACH_RCV_PORT_DIED",
    });
    await nodes.expectNothingLeaked();
  });

  test.each([0, 1])("endpoint: calls to a peer on node %d that ends fail", async (node) => {
    const { nodes, server, remote } = await exposed(node);
    const died = { name: "MachError", code: "MIG_SERVER_DIED", status: -308 };
    const waiting = remote.never();
    waiting.catch(() => {});
    await nodes.quiet();
    nodes.end(server);
    await expect(nodes.run(waiting)).rejects.toMatchObject(died);
    await expect(nodes.run(remote.deposit(1))).rejects.toMatchObject(died);
    await nodes.expectNothingLeaked();
  });

  test.each([0, 1])(
    "endpoint: a server on node %d gives up the ports of a client that ends",
    async (node) => {
      const { nodes, client, server, remote } = await exposed(node);
      const before = server.ports.names().length;
      await nodes.run(remote.deposit(1));
      nodes.end(client);
      await nodes.quiet();
      expect(server.ports.names()).toHaveLength(before - 2);
      await nodes.expectNothingLeaked();
    },
  );

  test("endpoint: halt ends every call", async () => {
    const { nodes, remote, ended } = await exposed();
    const call = remote.never();
    call.catch(() => {});
    await nodes.quiet();
    for (const kernel of nodes.kernels) kernel.halt();
    await expect(nodes.run(call)).rejects.toMatchObject({ code: "MACH_RCV_INTERRUPTED" });
    expect(await nodes.run(ended)).toBeUndefined();
  });

  test("endpoint: connecting to a port that nobody listens at ends when it dies", async () => {
    const { nodes, client, server, send } = await pair();
    const receivers = () =>
      client.ports.names().filter((name) => client.ports.type(name) & 0x20000);
    const attempt = connect(client, send);
    attempt.catch(() => {});
    await nodes.quiet();
    nodes.end(server);
    await expect(nodes.run(attempt)).rejects.toMatchObject({ code: "MIG_SERVER_DIED" });
    await expect(nodes.run(connect(client, 0xbad00))).rejects.toMatchObject({
      code: "MACH_SEND_INVALID_DEST",
    });
    expect(receivers()).toEqual([]);
    await nodes.expectNothingLeaked();
  });
});

test("endpoint: task.endpoint() joins two ports that tasks already have", async () => {
  const { nodes, client, server, receive, send } = await pair();
  const back = client.ports.allocate();
  const to = await give(nodes, client, back, MAKE_SEND, server);
  Comlink.expose(new Account(), server.endpoint(receive, to) as unknown as Comlink.Endpoint);
  const remote = Comlink.wrap<Account>(client.endpoint(back, send) as unknown as Comlink.Endpoint);
  expect(await nodes.run(remote.deposit(2))).toBe(2);
  await release(nodes, remote);
  await nodes.expectNothingLeaked();
});

test("endpoint: what is no message of Comlink's goes through as well; a failing listener is logged", async () => {
  const { nodes, client, server, receive, send } = await pair();
  const found: PortEndpoint[] = [];
  void listen(server, receive, (endpoint) => found.push(endpoint));
  const near = await nodes.run(connect(client, send));
  const [far] = found as [PortEndpoint];
  const heard: unknown[] = [];
  const listener = { handleEvent: ({ data }: { data: unknown }) => heard.push(data) };
  far.addEventListener("message", listener);
  far.addEventListener("message", () => {
    throw new Error("as asked");
  });
  far.start();
  far.start();
  for (const value of [1, "two", null, { type: "RAW", id: 99 }]) near.postMessage(value);
  await nodes.quiet();
  expect(heard).toEqual([1, "two", null]);
  expect(nodes.lines[0]).toContain("a listener of an endpoint failed: Error: as asked");
  far.removeEventListener("message", listener);
  near.postMessage("unheard");
  await nodes.quiet();
  expect(heard).toHaveLength(3);
  far.close();
  near.close();
  near.postMessage("late");
  expect(near.isClosed).toBe(true);
  await nodes.expectNothingLeaked();
});

test("endpoint: foreign messages to an endpoint or to a listening port are dropped with their rights", async () => {
  const { nodes, client, server, receive, send } = await pair(0);
  const right = client.ports.allocate();
  const strange = (id: number, to = send) =>
    letter(to, COPY_SEND, id).addRight(right, MAKE_SEND).addRight(right, MAKE_SEND_ONCE);
  const found: PortEndpoint[] = [];
  void listen(server, receive, (endpoint) => {
    found.push(endpoint);
    endpoint.start();
  });
  const far = await nodes.run(connect(client, send));
  const back = client.ports.allocate();
  for (const id of [7, 3900, 3901, 3902]) await nodes.run(client.send(strange(id)));
  await nodes.run(client.send(letter(send, COPY_SEND, 3901).addRight(right, MAKE_SEND)));
  const ports = letter(send, COPY_SEND, 3902).addRight(right, MAKE_SEND).addInteger(0);
  await nodes.run(client.send(ports.addBytes(new Uint8Array(0))));
  await nodes.quiet();
  const [near] = found as [PortEndpoint];
  expect(client.ports.getReceiveStatus(right)).toMatchObject({ srights: false, msgcount: 4 });
  client.ports.destroy(back);
  far.close();
  near.close();
  await nodes.expectNothingLeaked();
});
