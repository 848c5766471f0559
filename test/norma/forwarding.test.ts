// A node that had the receive right of a port, in between: places in the queue that it has promised to other nodes, when the way
// to the port changes and when they are given back.

import { expect, test } from "@jest/globals";
import type { IpcContext } from "../../src/ipc/context.ts";
import { PORT_PROXY, PortTable } from "../../src/ipc/port.ts";
import { FlowControl } from "../../src/norma/flow-control.ts";
import { Forwarding } from "../../src/norma/forwarding.ts";
import { makeIdentifier } from "../../src/norma/identifier.ts";
import { flowOf } from "../../src/norma/port-abroad.ts";
import type { PortNotes } from "../../src/norma/port-notes.ts";
import { OPEN_ALLOWANCE } from "../../src/norma/visitors.ts";
import { NOTE_RETURN } from "../../src/norma/wire-values.ts";

const VISITOR = 5;
const TENURE = 2;

/** A former home at which a node has been promised so many places. */
const promised = (places: number) => {
  const returned: number[] = [];
  const notes = {
    send: () => {},
    sendBehind: (node: number, note: number) => {
      if (note === NOTE_RETURN) returned.push(node);
    },
  } as unknown as PortNotes;
  const ipc = { remote: { hasRoom: () => true } } as unknown as IpcContext;
  const flow = new FlowControl(ipc, notes);
  const forwarding = new Forwarding(ipc, notes, flow);
  const port = new PortTable().create(PORT_PROXY);
  port.identifier = makeIdentifier(0, 100);
  port.home = 1;
  flow.allowanceArrived(port, places, 5, false);
  for (let i = 0; i < places; i++) forwarding.wantArrived(port, VISITOR, TENURE);
  return { flow, forwarding, port, returned };
};

test("forwarding: a place that is not wanted any more is given back where it was promised", () => {
  const { forwarding, port, returned } = promised(3);
  expect(flowOf(port).sent).toBe(3);
  forwarding.returnArrived(port, VISITOR, TENURE);
  expect([flowOf(port).sent, flowOf(port).allowed, returned]).toEqual([2, 2, [1]]);
});

test("forwarding: promised places count where the port went on to, too", () => {
  const { flow, port } = promised(3);
  port.home = 2;
  flow.wayChanges(port);
  expect(flowOf(port).sent).toBe(3);
  expect(flow.hasRoom(port)).toBe(false); // one may be sent there, and three will be
});

test("forwarding: what was promised by an old way is not given back to the new one, and opens nothing", () => {
  for (const allowed of [0, 1, 2]) {
    const { flow, forwarding, port, returned } = promised(3);
    port.home = 2;
    flow.wayChanges(port);
    flow.allowanceArrived(port, allowed, 5, false);
    for (let i = 0; i < 3; i++) forwarding.returnArrived(port, VISITOR, TENURE);
    expect(flowOf(port).allowed).not.toBe(OPEN_ALLOWANCE);
    expect([flowOf(port).sent, flowOf(port).allowed]).toEqual([0, 0]);
    expect(returned).toEqual(new Array(allowed).fill(2));
  }
});
