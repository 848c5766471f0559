// What a task's name space does for a right in a message, each as a loop of its own, so that the optimiser
// sees one operation per loop. Every operation leaves as many rights as it found.

import { KERN_SUCCESS } from "../../src/base/status.ts";
import { copyoutRight } from "../../src/ipc/copyout.ts";
import { NO_ENTRY } from "../../src/ipc/name-table.ts";
import { COPY_SEND, MOVE_SEND, PORT_SEND } from "../../src/ipc/rights.ts";
import type { Contender } from "../harness/contender.ts";
import { SpaceFixture } from "./space-fixture.ts";

export interface SpaceOperation {
  readonly name: string;
  /** Operations behind one sample: more than reading the clock costs, less than a slice takes. */
  readonly batch: number;
  /** What it does once, in a sentence. */
  readonly sentence: string;
  readonly run: (fixture: SpaceFixture, count: number) => void;
}

export const SPACE_OPERATIONS: readonly SpaceOperation[] = [
  {
    name: "look-up",
    batch: 1000,
    sentence: "a name to its entry",
    run: (fixture, count) => {
      const { space, touched } = fixture;
      let { next } = fixture;
      let missing = 0;
      for (let i = 0; i < count; i++) {
        if (space.find(touched[next]!) === NO_ENTRY) missing += 1;
        next = next + 1 === touched.length ? 0 : next + 1;
      }
      fixture.next = next;
      check(missing);
    },
  },
  {
    name: "copyin",
    batch: 1000,
    sentence: "a copy of a send right out of the space (and its count taken back)",
    run: (fixture, count) => {
      const { space, touched } = fixture;
      let { next } = fixture;
      let failed = 0;
      for (let i = 0; i < count; i++) {
        if (space.copyinRight(touched[next]!, COPY_SEND) !== KERN_SUCCESS) failed += 1;
        space.copied!.sendRights -= 1;
        next = next + 1 === touched.length ? 0 : next + 1;
      }
      fixture.next = next;
      check(failed);
    },
  },
  {
    name: "copyout-known",
    batch: 1000,
    sentence: "a send right into the space, under the name that it has there already",
    run: (fixture, count) => {
      const { ipc, space, touched, touchedPorts } = fixture;
      let { next } = fixture;
      let failed = 0;
      for (let i = 0; i < count; i++) {
        const port = touchedPorts[next]!;
        port.sendRights += 1;
        if (copyoutRight(ipc, space, port, PORT_SEND) !== touched[next]) failed += 1;
        next = next + 1 === touched.length ? 0 : next + 1;
      }
      fixture.next = next;
      check(failed);
    },
  },
  {
    name: "copyout-new",
    batch: 100,
    sentence: "a send right moved out of the space, and in again under a new name",
    run: (fixture, count) => {
      const { ipc, space, touched } = fixture;
      let { next } = fixture;
      let failed = 0;
      for (let i = 0; i < count; i++) {
        const name = touched[next]!;
        if (space.copyinRight(name, MOVE_SEND) !== KERN_SUCCESS) failed += 1;
        const renewed = copyoutRight(ipc, space, space.copied!, PORT_SEND);
        if (renewed === name) failed += 1;
        touched[next] = renewed;
        next = next + 1 === touched.length ? 0 : next + 1;
      }
      fixture.next = next;
      check(failed);
    },
  },
];

function check(failed: number): void {
  if (failed > 0) throw new Error(`${failed} operations on a name space failed`);
}

/** How big a space and how many of its names. */
export interface SpaceSize {
  readonly names: number;
  readonly touched: number;
}

/** An operation on a space of one size, as the interleaved runner wants it. */
export class SpaceContender implements Contender {
  readonly name: string;
  readonly batch: number;
  readonly size: SpaceSize;
  private readonly operation: SpaceOperation;
  private readonly seed: number;
  private fixture: SpaceFixture | null = null;

  constructor(operation: SpaceOperation, size: SpaceSize, seed: number) {
    this.name = operation.name;
    this.batch = operation.batch;
    this.size = size;
    this.operation = operation;
    this.seed = seed;
  }

  async prepare(): Promise<void> {
    this.fixture = new SpaceFixture(this.size.names, this.size.touched, this.seed);
  }

  async slice(samples: number): Promise<Float64Array> {
    const { fixture, operation, batch } = this;
    if (fixture === null) throw new Error(`${this.name}: slice() before prepare()`);
    const times = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      const start = performance.now();
      operation.run(fixture, batch);
      times[i] = ((performance.now() - start) * 1e6) / batch;
    }
    return times;
  }

  async close(): Promise<void> {
    this.fixture = null;
  }
}
