// file-server: a server with a disk on node 0 serves files to clients on all other nodes, in replies of one
// page or two: the load that the paper's design is made for.
//   node dist/examples/file-server/main.js [DIMENSION]

import { Machine } from "normacube";
import type { ReadReport } from "./client.ts";

const dimension = Number(process.argv[2] ?? 2);

await using machine = await Machine.boot({
  dimension,
  devices: [{ node: 0, name: "sd0", bytes: 1 << 20 }],
});
await machine.spawn(0, new URL("./server.js", import.meta.url));
const clients = [];
for (let node = 1; node < machine.nodes; node++) {
  const args = { pages: 1 + (node % 2) };
  clients.push(await machine.spawn(node, new URL("./client.js", import.meta.url), { args }));
}
for (const { node, exited } of clients) {
  const { reads, bytes, wrong } = (await exited) as ReadReport;
  console.log(`node ${node}: ${bytes} bytes in ${reads} reads, ${wrong} wrong`);
}
