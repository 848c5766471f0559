// Identifiers to ports and back, on one node of four.

import { expect, test } from "@jest/globals";
import { COUNTERS_MAX } from "../../src/base/counters.ts";
import {
  enterPortState,
  PORT_DEAD,
  PORT_IN_KERNEL,
  PORT_IN_SPACE,
  PORT_IN_TRANSIT,
  PORT_PROXY,
  PortTable,
} from "../../src/ipc/port.ts";
import { PORT_SEND } from "../../src/ipc/rights.ts";
import { identifierLocal, makeIdentifier } from "../../src/norma/identifier.ts";
import { IdentifierTable } from "../../src/norma/identifier-table.ts";
import { lineageOf } from "../../src/norma/lineage.ts";
import { enterNode, leaveNode } from "../../src/norma/usage-counts.ts";

const start = () => {
  const ports = new PortTable();
  return { ports, table: new IdentifierTable(2, 4, ports, new Float64Array(COUNTERS_MAX)) };
};

test("identifier table: a port gets an identifier when it is first exported, and keeps it", () => {
  const { ports, table } = start();
  const [first, second] = [ports.create(PORT_IN_SPACE), ports.create(PORT_IN_SPACE)];
  const identifier = table.identifierOf(first);
  expect([first.identifier, second.identifier]).toEqual([identifier, 0]);
  expect(table.identifierOf(first)).toBe(identifier);
  expect(table.identifierOf(second)).not.toBe(identifier);
  expect(identifierLocal(identifier)).toBeGreaterThanOrEqual(32);
  expect(table.portOf(identifier)).toBe(first);
});

test("identifier table: a foreign port has one proxy, however often it is asked for (D1)", () => {
  const { ports, table } = start();
  const foreign = makeIdentifier(3, 100);
  const proxy = table.portOf(foreign)!;
  expect(proxy).toMatchObject({ state: PORT_PROXY, home: 3, identifier: foreign });
  expect(table.portOf(foreign)).toBe(proxy);
  expect(table.identifierOf(proxy)).toBe(foreign);
  expect([table.proxyCount, ports.count]).toEqual([1, 1]);
});

test("identifier table: nodes that do not exist, and local id 0, have no port", () => {
  const { ports, table } = start();
  for (const identifier of [
    makeIdentifier(4, 40),
    makeIdentifier(1023, 1),
    makeIdentifier(1, 0),
    -1,
  ]) {
    expect(table.portOf(identifier)).toBe(null);
  }
  for (const local of [0, 31, 32, 4_000_000]) {
    expect(table.portOf(makeIdentifier(2, local))).toBe(null);
  }
  expect(ports.count).toBe(0);
});

test("identifier table: a dead port is found while rights to it are counted, and then no more", () => {
  const { ports, table } = start();
  const port = ports.create(PORT_IN_SPACE);
  const identifier = table.identifierOf(port);
  port.sendOnceRights = 1;
  enterPortState(port, PORT_DEAD);
  expect(table.principal(identifier)).toBe(port);
  port.sendOnceRights = 0;
  expect([table.principal(identifier), table.portOf(identifier)]).toEqual([null, null]);
});

test("identifier table: another node's identifier is not a principal of this one", () => {
  const { table } = start();
  table.portOf(makeIdentifier(3, 40));
  expect(table.principal(makeIdentifier(3, 40))).toBe(null);
});

test("identifier table: special ports have the local ids that they are given", () => {
  const { ports, table } = start();
  const port = ports.create(PORT_IN_KERNEL);
  table.registerSpecial(port, 4);
  expect(table.portOf(makeIdentifier(2, 4))).toBe(port);
  expect(table.identifierOf(port)).toBe(makeIdentifier(2, 4));
  expect(() => table.registerSpecial(ports.create(PORT_IN_KERNEL), 4)).toThrow();
  expect(() => table.registerSpecial(ports.create(PORT_IN_KERNEL), 32)).toThrow();
});

test("identifier table: a port that died under its old identifier counts under the new one when the old is retired", () => {
  const { table } = start();
  const old = makeIdentifier(0, 112);
  const port = table.portOf(old)!;
  leaveNode(port, PORT_SEND);
  enterNode(port, PORT_SEND, old);
  enterNode(port, PORT_SEND, old);
  enterPortState(port, PORT_IN_TRANSIT); // its receive right comes here
  const successor = table.newIdentifier(port);
  lineageOf(port).add(successor, 1);
  enterPortState(port, PORT_DEAD);
  expect(table.transitsOf(successor)).toEqual({ transit: 0, onceTransit: 0 });
  expect(table.retire(old, successor)).toBe(port);
  expect(table.transitsOf(successor)).toEqual({ transit: -1, onceTransit: 0 });
  expect(table.transitsOf(old)).toEqual({ transit: 0, onceTransit: 0 });
  expect(table.deadCount).toBe(1);
  expect(table.release(successor)).toBe(true);
  expect(table.deadCount).toBe(0);
});

test("identifier table: a port that died before it heard of the identifier in between loses nothing that it has counted", () => {
  const { table } = start();
  const [old, between] = [makeIdentifier(0, 112), makeIdentifier(1, 113)];
  const port = table.portOf(old)!;
  leaveNode(port, PORT_SEND);
  leaveNode(port, PORT_SEND);
  enterPortState(port, PORT_IN_TRANSIT); // its receive right comes here
  const successor = table.newIdentifier(port);
  lineageOf(port).add(successor, 2);
  enterPortState(port, PORT_DEAD);
  table.bury(between, 1); // the token tells of it now
  const two = { transit: 2, onceTransit: 0 };
  expect(table.transitsOf(old)).toEqual(two);
  table.retire(old, between);
  expect([table.transitsOf(between), port.transit]).toEqual([two, 0]);
  table.retire(between, successor);
  expect([table.transitsOf(successor), port.transit]).toEqual([two, 2]);
  expect(port.identifier).toBe(successor);
});
