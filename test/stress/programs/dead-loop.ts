// A workload whose place 1 never lets go of its worker's thread.

import type { Program } from "../../../src/index.ts";
import { Place, type WorkloadArgs } from "../../../src/stress/workload.ts";

const deadLoop: Program<WorkloadArgs> = async (task, args) => {
  const place = new Place(task, args);
  while (place.goesOn()) place.stepDone();
  await task.sleep(1e6); // it has been started, and its host knows
  for (; place.place === 1; );
};

export default deadLoop;
