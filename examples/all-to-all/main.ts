// all-to-all: every node sends a message to every other, and checks what it gets from each.
//   node dist/examples/all-to-all/main.js [DIMENSION]

import { Machine } from "normacube";

const dimension = Number(process.argv[2] ?? 3);

await using machine = await Machine.boot({ dimension });
const program = new URL("./exchanger.js", import.meta.url);
const exchangers = [];
for (let node = 0; node < machine.nodes; node++) {
  exchangers.push(await machine.spawn(node, program));
}
const sums = await Promise.all(exchangers.map((exchanger) => exchanger.exited));
console.log(`each of ${machine.nodes} nodes received from all others: ${sums.join(" ")}`);
