// hello: two nodes. A greeter on node 1 answers a caller on node 0.
//   node dist/examples/hello/main.js

import { Machine } from "normacube";

await using machine = await Machine.boot({ dimension: 1 });
await machine.spawn(1, new URL("./greeter.js", import.meta.url));
const caller = await machine.spawn(0, new URL("./caller.js", import.meta.url), {
  args: { name: "hypercube" },
});
console.log(await caller.exited);
