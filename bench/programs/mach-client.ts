// Client of the contenders mach and mach-sync: one slice of round trips, timed in batches.

import { COPY_SEND, MAKE_SEND_ONCE, Message, type Program, type Task } from "../../src/index.ts";
import {
  CALL,
  checkPayload,
  fillPayload,
  LAST_CALL,
  PAYLOAD_MAX,
  type SliceArgs,
  START_NS,
} from "./slice-args.ts";

const measure: Program<SliceArgs, Float64Array> = async (task, slice) => {
  const { name, serverNode } = slice;
  const server = await task.names.lookUp(name, { host: serverNode, waitNs: START_NS });
  const request = newRequest(task, server, slice.bytes);
  const reply = new Message(PAYLOAD_MAX);
  await task.rpc(request, { into: reply }); // the server is awake; not timed
  const samples = slice.sync
    ? measureSync(task, request, reply, slice)
    : await measureAsync(task, request, reply, slice);
  request.id = LAST_CALL;
  await task.rpc(request, { into: reply });
  checkPayload(reply.bytes, reply.size, slice.bytes);
  return samples;
};
export default measure;

/** A request that can be sent again and again: names and dispositions stay as they are. */
export function newRequest(task: Task, server: number, bytes: number): Message {
  const request = new Message(PAYLOAD_MAX);
  request.remote = server;
  request.remoteDisposition = COPY_SEND;
  request.local = task.ports.allocate("receive");
  request.localDisposition = MAKE_SEND_ONCE;
  request.id = CALL;
  fillPayload(request.bytes, bytes);
  request.size = bytes;
  return request;
}

function measureSync(task: Task, request: Message, reply: Message, slice: SliceArgs): Float64Array {
  const samples = new Float64Array(slice.samples);
  const options = { into: reply };
  for (let i = 0; i < slice.samples; i++) {
    const start = performance.now();
    for (let call = 0; call < slice.batch; call++) task.rpcSync(request, options);
    samples[i] = ((performance.now() - start) * 1e6) / slice.batch;
  }
  return samples;
}

async function measureAsync(
  task: Task,
  request: Message,
  reply: Message,
  slice: SliceArgs,
): Promise<Float64Array> {
  const samples = new Float64Array(slice.samples);
  const options = { into: reply };
  for (let i = 0; i < slice.samples; i++) {
    const start = performance.now();
    for (let call = 0; call < slice.batch; call++) await task.rpc(request, options);
    samples[i] = ((performance.now() - start) * 1e6) / slice.batch;
  }
  return samples;
}
