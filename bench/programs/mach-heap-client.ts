// How many bytes of JavaScript heap does one rpcSync leave behind? Reads the heap of this node's
// isolate (kernel included) before and after windows of calls. A window in which the collector ran
// reads too little or negative; so the windows are short and the answer is their median. What
// reading the heap costs is measured in the same way, without calls, and taken off.

import { getHeapStatistics } from "node:v8";
import { Message, type Program } from "../../src/index.ts";
import { median } from "../harness/statistics.ts";
import { newRequest } from "./mach-client.ts";
import { LAST_CALL, PAYLOAD_MAX, type SliceArgs, START_NS } from "./slice-args.ts";

const CALLS_PER_WINDOW = 500;

const measureHeap: Program<SliceArgs, number> = async (task, slice) => {
  const { name, bytes, samples: windows, serverNode } = slice;
  const server = await task.names.lookUp(name, { host: serverNode, waitNs: START_NS });
  const request = newRequest(task, server, bytes);
  const reply = new Message(PAYLOAD_MAX);
  const options = { into: reply };
  await task.rpc(request, options);
  const call = () => {
    task.rpcSync(request, options);
  };
  growthPerWindow(windows, call); // the optimiser's own allocations
  const withCalls = growthPerWindow(windows, call);
  const without = growthPerWindow(windows, () => {});
  request.id = LAST_CALL;
  await task.rpc(request, options);
  return Math.max(0, (withCalls - without) / CALLS_PER_WINDOW);
};
export default measureHeap;

function growthPerWindow(windows: number, work: () => void): number {
  const growths: number[] = [];
  for (let i = 0; i < windows; i++) {
    const before = getHeapStatistics().used_heap_size;
    for (let call = 0; call < CALLS_PER_WINDOW; call++) work();
    const growth = getHeapStatistics().used_heap_size - before;
    if (growth >= 0) growths.push(growth); // the collector ran otherwise
  }
  if (growths.length === 0) throw new Error("the collector ran in every window");
  return median(growths);
}
