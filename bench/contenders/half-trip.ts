// A contender that measures round trips, told as one way: half of each.

import type { Contender, Point } from "../harness/contender.ts";

export class HalfTrip implements Contender {
  readonly name: string;
  readonly batch: number;
  private readonly whole: Contender;

  constructor(whole: Contender) {
    this.name = whole.name;
    this.batch = whole.batch;
    this.whole = whole;
  }

  prepare(point: Point): Promise<void> {
    return this.whole.prepare(point);
  }

  async slice(samples: number): Promise<Float64Array> {
    return (await this.whole.slice(samples)).map((ns) => ns / 2);
  }

  close(): Promise<void> {
    return this.whole.close();
  }
}
