// The counting behind no-senders, raced: rights of one port hop between nodes while the token is moved from node to node
// by hand: in every order that the random numbers find, and through the race that the paper warns of (2.5.4). The test
// knows where every right is. With the second count, the transit counts or the export flags left out, one or the other
// must find a notification that comes too early.

import { expect, test } from "@jest/globals";
import { Random } from "../../src/base/random.ts";
import { PORT_IN_SPACE, type Port } from "../../src/ipc/port.ts";
import { PORT_SEND } from "../../src/ipc/rights.ts";
import { SenderQueries } from "../../src/norma/sender-queries.ts";
import { TokenRecords } from "../../src/norma/token-records.ts";
import { enterNode, leaveNode } from "../../src/norma/usage-counts.ts";
import { LoneNodes } from "../support/lone-node.ts";

const SEEDS = Number(process.env.NORMACUBE_RUNS ?? 400);
const FIRST_SEED = Number(process.env.NORMACUBE_SEED ?? 1);
const PERIODS = 40;
const PASSES = ["write", "read", "confirm"] as const;

/** The sum of the export flags. */
const EXPORTS = 4;

/** Token records some of whose sums are always found to be zero. */
class Forgetful extends TokenRecords {
  private readonly missing: readonly number[];

  constructor(missing: readonly number[]) {
    super();
    this.missing = missing;
  }

  override sum(record: number, which: number): number {
    return this.missing.includes(which) ? 0 : super.sum(record, which);
  }
}

class Race {
  private readonly nodes: LoneNodes;
  private readonly random: Random;
  private readonly queries: SenderQueries[];
  private readonly records: TokenRecords;
  private readonly missing: readonly number[];
  private readonly principal: Port;
  private readonly notify: Port;
  /** The nodes that rights are on their way to. */
  private readonly flying: number[] = [];
  private readonly copies: boolean;
  /** How much may happen while the token goes from one node to the next. */
  private readonly actsMax: number;
  fired = 0;

  constructor(seed: number, missing: readonly number[]) {
    this.missing = missing;
    this.random = new Random(seed);
    this.copies = this.random.below(2) === 0;
    this.actsMax = this.random.below(2) === 0 ? 6 : 40;
    this.nodes = new LoneNodes({ dimension: 1 + this.random.below(2) });
    const { kernels } = this.nodes;
    this.queries = kernels.map(
      ({ ipc, node, identifiers }) => new SenderQueries(ipc, node, identifiers, () => {}),
    );
    this.records = new Forgetful(missing);
    const { ports } = kernels[0]!.ipc;
    this.principal = ports.create(PORT_IN_SPACE);
    this.notify = ports.create(PORT_IN_SPACE);
    kernels[0]!.identifiers.identifierOf(this.principal);
  }

  /** Throws when no-senders fires while there are rights, or does not when there are none. */
  run(): void {
    for (let period = 0; period < PERIODS; period++) this.period(true);
    this.sweep();
    this.period(false);
    this.period(false);
    this.look();
    if (this.principal.noSendersNotify !== null) throw new Error("no-senders has not fired");
  }

  /** The token has been at node 1 and not at node 2, which has the only right: node 2 gives node 1 a copy, gets one back,
   *  and drops what it has. Both of its counts are what they were without the right that is at node 1 now. */
  private dance(): void {
    this.send(2, 1, true);
    this.accept();
    this.send(1, 2, true);
    this.accept();
    this.drop(2);
  }

  /** That race, in the second pass and in the third. */
  runThePapersRace(): void {
    this.make();
    this.flying[0] = 2;
    this.accept();
    this.queries[0]!.ask(this.principal);
    this.look();
    for (const queries of this.queries) queries.write(this.records);
    expect(this.records.count).toBe(1);
    for (const [node, queries] of this.queries.entries()) {
      this.records.markRead(0);
      queries.read(this.records, 0);
      if (node === 1) this.dance();
    }
    this.send(1, 2, false);
    this.accept();
    for (const [node, queries] of this.queries.entries()) {
      queries.confirm(this.records, 0);
      if (node === 1) this.dance();
    }
    this.queries[0]!.write(this.records);
    this.look();
  }

  private period(busy: boolean): void {
    if (busy && this.random.below(4) === 0) this.sweep();
    for (const pass of PASSES) {
      for (const queries of this.queries) {
        for (let i = busy ? this.random.below(this.actsMax) : 0; i > 0; i--) this.act();
        if (pass === "write") {
          if (this.missing.includes(EXPORTS)) this.principal.exported = false; // the home's own flag
          queries.write(this.records);
        } else {
          for (let i = 0; i < this.records.count; i++) {
            this.records.markRead(i);
            queries[pass](this.records, i);
          }
        }
        this.look();
      }
    }
  }

