// The check at the end of every conformance case finds what a case has left behind, in each way. What leaks
// here lies in a task that nobody ends: a child without a program.

import { expect, test } from "@jest/globals";
import { MAKE_SEND, MOVE_SEND, type PortName, RIGHT_RECEIVE } from "../../src/ipc/rights.ts";
import type { Peer } from "./peers.ts";
import { Ground, WAYS, type Way, type World } from "./worlds.ts";

/** Runs a case on a ground of its own; rejects as its test would. */
const host = async (way: Way, body: (world: World) => Promise<void>): Promise<void> => {
  const ground = await Ground.make(way);
  try {
    await ground.host(body);
  } finally {
    await ground.halt();
  }
};

const childOf = async (peer: Peer): Promise<PortName> => {
  const calls = peer.kernel("mach", await peer.self());
  return (await calls.taskCreate({ inheritMemory: false })).child;
};

test.each(WAYS)("conformance: a case that gives everything back passes (%s)", async (way) => {
  await host(way, async ({ client, server, settled, ...world }) => {
    const { send } = await world.door(client, server);
    await client.send({ remote: send });
    const child = await childOf(server);
    await server.kernel("machPort", child).allocate({ right: RIGHT_RECEIVE });
    await server.kernel("mach", child).taskTerminate();
    await settled();
  });
});

test.each(WAYS)("conformance: a case that leaves a port behind fails (%s)", async (way) => {
  const leak = async ({ server }: World): Promise<void> => {
    const child = await childOf(server);
    await server.kernel("machPort", child).allocate({ right: RIGHT_RECEIVE });
  };
  await expect(host(way, leak)).rejects.toThrow(/[-+] +"ports"/);
});

test.each(WAYS)("conformance: a case that leaves a send right behind fails (%s)", async (way) => {
  const leak = async ({ client, server, door }: World): Promise<void> => {
    const { send } = await door(server, client);
    const child = await childOf(server);
    await server.kernel("mach", child).machPortsRegister({ ports: [send] });
  };
  await expect(host(way, leak)).rejects.toThrow(/[-+] +"sendRights"/);
});

test.each(WAYS)("conformance: a case that leaves a message behind fails (%s)", async (way) => {
  const leak = async ({ client, server, give }: World): Promise<void> => {
    const child = await childOf(server);
    const calls = server.kernel("machPort", child);
    const { name } = await calls.allocate({ right: RIGHT_RECEIVE });
    const { poly } = await calls.extractRight({ name, disposition: MAKE_SEND });
    const remote = await give(server, poly.right, MOVE_SEND, client);
    await client.send({ remote, bytes: new Uint8Array(5000) });
  };
  const outcome = host(way, leak);
  await expect(outcome).rejects.toThrow(/[-+] +"queuedMessages"/);
  await expect(outcome).rejects.toThrow(/[-+] +"messagesFree"/);
});

test.each(WAYS)("conformance: a case that fails does so for its own reason (%s)", async (way) => {
  const body = async (): Promise<void> => {
    throw new Error("its own reason");
  };
  await expect(host(way, body)).rejects.toThrow("its own reason");
});
