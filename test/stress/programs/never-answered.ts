// A workload that comes to a standstill: place 1 waits for a message that nobody sends.

import type { Program } from "../../../src/index.ts";
import { Place, type WorkloadArgs } from "../../../src/stress/workload.ts";

const neverAnswered: Program<WorkloadArgs> = async (task, args) => {
  const place = new Place(task, args);
  while (place.goesOn()) place.stepDone();
  if (place.place !== 1) return;
  await task.receive(task.ports.allocate());
};

export default neverAnswered;
