// The numbers of forced messages: each is reported once, and used again when its report has come.

import { expect, test } from "@jest/globals";
import type { AcceptRequest } from "../../src/ipc/accept-request.ts";
import { AcceptReports } from "../../src/norma/accept-reports.ts";
import { makeIdentifier } from "../../src/norma/identifier.ts";
import type { PortNotes } from "../../src/norma/port-notes.ts";
import { NOTE_ACCEPTED, NOTE_DESTROYED, WIRE_ACCEPT_MAX } from "../../src/norma/wire-values.ts";
import { LoneNodes } from "../support/lone-node.ts";

const bench = () => {
  const { ipc } = new LoneNodes().kernels[0]!;
  const sent: number[][] = [];
  const notes = { send: (...note: number[]) => void sent.push(note) } as unknown as PortNotes;
  const said: string[] = [];
  const request = (name: string): AcceptRequest => ({
    accepted: () => void said.push(`${name} accepted`),
    destroyed: () => void said.push(`${name} destroyed`),
  });
  return { ipc, reports: new AcceptReports(notes), request, said, sent };
};

test("accept reports: a request is told of its own message, once", () => {
  const { ipc, reports, request, said } = bench();
  const [first, second] = [
    reports.register(request("first"), 1),
    reports.register(request("second"), 1),
  ];
  expect(first).not.toBe(second);
  reports.destroyed(ipc, second, 1);
  reports.accepted(ipc, second, 1);
  reports.accepted(ipc, first, 1);
  reports.accepted(ipc, first, 1);
  expect(said).toEqual(["second destroyed", "first accepted"]);
});

test("accept reports: a number that nobody has is nobody's", () => {
  const { ipc, reports, request, said } = bench();
  reports.register(request("one"), 1);
  for (const number of [0, 2, WIRE_ACCEPT_MAX]) reports.accepted(ipc, number, 1);
  expect(said).toEqual([]);
});

test("accept reports: there is room for as many as a packet can number, and again for each reported", () => {
  const { ipc, reports, request, said } = bench();
  const numbers = new Set<number>();
  for (let i = 0; i < WIRE_ACCEPT_MAX; i++) {
    expect(reports.hasRoom).toBe(true);
    numbers.add(reports.register(request(`${i}`), 1));
  }
  expect(numbers.size).toBe(WIRE_ACCEPT_MAX);
  expect(Math.min(...numbers)).toBe(1);
  expect(Math.max(...numbers)).toBe(WIRE_ACCEPT_MAX);
  expect(reports.hasRoom).toBe(false);
  reports.accepted(ipc, 7, 1);
  expect(reports.hasRoom).toBe(true);
  expect(reports.register(request("again"), 1)).toBe(7);
  expect(reports.hasRoom).toBe(false);
  reports.accepted(ipc, 7, 1);
  expect(said).toEqual(["6 accepted", "again accepted"]);
});

test("accept reports: what becomes of a message that came is told to the node that has its request", () => {
  const { ipc, reports, sent } = bench();
  const identifier = makeIdentifier(0, 40);
  reports.reportTo(3, identifier, 12).accepted(ipc);
  reports.reportTo(2, identifier, 13).destroyed(ipc);
  expect(sent).toEqual([
    [3, NOTE_ACCEPTED, identifier, 12],
    [2, NOTE_DESTROYED, identifier, 13],
  ]);
});

test("accept reports: only the node that has the message reports", () => {
  const { ipc, reports, request, said } = bench();
  const number = reports.register(request("one"), 1);
  expect(reports.accepted(ipc, number, 2)).toBe(false);
  expect(said).toEqual([]);
  expect(reports.destroyed(ipc, number, 1)).toBe(true);
  expect(said).toEqual(["one destroyed"]);
});
