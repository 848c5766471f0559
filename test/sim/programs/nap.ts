// Sleeps again and again. Returns when it woke each time, ns of its node's clock.

import type { Program } from "../../../src/index.ts";

export interface NapArgs {
  readonly naps: number;
  readonly ns: number;
}

const nap: Program<NapArgs, number[]> = async (task, { naps, ns }) => {
  const wakings: number[] = [];
  for (let i = 0; i < naps; i++) {
    await task.sleep(ns);
    wakings.push(task.now());
  }
  return wakings;
};
export default nap;
