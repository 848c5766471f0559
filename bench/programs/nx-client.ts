// Client of the contender nx: one slice of csend/crecv round trips, timed in batches.

import type { Program } from "../../src/index.ts";
import { nxOf } from "./nx-of-node.ts";
import {
  CALL,
  checkPayload,
  fillPayload,
  PAYLOAD_MAX,
  REPLY,
  type SliceArgs,
} from "./slice-args.ts";

const measure: Program<SliceArgs, Float64Array> = (task, slice) => {
  const { bytes, samples, batch, serverNode } = slice;
  const nx = nxOf(task);
  const request = new Int32Array(PAYLOAD_MAX / Int32Array.BYTES_PER_ELEMENT);
  const reply = new Int32Array(request.length);
  fillPayload(new Uint8Array(request.buffer), bytes);
  nx.csend(CALL, request, bytes, serverNode); // until the server is awake; not timed
  let length = nx.crecv(REPLY, reply);
  const times = new Float64Array(samples);
  for (let i = 0; i < samples; i++) {
    const start = performance.now();
    for (let call = 0; call < batch; call++) {
      nx.csend(CALL, request, bytes, serverNode);
      length = nx.crecv(REPLY, reply);
    }
    times[i] = ((performance.now() - start) * 1e6) / batch;
  }
  checkPayload(new Uint8Array(reply.buffer), length, bytes);
  return times;
};
export default measure;
