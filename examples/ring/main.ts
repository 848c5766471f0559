// ring: a token goes round the hypercube on a Gray-code ring, every step one hop, and each node adds
// its number to it.
//   node dist/examples/ring/main.js [DIMENSION] [ROUNDS]

import { Machine } from "normacube";

const dimension = Number(process.argv[2] ?? 3);
const rounds = Number(process.argv[3] ?? 100);

await using machine = await Machine.boot({ dimension });
const program = new URL("./station.js", import.meta.url);
const stations = [];
for (let node = 0; node < machine.nodes; node++) {
  stations.push(await machine.spawn(node, program, { args: { rounds } }));
}
const sums = await Promise.all(stations.map((station) => station.exited));
const { total } = machine.stats();
console.log(`${machine.nodes} nodes, ${rounds} rounds: the token holds ${sums[0]}`);
console.log(`${total.messagesRemote} messages between nodes, ${total.packetsSent} packets`);
