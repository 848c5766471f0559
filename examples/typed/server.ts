// The server: implements the clock, and strikes three times at everybody who subscribes.

import type { Program } from "normacube";
import { alarm, clock } from "./clock.ts";

const server: Program = async (task) => {
  const port = task.ports.allocate();
  await task.names.checkIn("clock", port);
  let name = "nameless";
  await clock.serve(task, port, {
    read: () => ({ node: task.node, ns: task.now() }),
    setName: ({ name: next }) => {
      const before = name;
      name = next;
      return { before };
    },
    subscribe: async ({ at }) => {
      const subscriber = alarm.client(task, at);
      for (const hour of [1, 2, 3]) await subscriber.strike({ by: name, hour });
    },
  });
};

export default server;
