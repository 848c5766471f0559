// A workload that leaves something behind: place 0 gives its name server a send right for a port of the kernel's.

import type { Program } from "../../../src/index.ts";
import { Place, type WorkloadArgs } from "../../../src/stress/workload.ts";

const leakedRight: Program<WorkloadArgs> = async (task, args) => {
  const place = new Place(task, args);
  while (place.goesOn()) place.stepDone();
  if (place.place === 0) await task.names.checkIn("left behind", task.host());
};

export default leakedRight;
