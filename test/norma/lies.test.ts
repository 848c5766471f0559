// Single lies of a node that speaks the transport correctly: each is refused, counted by its reason, and costs nothing. What
// random lies have found, and what reading has.

import { expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import { PACKET_BODY, PACKET_INLINE, PACKET_PAGE } from "../../src/hardware/packet-layout.ts";
import { COPY_SEND, MAKE_SEND } from "../../src/ipc/rights.ts";
import { identifierLocal, makeIdentifier } from "../../src/norma/identifier.ts";
import { TOKEN_SPECIAL_PORT } from "../../src/norma/token.ts";
import {
  PERIOD_RECORDS,
  RECORD_DEATH,
  RECORD_MOVED,
  RECORD_RETIRE,
} from "../../src/norma/token-records.ts";
import {
  WIRE_BITS,
  WIRE_ID,
  WIRE_KIND,
  WIRE_LOCAL,
  WIRE_REMOTE,
  WIRE_SIZE,
} from "../../src/norma/wire-layout.ts";
import {
  KIND_MESSAGE,
  KIND_NOTE,
  KIND_OVERFLOW,
  NOTE_ACCEPTED,
  NOTE_ALLOWANCE,
  NOTE_DEAD,
  NOTE_FLUSH,
  NOTE_ONCE_GONE,
  NOTE_TOKEN,
  WIRE_ACCEPT_SHIFT,
  WIRE_COMPLEX,
  WIRE_MOVES,
  WIRE_OVERFLOW,
  WIRE_TENURE_SHIFT,
} from "../../src/norma/wire-values.ts";
import { HOST_SPECIAL_PORT } from "../../src/task/special-ports.ts";
import { give, openDoor } from "../support/doors.ts";
import { emptyPacket, ForgedPeer, type LoosePacket } from "../support/forged-peer.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

const SEND = 17 | (17 << 8);
const SEND_ONCE = 18 | (17 << 8);
const TOKEN_ID = 4000;
/** A descriptor of one receive right out of line. */
const RECEIVE_REGION = 16 | (32 << 8) | (1 << 16);

interface Scene {
  readonly nodes: LoneNodes;
  readonly peer: ForgedPeer;
  /** A port of node 0 to which the liar has, or had, a send right; and one of node 1 to which node 0 has one. */
  readonly own: number;
  readonly foreign: number;
}

const begin = async (): Promise<Scene> => {
  const nodes = new LoneNodes({ dimension: 2 });
  const [zero, one, liar] = [nodes.task(0), nodes.task(1), nodes.task(3)];
  const port = zero.ports.allocate();
  await give(nodes, zero, port, MAKE_SEND, liar);
  const other = one.ports.allocate();
  const name = await give(nodes, one, other, MAKE_SEND, zero);
  const space = nodes.spaceOf(zero);
  const own = space.portAt(space.find(port))!.identifier;
  const foreign = space.portAt(space.find(name))!.identifier;
  nodes.end(liar);
  await nodes.quiet();
  return { nodes, peer: new ForgedPeer(nodes), own, foreign };
};

const message = (remote: number, bits = SEND, body: readonly number[] = []): LoosePacket => {
  const packet = emptyPacket();
  const { words } = packet;
  words[WIRE_KIND] = KIND_MESSAGE;
  words[WIRE_BITS] = bits;
  words[WIRE_REMOTE] = remote;
  words[WIRE_SIZE] = body.length * 4;
  words[PACKET_INLINE] = body.length * 4;
  words.set(body, PACKET_BODY);
  return packet;
};

const note = (kind: number, identifier: number, first = 0, second = 0): LoosePacket => {
  const packet = emptyPacket();
  const { words } = packet;
  words[WIRE_KIND] = KIND_NOTE;
  words[WIRE_BITS] = kind;
  words[WIRE_REMOTE] = identifier;
  words[WIRE_LOCAL] = first;
  words[WIRE_ID] = second;
  return packet;
};

const large = (remote: number, size: number, bits = SEND): LoosePacket => {
  const packet = message(remote, bits | WIRE_OVERFLOW);
  packet.words[WIRE_SIZE] = size;
  return packet;
};

const words = (count: number, ...first: number[]): LoosePacket => {
  const packet = { words: emptyPacket().words, page: new Int32Array(count) };
  packet.page.set(first);
  packet.words[WIRE_KIND] = KIND_OVERFLOW;
  packet.words[PACKET_PAGE] = count * 4;
  return packet;
};

/** `counts`: period, pass, records, records added; how many may be, and by one user, and users without room follow. */
const token = (node: number, counts: number[], ...records: number[]): LoosePacket => {
  const body = [...counts, PERIOD_RECORDS, PERIOD_RECORDS, 0, ...records];
  const packet = message(makeIdentifier(node, TOKEN_SPECIAL_PORT), SEND, body);
  packet.words[WIRE_ID] = TOKEN_ID;
  return packet;
};

const withWord = (packet: LoosePacket, word: number, value: number): LoosePacket => {
  packet.words[word] = value;
  return packet;
};

type Reason = Extract<keyof typeof COUNTERS, `rejected${string}`>;
type Lie = (scene: Scene) => LoosePacket[];

const LIES: readonly (readonly [string, Reason, number, Lie])[] = [
  [
    "a send-once right to a port that has none elsewhere",
    "rejectedRight",
    0,
    ({ own }) => [message(own, SEND_ONCE)],
  ],
  [
    "a reply by a send-once right that nobody gave it",
    "rejectedRight",
    0,
    ({ own }) => [
      withWord(message(makeIdentifier(0, HOST_SPECIAL_PORT), 17 | (18 << 8)), WIRE_LOCAL, own),
    ],
  ],
  ["a body of four gigabytes", "rejectedMessage", 0, ({ own }) => [large(own, -4)]],
  ["a body of a gigabyte", "rejectedMessage", 0, ({ own }) => [large(own, 1 << 30)]],
  [
    "a message before the one before it is whole",
    "rejectedOverflow",
    0,
    ({ own }) => [large(own, 9000), large(own, 9000), words(1024), words(1024), words(202)],
  ],
  ["words that follow nothing", "rejectedOverflow", 0, () => [words(10)]],
  ["no words", "rejectedOverflow", 0, ({ own }) => [large(own, 9000), words(0)]],
  [
    "more words than it announced",
    "rejectedOverflow",
    0,
    ({ own }) => [large(own, 5000), words(1024), words(300)],
  ],
  [
    "four thousand million receive rights in no region",
    "rejectedOverflow",
    0,
    ({ own }) => [
      large(own, 5000, SEND | WIRE_COMPLEX | WIRE_MOVES),
      words(1024, 1 << 29, (32 << 16) | 16, -1, 0),
      words(226),
    ],
  ],
  [
    "a receive right of a port that lives here",
    "rejectedRight",
    0,
    ({ own, nodes }) => {
      const host = makeIdentifier(nodes.kernels[0]!.node, HOST_SPECIAL_PORT);
      const bits = SEND | WIRE_COMPLEX | WIRE_OVERFLOW | WIRE_MOVES;
      return [message(host, bits, [RECEIVE_REGION, 1]), words(9, own, 5, 0, 0, 0, own, 0, 1)];
    },
  ],
  [
    "a receive right with fewer send-once rights than there are, of a queue without bound",
    "rejectedRight",
    0,
    ({ foreign }) => {
      const host = makeIdentifier(0, HOST_SPECIAL_PORT);
      const bits = SEND | WIRE_COMPLEX | WIRE_OVERFLOW | WIRE_MOVES;
      const details = [1 << 20, -5, 0, 0, foreign, 0, 1, 0];
      return [message(host, bits, [RECEIVE_REGION, 1]), words(9, foreign, ...details)];
    },
  ],
  [
    "a message that would come back to where it was",
    "rejectedRoute",
    0,
    ({ foreign }) => [
      withWord(message(foreign), WIRE_KIND, KIND_MESSAGE | (5 << WIRE_TENURE_SHIFT)),
    ],
  ],
  [
    "a flush for a node that does not exist",
    "rejectedNote",
    0,
    ({ own }) => [note(NOTE_FLUSH, own, 5000)],
  ],
  ["the death of a kernel's port", "rejectedNote", 2, () => [note(NOTE_DEAD, tokenPortOf(0))]],
  [
    "a negative number of send-once rights that are gone",
    "rejectedNote",
    0,
    ({ own }) => [note(NOTE_ONCE_GONE, own, -1)],
  ],
  [
    "an allowance under a queue limit that no port has",
    "rejectedNote",
    0,
    ({ foreign }) => [note(NOTE_ALLOWANCE, foreign, 1, 17 << 1)],
  ],
  ["a wish for the token where it is not woken", "rejectedNote", 1, () => [note(NOTE_TOKEN, 0)]],
  [
    "that a message is taken which nobody has sent",
    "rejectedNote",
    0,
    ({ own }) => [note(NOTE_ACCEPTED, own, 7)],
  ],
  ["a note of no kind", "rejectedNote", 0, ({ own }) => [note(99, own)]],
  ["a token that node 0 has not sent out", "rejectedToken", 0, () => [token(0, [1, 1, 0, 0])]],
  ["a token of a fourth pass", "rejectedToken", 2, () => [token(2, [1, 4, 0, 0])]],
  ["more records than there are", "rejectedToken", 2, () => [token(2, [1, 1, 9, 9])]],
  ["fewer records than none", "rejectedToken", 2, () => [token(2, [1, 1, -1, 0])]],
  [
    "a period without limit",
    "rejectedToken",
    2,
    () => [withWord(token(2, [1, 1, 0, 0]), PACKET_BODY + 4, 1 << 20)],
  ],
  [
    "a share of nothing",
    "rejectedToken",
    2,
    () => [withWord(token(2, [1, 1, 0, 0]), PACKET_BODY + 5, 0)],
  ],
  [
    "fewer users without room than none",
    "rejectedToken",
    2,
    () => [withWord(token(2, [1, 1, 0, 0]), PACKET_BODY + 6, -1)],
  ],
  [
    "a record of a node that does not exist",
    "rejectedToken",
    2,
    ({ own }) => [token(2, [1, 1, 1, 1], RECORD_DEATH, 500, own, 0, 0, 0, 0, 0)],
  ],
  [
    "the death of a kernel's port on the token",
    "rejectedToken",
    2,
    () => [token(2, [1, 1, 1, 1], RECORD_DEATH, 3, tokenPortOf(0), 0, 0, 0, 0, 0)],
  ],
  [
    "a move that calls one port by the name of another",
    "rejectedToken",
    2,
    ({ own, foreign }) =>
      [own, foreign].map((old) =>
        token(2, [1, 2, 1, 1], RECORD_MOVED, 3, old, makeIdentifier(3, 500), 1, 0, 0, 0),
      ),
  ],
];

const tokenPortOf = (node: number): number => makeIdentifier(node, TOKEN_SPECIAL_PORT);

const count = (nodes: LoneNodes, name: keyof typeof COUNTERS): number =>
  nodes.kernels.reduce((sum, { memory }) => sum + memory.counters[COUNTERS[name].index]!, 0);

test.each(LIES)("lies: %s is refused and counted", async (_what, reason, to, lie) => {
  const scene = await begin();
  const { nodes, peer } = scene;
  const packets = lie(scene);
  for (const packet of packets) {
    peer.send(to, packet);
    await peer.settle(nodes);
  }
  await peer.finish(nodes);
  const { counters } = nodes.kernels[to]!.memory;
  expect(counters[COUNTERS[reason].index]).toBe(1);
  expect(counters[COUNTERS.damaged.index]).toBe(1);
  // Everybody goes on.
  const [from, into] = [nodes.task(0), nodes.task(1)];
  const door = await openDoor(nodes, from, into);
  await nodes.run(from.send(letter(door.send, COPY_SEND, 77)));
  expect((await nodes.run(into.receive(door.receive))).id).toBe(77);
});

test("lies: a name that is still used is not forgotten", async () => {
  const { nodes, peer, foreign } = await begin();
  const successor = makeIdentifier(3, 500);
  const record = (type: number) => token(2, [1, 2, 1, 1], type, 3, foreign, successor, 1, 0, 0, 0);
  peer.send(2, record(RECORD_MOVED));
  peer.send(2, record(RECORD_RETIRE));
  const { identifiers, ipc, memory } = nodes.kernels[2]!;
  expect(memory.counters[COUNTERS.rejectedToken.index]).toBe(1);
  const port = identifiers.known(successor)!;
  expect(identifiers.known(foreign)).toBe(port);
  expect(ipc.ports.holds(port)).toBe(true);
});

test("lies: another node's identifier does not free one of this node", async () => {
  const { nodes, own } = await begin();
  const { identifiers } = nodes.kernels[0]!;
  const port = identifiers.known(own);
  expect(identifiers.release(makeIdentifier(3, identifierLocal(own)))).toBe(false);
  expect(identifiers.release(own)).toBe(false);
  expect(identifiers.known(own)).toBe(port);
});

test("lies: a reply right of a node that does not exist is nobody's, and nobody is told", async () => {
  const { nodes, peer, own } = await begin();
  const packet = message(own, 17 | (18 << 8));
  peer.send(0, withWord(packet, WIRE_LOCAL, makeIdentifier(900, 40)));
  await peer.finish(nodes);
  expect(count(nodes, "damaged")).toBe(0);
});

test("lies: a message forced upon a kernel's port is reported as taken", async () => {
  const { nodes, peer } = await begin();
  const request = message(makeIdentifier(0, HOST_SPECIAL_PORT), SEND | (5 << WIRE_ACCEPT_SHIFT));
  peer.send(0, request);
  await peer.settle(nodes);
  const reports = peer.heard.filter(({ words }) => words[WIRE_KIND] === KIND_NOTE);
  expect(reports.map(({ words }) => [words[WIRE_BITS], words[WIRE_LOCAL]])).toEqual([
    [NOTE_ACCEPTED, 5],
  ]);
});

test("lies: a message for a port that never was is counted apart, and destroyed", async () => {
  const { nodes, peer } = await begin();
  peer.send(0, message(makeIdentifier(0, 5000)));
  await peer.settle(nodes);
  expect(count(nodes, "unknownDestination")).toBe(1);
  expect(count(nodes, "damaged")).toBe(0);
});
