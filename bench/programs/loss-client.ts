// Client of suite loss: round trips for a given time, each timed by itself. Returns how long each took, ns; together that is the
// time of the window.

import { Message, type Program } from "../../src/index.ts";
import type { LossArgs } from "./loss-args.ts";
import { newRequest } from "./mach-client.ts";
import { checkPayload, PAYLOAD_MAX, START_NS } from "./slice-args.ts";

/** Room for the first calls; it is doubled when it is used up. */
const CALLS_FIRST = 1 << 14;

const call: Program<LossArgs, Float64Array> = async (task, args) => {
  const { name, serverNode, bytes, windowMs } = args;
  const server = await task.names.lookUp(name, { host: serverNode, waitNs: START_NS });
  const request = newRequest(task, server, bytes);
  const reply = new Message(PAYLOAD_MAX);
  const options = { into: reply };
  await task.rpc(request, options); // the server is awake; not timed
  let times = new Float64Array(CALLS_FIRST);
  let calls = 0;
  const start = performance.now();
  for (let before = start; before - start < windowMs; ) {
    await task.rpc(request, options);
    const after = performance.now();
    if (calls === times.length) {
      const longer = new Float64Array(calls * 2);
      longer.set(times);
      times = longer;
    }
    times[calls++] = (after - before) * 1e6;
    before = after;
  }
  checkPayload(reply.bytes, reply.size, bytes);
  return times.slice(0, calls);
};
export default call;