  get size(): number {
    return this.queries.length;
  }

  private act(): void {
    const { random } = this;
    const node = random.below(this.queries.length);
    const what = random.below(8);
    if (this.rights === 0) {
      if (random.below(30) === 0) this.make();
    } else if (what < 3 && this.flying.length > 0) this.accept();
    else if (this.portAt(node).sendRights === 0) return;
    else if (what < 6) this.sendSomewhere(node);
    else if (this.copies || what === 6) this.drop(node);
  }

  /** The receiver makes a right for another node, and wants to know when it is gone. */
  private make(): void {
    if (this.principal.noSendersNotify === null) {
      this.notify.sendOnceRights += 1;
      this.principal.noSendersNotify = this.notify;
    }
    this.principal.sendRights += 1;
    this.principal.sendsAbroad = true;
    this.send(0, 1 + this.random.below(this.queries.length - 1), false);
  }

  private sendSomewhere(node: number): void {
    const copy = this.copies && this.random.below(2) === 0;
    this.send(node, this.random.below(this.queries.length), copy);
  }

  private send(node: number, to: number, copy: boolean): void {
    const port = this.portAt(node);
    if (copy) port.sendRights += 1;
    leaveNode(port, PORT_SEND);
    if (port.sendRights === 0) this.queries[node]!.ask(port);
    this.flying.push(to);
  }

  private accept(): void {
    const [node] = this.flying.splice(this.random.below(this.flying.length), 1);
    const port = this.portAt(node!);
    enterNode(port, PORT_SEND, port.identifier);
    // A task has one right to a port, however often it comes.
    if (port.sendRights > 1) port.sendRights = 1;
  }

  /** Nobody keeps a right. */
  private sweep(): void {
    while (this.flying.length > 0) this.accept();
    for (let node = 0; node < this.queries.length; node++) {
      while (this.portAt(node).sendRights > 0) this.drop(node);
    }
  }

  private drop(node: number): void {
    const port = this.portAt(node);
    port.sendRights -= 1;
    if (port.sendRights === 0) this.queries[node]!.ask(port);
  }

  private portAt(node: number): Port {
    return this.nodes.kernels[node]!.identifiers.portOf(this.principal.identifier)!;
  }

  private get rights(): number {
    let held = this.flying.length;
    for (let node = 0; node < this.queries.length; node++) held += this.portAt(node).sendRights;
    return held;
  }

  private wasAsked = false;

  /** Has it fired since the last look? Nothing but the token fires it here, one node's part at a time. */
  private look(): void {
    const isAsked = this.principal.noSendersNotify !== null;
    const hasFired = this.wasAsked && !isAsked;
    this.wasAsked = isAsked;
    if (!hasFired) return;
    this.fired += 1;
    const { rights } = this;
    if (rights > 0) throw new Error(`no-senders fired with ${rights} send rights`);
  }
}

test("sender races: no-senders comes when the last right is gone, and not before", () => {
  let fired = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const race = new Race(seed, []);
    try {
      race.run();
    } catch (error) {
      throw new Error(`NORMACUBE_SEED=${seed}`, { cause: error });
    }
    fired += race.fired;
  }
  expect(fired).toBeGreaterThan(SEEDS);
});

/** A seed whose race has four nodes. */
const FOUR_NODES = [...Array(99).keys()].find((seed) => new Race(seed, []).size === 4)!;

test("sender races: the race of the paper, run twice, does not bring no-senders too early", () => {
  const race = new Race(FOUR_NODES, []);
  race.runThePapersRace();
  expect(race.fired).toBe(0);
});

test.each([
  ["the second count", [2, 3, 4]],
  ["the export flags", [4]],
])("sender races: without %s the race of the paper brings it too early", (_what, missing) => {
  const race = new Race(FOUR_NODES, missing);
  expect(() => race.runThePapersRace()).toThrow("no-senders fired with 1 send rights");
});

test.each([
  ["the second count", [2, 3, 4]],
  ["the transit counts", [1, 3]],
  ["the export flags", [4]],
])("sender races: without %s it comes too early, and is found", (_what, missing) => {
  let found = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    try {
      new Race(seed, missing).run();
    } catch (error) {
      expect((error as Error).message).toMatch(/^no-senders fired with \d+ send rights$/);
      found += 1;
    }
  }
  expect(found).toBeGreaterThan(0);
});
