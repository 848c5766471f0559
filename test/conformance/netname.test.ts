// Conformance: the name service (netname_check_in, look_up, check_out).

import { expect } from "@jest/globals";
import { MAKE_SEND, RIGHT_SEND, TYPE_SEND } from "../../src/ipc/rights.ts";
import { conform } from "../support/conform.ts";
import { fails } from "../support/worlds.ts";

let count = 0;
/** A name that no other case uses. */
const fresh = (): string => `conformance ${count++}`;

conform("K7 a port that is checked in is found by its name", async (world) => {
  const { client, server } = world;
  const name = fresh();
  const port = await server.ports.allocate();
  await fails(client.names.lookUp(name), "NETNAME_NOT_CHECKED_IN");
  await server.names.checkIn(name, port);
  const send = await client.names.lookUp(name, { host: server.node });
  expect(await client.ports.type(send)).toBe(TYPE_SEND);
  expect(await client.names.lookUp(name)).toBe(send);
  expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(2);
  await client.send({ remote: send, id: 6 });
  expect(await server.receive(port)).toMatchObject({ id: 6 });
  await server.names.checkOut(name);
  await fails(client.names.lookUp(name), "NETNAME_NOT_CHECKED_IN");
  await fails(server.names.checkOut(name), "NETNAME_NOT_CHECKED_IN");
});

conform("K7 a name belongs to whoever shows its signature", async ({ client, server, another }) => {
  const name = fresh();
  const beside = await another(server);
  const [port, signature] = [await server.ports.allocate(), await server.ports.allocate()];
  await server.names.checkIn(name, port, signature);
  const [other, forged] = [await beside.ports.allocate(), await beside.ports.allocate()];
  await fails(beside.names.checkIn(name, other, forged), "NETNAME_NOT_YOURS");
  await fails(beside.names.checkIn(name, other), "NETNAME_NOT_YOURS");
  await fails(beside.names.checkOut(name, forged), "NETNAME_NOT_YOURS");
  await fails(server.names.checkOut(name), "NETNAME_NOT_YOURS");
  const replacement = await server.ports.allocate();
  await server.names.checkIn(name, replacement, signature);
  const send = await client.names.lookUp(name, { host: server.node });
  await client.send({ remote: send, id: 3 });
  expect(await server.receive(replacement)).toMatchObject({ id: 3 });
  await server.names.checkOut(name, signature);
  await fails(server.names.lookUp(name), "NETNAME_NOT_CHECKED_IN");
});

conform("K7 a name goes when its port dies", async ({ client, server, settled }) => {
  const name = fresh();
  const port = await server.ports.allocate();
  await server.names.checkIn(name, port);
  await server.ports.destroy(port);
  await settled();
  await fails(client.names.lookUp(name, { host: server.node }), "NETNAME_NOT_CHECKED_IN");
});

conform(
  "K7 a send right of another's port can be checked in",
  async ({ client, server, third, give }) => {
    const name = fresh();
    const port = await third.ports.allocate();
    const send = await give(third, port, MAKE_SEND, server);
    await server.names.checkIn(name, send);
    expect(await server.ports.getRefs(send, RIGHT_SEND)).toBe(1);
    const found = await client.names.lookUp(name, { host: server.node });
    await client.send({ remote: found, id: 9 });
    expect(await third.receive(port)).toMatchObject({ id: 9 });
    await server.names.checkOut(name);
  },
);

conform(
  "K7 this node's names are found without a host, and hosts must exist",
  async ({ server }) => {
    const name = fresh();
    const port = await server.ports.allocate();
    await server.names.checkIn(name, port);
    expect(await server.names.lookUp(name, { host: "" })).toBe(port);
    await server.ports.deallocate(port);
    await fails(server.names.lookUp(name, { host: 64 }), "NETNAME_NO_SUCH_HOST");
    await fails(server.names.lookUp(name, { host: -1 }), "NETNAME_NO_SUCH_HOST");
    await server.names.checkOut(name);
  },
);

conform("K7 a look-up can wait for a check-in", async ({ client, server }) => {
  const name = fresh();
  const port = await server.ports.allocate();
  const found = client.names.lookUp(name, { waitNs: 5e9 });
  await server.after(5e6).names.checkIn(name, port);
  expect(await client.ports.type(await found)).toBe(TYPE_SEND);
  await server.names.checkOut(name);
});

conform("K7 a name has 1 to 80 bytes", async ({ client, server }) => {
  const port = await server.ports.allocate();
  const longest = `${fresh()} `.padEnd(80, "ä".slice(0, 1)).slice(0, 40).padEnd(80, "x");
  for (const name of ["", `${longest.slice(0, 79)}ü`]) {
    await expect(server.names.checkIn(name, port)).rejects.toThrow("1 to 80");
    await expect(client.names.lookUp(name)).rejects.toThrow("1 to 80");
  }
  const name = longest.replaceAll("ä", "y");
  await server.names.checkIn(name, port);
  await client.names.lookUp(name, { host: server.node });
  await server.names.checkOut(name);
});
