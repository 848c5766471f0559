// The client: calls the clock by its stubs, and is a server itself for as long as it listens.

import type { Program } from "normacube";
import { alarm, clock } from "./clock.ts";

const client: Program<undefined, string[]> = async (task) => {
  const remote = clock.client(task, await task.names.lookUp("clock"));
  const { before } = await remote.setName({ name: "Big Ben" });
  const { node } = await remote.read();
  const lines = [`${before}, on node ${node}, is now Big Ben`];
  const ears = task.ports.allocate();
  const listening = alarm.serve(task, ears, {
    strike: ({ by, hour }) => {
      lines.push(`${by} strikes ${hour}`);
      if (hour === 3) task.ports.destroy(ears);
    },
  });
  await remote.subscribe({ at: ears });
  await listening;
  return lines;
};

export default client;
