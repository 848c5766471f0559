// The packet trace of a node, as the host reads it.

import { describe, expect, test } from "@jest/globals";
import { TRACE_MARK, TRACE_NUMBER, TRACE_WORDS } from "../../src/hardware/machine-layout.ts";
import { PhysicalMemory } from "../../src/hardware/physical-memory.ts";
import {
  describeTrace,
  readTrace,
  TRACE_RECEIVE,
  TRACE_SEND,
  TraceWrapper,
} from "../../src/hardware/trace-wrapper.ts";
import { directConnect, MEMORY_KINDS, TestMachine } from "../support/machine-memory.ts";
import { explore, recordAtomics } from "../support/preempt.ts";

describe.each(MEMORY_KINDS)("trace on %s memory", (kind) => {
  const build = (traceEntries: number, reuse?: TestMachine, ringLength = 4): TestMachine => {
    const shape = { kind, dimension: 1, traceEntries, ringLength };
    const machine = new TestMachine(
      shape,
      (board, memory, clock, frames) =>
        new TraceWrapper(directConnect(board, memory, clock, frames), memory, clock),
      reuse,
    );
    for (const node of machine.nodes) node.armAll();
    return machine;
  };
  /** As the host does: through a window of its own. */
  const hostView = (machine: TestMachine, node: number): PhysicalMemory =>
    new PhysicalMemory(machine.memory.buffer, machine.layout, node);

  test("a packet is on record at its sender and at its receiver, each with its own time", () => {
    const machine = build(8);
    const [from, to] = machine.nodes;
    machine.clock.set(1_000);
    from!.send({ to: 1, number: 17, attempt: 1, inlineBytes: 64, pageBytes: 1024 });
    machine.clock.set(2_500);
    expect(to!.take()).toMatchObject({ number: 17, attempt: 1 });
    const packet = { position: 0, number: 17, attempt: 1, inlineBytes: 64, pageBytes: 1024 };
    expect(readTrace(hostView(machine, 0))).toEqual([
      { ...packet, timeNs: 1_000, event: TRACE_SEND, node: 0, peer: 1 },
    ]);
    expect(readTrace(hostView(machine, 1))).toEqual([
      { ...packet, timeNs: 2_500, event: TRACE_RECEIVE, node: 1, peer: 0 },
    ]);
  });

  test("one line says it all", () => {
    const machine = build(8);
    machine.clock.set(12_345);
    machine.nodes[1]!.send({ to: 0, number: 17, attempt: 1, inlineBytes: 64, pageBytes: 1024 });
    machine.nodes[1]!.send({ to: 0, number: 18 });
    machine.nodes[0]!.take();
    const lines = [1, 0].flatMap((node) => readTrace(hostView(machine, node)).map(describeTrace));
    expect(lines).toEqual([
      "12.345 us  1 -> 0  #17.1  64 B + page 1024 B",
      "12.345 us  1 -> 0  #18.0  0 B",
      "12.345 us  0 <- 1  #17.1  64 B + page 1024 B",
    ]);
  });

  test("a packet that poll() shows many times is received once", () => {
    const machine = build(8);
    machine.nodes[0]!.send({ to: 1, number: 1 });
    for (let i = 0; i < 5; i++) machine.nodes[1]!.network.poll();
    machine.nodes[1]!.take();
    machine.nodes[1]!.network.poll();
    expect(readTrace(hostView(machine, 1))).toHaveLength(1);
  });

  test("each packet through a ring of one descriptor is received anew", () => {
    const machine = build(8, undefined, 1);
    for (const number of [1, 2, 3]) {
      machine.nodes[0]!.send({ to: 1, number });
      machine.nodes[1]!.take();
    }
    const numbers = readTrace(hostView(machine, 1)).map((record) => record.number);
    expect(numbers).toEqual([1, 2, 3]);
  });

  test("an entry is marked as being written before it changes, and as complete after", () => {
    const machine = build(1);
    const { memory } = machine.nodes[0]!;
    const { traceAt } = memory.layout;
    const numberNow = (): number => memory.words[traceAt + TRACE_NUMBER]! >>> 8;
    machine.nodes[0]!.send({ to: 1, number: 1 });
    const seen: string[] = [];
    recordAtomics(
      () => machine.nodes[0]!.send({ to: 1, number: 2 }),
      ({ name, at, value }) => {
        if (at !== machine.board.regionAt[0]! + traceAt + TRACE_MARK) return;
        seen.push(`${name} ${value} over number ${numberNow()}`);
      },
    );
    expect(seen).toEqual(["exchange 0 over number 1", "store 2 over number 2"]);
  });

  test("a full ring keeps the last packets, oldest first, for any number of entries", () => {
    for (const entries of [1, 3, 8]) {
      const machine = build(entries);
      for (let number = 1; number <= 20; number++) {
        machine.nodes[0]!.send({ to: 1, number });
        machine.nodes[1]!.take();
        const numbers = readTrace(hostView(machine, 0)).map((record) => record.number);
        const first = Math.max(1, number - entries + 1);
        expect(numbers).toEqual(Array.from({ length: number - first + 1 }, (_, i) => first + i));
      }
    }
  });

  test("the largest packet that a board can have is recorded with its true sizes", () => {
    const shape = { kind, pageBytes: 65536, memoryBytes: 1 << 20, traceEntries: 2 };
    const machine = new TestMachine(shape, (board, memory, clock, frames) => {
      return new TraceWrapper(directConnect(board, memory, clock, frames), memory, clock);
    });
    machine.nodes[0]!.armAll();
    const packet = { number: 0xffffff, attempt: 255, inlineBytes: 192, pageBytes: 65536 };
    machine.nodes[0]!.send({ to: 0, ...packet });
    expect(readTrace(hostView(machine, 0))).toMatchObject([packet]);
  });

  test("an entry overwritten while it is read is left out, never torn", () => {
    let previous: TestMachine | undefined;
    let numbers: number[] = [];
    const seen = new Set<string>();
    const schedules = explore(() => {
      const machine = build(2, previous);
      previous = machine;
      for (const number of [1, 2]) machine.nodes[0]!.send({ to: 1, number, inlineBytes: number });
      return {
        parties: [
          () => {
            const records = readTrace(machine.nodes[0]!.memory);
            for (const record of records) expect(record.inlineBytes).toBe(record.number);
            numbers = records.map((record) => record.number);
            seen.add(numbers.join(" "));
          },
          () => {
            machine.nodes[0]!.send({ to: 1, number: 3, inlineBytes: 3 });
          },
        ],
        check: () => expect(numbers).toEqual([...numbers].sort()),
      };
    });
    expect(schedules).toBeGreaterThan(4);
    expect(seen).toEqual(new Set(["1 2", "2", "2 3"]));
  });

  test("an entry that is being written is left out", () => {
    const machine = build(2);
    for (const number of [1, 2]) machine.nodes[0]!.send({ to: 1, number });
    const view = hostView(machine, 0);
    const at = view.layout.traceAt + TRACE_WORDS;
    view.words[at + TRACE_NUMBER] = 0xc0ffee;
    view.words[at + TRACE_MARK] = 0;
    expect(readTrace(view).map((record) => record.number)).toEqual([1]);
  });
});
