// typed: an interface between two nodes, without a message written by hand.
//   node dist/examples/typed/main.js

import { Machine } from "normacube";

await using machine = await Machine.boot({ dimension: 1 });
await machine.spawn(1, new URL("./server.js", import.meta.url));
const client = await machine.spawn(0, new URL("./client.js", import.meta.url));
for (const line of (await client.exited) as string[]) console.log(line);
