// Conformance: special ports of nodes, found by a node and a number (D46, D47), and where a port is.

import { expect } from "@jest/globals";
import {
  COPY_SEND,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  NOTIFY_NO_SENDERS,
  TYPE_SEND,
} from "../../src/ipc/rights.ts";
import { made } from "../../src/task/kernel-interfaces.ts";
import { conform } from "../support/conform.ts";
import { expectNotice, MS, noSenders, portAndNotify } from "../support/conformance-steps.ts";
import { fails } from "../support/worlds.ts";

conform("D46 device master, host and privileged host of every node are found", async (world) => {
  const { client, server } = world;
  for (const node of [client.node, server.node]) {
    expect(await client.norma.getSpecialPort(node, 1)).toBe(await client.deviceMaster(node));
    expect(await client.norma.getSpecialPort(node, 2)).toBe(await client.host(node));
    expect(await client.norma.getSpecialPort(node, 3)).toBe(await client.hostPriv(node));
  }
});

conform(
  "D46 slot 4 is born with the node's name server, and the others are empty",
  async (world) => {
    const { client, server } = world;
    const name = await client.norma.getSpecialPort(server.node, 4);
    expect(await client.ports.type(name)).toBe(TYPE_SEND);
    expect(await client.norma.portLocationHint(name)).toBe(server.node);
    for (const which of [5, 17, 32]) {
      expect(await client.norma.getSpecialPort(server.node, which)).toBe(MACH_PORT_NULL);
    }
  },
);

conform(
  "D46 what is put into a slot is found from every node, until it is replaced",
  async (world) => {
    const { client, server, third } = world;
    const [first, second] = [await server.ports.allocate(), await third.ports.allocate()];
    await server.norma.setSpecialPort(12, first);
    for (const peer of [client, third]) {
      const remote = await peer.norma.getSpecialPort(server.node, 12);
      await peer.send({ remote, id: 40 });
      expect((await server.receive(first)).id).toBe(40);
    }
    // Through a right to the node's privileged host port, from elsewhere.
    await third.norma.setSpecialPort(12, second, server.node);
    const remote = await client.norma.getSpecialPort(server.node, 12);
    await client.send({ remote, id: 41 });
    expect((await third.receive(second)).id).toBe(41);
    await client.norma.setSpecialPort(12, MACH_PORT_NULL, server.node);
    expect(await server.norma.getSpecialPort(server.node, 12)).toBe(MACH_PORT_NULL);
  },
);

conform("D46 a slot is a sender of its port until it is emptied", async (world) => {
  const { client, server } = world;
  const { port, notify } = await portAndNotify(server);
  await server.norma.setSpecialPort(13, port);
  await server.ports.deallocate(port);
  await server.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
  await server.sleep(10 * MS);
  await world.expectNoMessage(server, notify);
  await client.norma.setSpecialPort(13, MACH_PORT_NULL, server.node);
  await expectNotice(server, notify, noSenders(2));
});

conform("D46 a slot is empty when its port has died", async (world) => {
  const { client, server, third } = world;
  const port = await third.ports.allocate();
  await client.norma.setSpecialPort(14, MACH_PORT_DEAD, server.node);
  await third.norma.setSpecialPort(14, port, server.node);
  await third.ports.destroy(port);
  await world.settled();
  expect(await client.norma.getSpecialPort(server.node, 14)).toBe(MACH_PORT_NULL);
});

conform(
  "D46 norma_get_special_port refuses ids, nodes and hosts that there are not",
  async (world) => {
    const { client, server } = world;
    for (const which of [0, -1, 33]) {
      await fails(client.norma.getSpecialPort(server.node, which), "KERN_INVALID_ARGUMENT");
    }
    for (const node of [-1, 4]) {
      for (const which of [2, 9]) {
        await fails(client.norma.getSpecialPort(node, which), "KERN_INVALID_ARGUMENT");
      }
    }
    const host = client.kernel("machNorma", await client.host(server.node));
    await fails(host.getSpecialPort({ node: server.node, which: 9 }), "KERN_INVALID_HOST");
  },
);

conform(
  "D47 norma_set_special_port refuses the kernel's ids and those that there are not",
  async (world) => {
    const { client, server } = world;
    const { port, notify } = await portAndNotify(client);
    for (const which of [0, 1, 2, 3, 33, -1]) {
      await fails(client.norma.setSpecialPort(which, port, server.node), "KERN_INVALID_VALUE");
    }
    const host = client.kernel("machNorma", await client.host(server.node));
    await fails(host.setSpecialPort({ which: 9, port: made(port) }), "KERN_INVALID_HOST");
    await client.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
    await client.ports.deallocate(port);
    const notice = await client.receive(notify);
    expect(notice.id).toBe(NOTIFY_NO_SENDERS);
    expect(await client.norma.getSpecialPort(server.node, 2)).toBe(await client.host(server.node));
  },
);

conform("norma_port_location_hint tells the node of a port", async (world) => {
  const { client, server, third } = world;
  const { send, receive } = await world.door(client, server);
  expect(await client.norma.portLocationHint(send)).toBe(server.node);
  expect(await server.norma.portLocationHint(receive)).toBe(server.node);
  const handed = await world.give(client, send, COPY_SEND, third);
  expect(await third.norma.portLocationHint(handed)).toBe(server.node);
  for (const name of [MACH_PORT_NULL, MACH_PORT_DEAD]) {
    await fails(client.norma.portLocationHint(name), "KERN_INVALID_ARGUMENT");
  }
});
