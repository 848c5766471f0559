// Worker entry of the raw pages peer (raw-pages.ts): one of its two threads, which sends, takes in, or both.
// The spins have no limit of their own: a slice that hangs is ended from outside (terminate).

import { workerData } from "node:worker_threads";
import { createDmaEngine } from "../../src/hardware/dma-engine.ts";
import { firstByteOf, lastByteOf } from "../programs/page-args.ts";
import { answerQuestions } from "./peer-entry.ts";
import type { RawPagesData, RawPagesQuestion } from "./raw-pages.ts";
import { inboxByte, sentWord, sourceByte, takenWord } from "./raw-pages-layout.ts";

const PAGE_BYTES = 4096;

const { thread, memory } = workerData as RawPagesData;
const other = 1 - thread;
const words = new Int32Array(memory.buffer);
const bytes = new Uint8Array(memory.buffer);
const dma = createDmaEngine(memory);
const SENT = sentWord(thread);
const TAKEN = takenWord(thread);
const OTHERS_SENT = sentWord(other);
const OTHERS_TAKEN = takenWord(other);

// Message numbers go on from slice to slice.
let sent = 0;
let taken = 0;

answerQuestions<RawPagesQuestion, Float64Array>((question) => {
  mark(question);
  const { window, samples, incoming } = question;
  const end = taken + incoming;
  const times = new Float64Array(samples);
  if (samples > 0) sendWindow(question); // until the other thread is awake; not timed
  for (let i = 0; i < samples; i++) {
    const start = performance.now();
    sendWindow(question);
    times[i] = ((performance.now() - start) * 1e6) / window;
  }
  while (taken < end) takeIn();
  if (incoming > 0) check(question);
  return times;
});

/** Sends a window of messages and waits until all have been taken in; takes in meanwhile. */
function sendWindow({ bytes: size, window, stepBytes }: RawPagesQuestion): void {
  const from = sourceByte(thread);
  for (let message = 0; message < window; message++) {
    const to = inboxByte(other) + message * size;
    for (let at = 0; at < size; at += stepBytes) dma.copy(to + at, from + at, stepBytes);
    sent++;
    // Observed by the load in the other thread's takeIn().
    Atomics.store(words, SENT, sent);
    takeIn();
  }
  // Waits for the store in the other thread's takeIn().
  while (Atomics.load(words, OTHERS_TAKEN) !== sent) takeIn();
}

function takeIn(): void {
  // Pairs with the store in sendWindow(): the data of all messages up to this number is there.
  const latest = Atomics.load(words, OTHERS_SENT);
  if (latest === taken) return;
  taken = latest;
  // Observed by the load in sendWindow().
  Atomics.store(words, TAKEN, latest);
}

function mark({ bytes: size, salt }: RawPagesQuestion): void {
  const from = sourceByte(thread);
  for (let at = 0, page = 0; at < size; at += PAGE_BYTES, page++) {
    bytes[from + at] = firstByteOf(page, salt + thread);
    bytes[from + at + PAGE_BYTES - 1] = lastByteOf(page, salt + thread);
  }
}

/** Of the last message of the last window. */
function check({ bytes: size, window, salt }: RawPagesQuestion): void {
  const inbox = inboxByte(thread) + (window - 1) * size;
  for (let at = 0, page = 0; at < size; at += PAGE_BYTES, page++) {
    const first = bytes[inbox + at];
    const last = bytes[inbox + at + PAGE_BYTES - 1];
    if (first === firstByteOf(page, salt + other) && last === lastByteOf(page, salt + other))
      continue;
    throw new Error(`page ${page} came wrong: ${first} ... ${last}`);
  }
}
