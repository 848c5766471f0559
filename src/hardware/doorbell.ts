// The doorbell of a worker: how a packet, a freed channel or a control message gets a worker that has
// parked to look around again. Parking costs about 24 us a wake, so a bell is rung only when the
// worker says that it sleeps; a worker that is awake finds what is new by polling.
//
// The pair that loses no wake-up (Dekker): the ringer publishes, then reads the bell; the parker
// writes the bell, then looks once more at all that could have been published, then waits.
// MACHINE_AWAKE counts workers that are not parked; whoever changes the bell keeps the count.
//
// This is the one file below rank 7 that calls Atomics.wait and Atomics.notify.

import { MACHINE_AWAKE, WORKER_BELL } from "./machine-layout.ts";

export const BELL_AWAKE = 0;
export const BELL_PARKED = 1;

/** Wakes the worker whose block is at `workerAt` if it has parked. Call after publishing. */
export const ringDoorbell = (words: Int32Array, workerAt: number): void => {
  // acquire: pairs with the store in beginParking().
  if (Atomics.load(words, workerAt + WORKER_BELL) === BELL_AWAKE) return;
  wake(words, workerAt);
};

const wake = (words: Int32Array, workerAt: number): void => {
  if (!leavePark(words, workerAt)) return; // someone else rang first, or it woke by itself
  // All: a wait whose promise has not run yet may stand before the one that blocks the thread.
  Atomics.notify(words, workerAt + WORKER_BELL);
};

/** Turns the bell back to awake; true for the one caller who did it. */
const leavePark = (words: Int32Array, workerAt: number): boolean => {
  const bellAt = workerAt + WORKER_BELL;
  if (Atomics.compareExchange(words, bellAt, BELL_PARKED, BELL_AWAKE) !== BELL_PARKED) return false;
  Atomics.add(words, MACHINE_AWAKE, 1);
  return true;
};

/** Announces that the worker is about to wait. It must now look once more for work, and then call
 *  either endParking() (there was some) or one of the waits. */
export const beginParking = (words: Int32Array, workerAt: number): void => {
  // The count first: a ringer that sees the bell parked adds its one only after ours was taken off.
  Atomics.sub(words, MACHINE_AWAKE, 1);
  // release: pairs with the load in ringDoorbell().
  Atomics.store(words, workerAt + WORKER_BELL, BELL_PARKED);
};

export const endParking = (words: Int32Array, workerAt: number): void => {
  leavePark(words, workerAt);
};

/** Blocks the thread until the bell rings or `timeoutMs` has passed. */
export const waitForDoorbell = (words: Int32Array, workerAt: number, timeoutMs: number): void => {
  Atomics.wait(words, workerAt + WORKER_BELL, BELL_PARKED, timeoutMs);
  leavePark(words, workerAt);
};

/** The same without blocking the thread, for when its event loop must turn meanwhile. The promise
 *  does not keep the loop alive by itself (nodejs/node#61941): the caller holds a timer or a port. */
export const waitForDoorbellAsync = async (
  words: Int32Array,
  workerAt: number,
  timeoutMs: number,
): Promise<void> => {
  const waited = Atomics.waitAsync(words, workerAt + WORKER_BELL, BELL_PARKED, timeoutMs);
  if (waited.async) await waited.value;
  leavePark(words, workerAt);
};

/** How many workers are not parked. Stale by nature: a hint for the idle policy. */
export const workersAwake = (words: Int32Array): number => Atomics.load(words, MACHINE_AWAKE);
