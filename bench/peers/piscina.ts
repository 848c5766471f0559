// A piscina task: the usual way to have work done by another thread. One warm thread, no timing
// records, and atomics "disabled", which for round trips is the fastest of its three ways to wait.
// The pool belongs to the main thread, as it does in nearly every program, so its half of the
// round trip is timed there.

import { Piscina } from "piscina";
import type { Contender, Point } from "../harness/contender.ts";

export class PiscinaPeer implements Contender {
  readonly name = "piscina";
  readonly batch = 1;
  private pool: Piscina<Uint8Array, Uint8Array> | null = null;
  private payload = new Uint8Array(0);

  async prepare(point: Point): Promise<void> {
    this.payload = new Uint8Array(point.bytes ?? 0);
    this.pool ??= new Piscina({
      filename: new URL("./piscina-worker.js", import.meta.url).href,
      name: "echo",
      minThreads: 1,
      maxThreads: 1,
      atomics: "disabled",
      recordTiming: false,
    });
    await this.pool.run(this.payload); // the thread is up
  }

  async slice(samples: number): Promise<Float64Array> {
    const { pool, payload } = this;
    if (pool === null) throw new Error("slice() before prepare()");
    const slice = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      const start = performance.now();
      await pool.run(payload);
      slice[i] = (performance.now() - start) * 1e6;
    }
    return slice;
  }

  async close(): Promise<void> {
    await this.pool?.destroy();
  }
}
