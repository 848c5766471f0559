// Worker entry of the raw peer: client or server of the ping-pong in raw.ts, by workerData.
// The spins have no limit of their own: a slice that hangs is ended from outside (terminate).

import { workerData } from "node:worker_threads";
import { answerQuestions } from "./peer-entry.ts";
import type { RawData, RawQuestion } from "./raw.ts";
import { PING, PONG, STOP } from "./raw-layout.ts";

/** Round-trip numbers stay positive, so that none equals STOP or the initial zero. */
const NUMBER_MAX = 0x3fff_ffff;

const { role, words } = workerData as RawData;

// Numbers go on from slice to slice: the server tells a new one from the last by their difference.
let latest = 0;

if (role === "client") answerQuestions<RawQuestion, Float64Array>(measure);
else answerQuestions<RawQuestion, null>(serve);

function measure({ samples, batch }: RawQuestion): Float64Array {
  const slice = new Float64Array(samples);
  roundTrips(1); // until the server is awake; not timed
  for (let i = 0; i < samples; i++) {
    const start = performance.now();
    roundTrips(batch);
    slice[i] = ((performance.now() - start) * 1e6) / batch;
  }
  // Observed by the load in serve(), which then returns.
  Atomics.store(words, PING, STOP);
  return slice;
}

function roundTrips(count: number): void {
  for (let i = 0; i < count; i++) {
    latest = latest === NUMBER_MAX ? 1 : latest + 1;
    // Observed by the load in serve().
    Atomics.store(words, PING, latest);
    // Waits for the store in serve().
    while (Atomics.load(words, PONG) !== latest) {}
  }
}

function serve(): null {
  for (;;) {
    let ping: number;
    // Waits for the stores in roundTrips() and measure().
    do ping = Atomics.load(words, PING);
    while (ping === latest);
    latest = ping;
    if (ping === STOP) return null;
    // Observed by the load in roundTrips().
    Atomics.store(words, PONG, ping);
  }
}
