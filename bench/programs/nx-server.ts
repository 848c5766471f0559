// Echo server of the contender nx: answers the calls of one slice, then ends.

import type { Program } from "../../src/index.ts";
import { nxOf } from "./nx-of-node.ts";
import { CALL, CLIENT_NODE, PAYLOAD_MAX, REPLY, type SliceArgs } from "./slice-args.ts";

const serve: Program<SliceArgs, void> = (task, { samples, batch }) => {
  const nx = nxOf(task);
  const payload = new Int32Array(PAYLOAD_MAX / Int32Array.BYTES_PER_ELEMENT);
  const calls = 1 + samples * batch; // one before the clock starts
  for (let call = 0; call < calls; call++) {
    const bytes = nx.crecv(CALL, payload);
    nx.csend(REPLY, payload, bytes, CLIENT_NODE);
  }
};
export default serve;
