// Workload rpc: every place is a server that echoes and a client that calls any other, requests and replies of all sizes
// up to several pages.

import { Message } from "../../ipc/message.ts";
import { COPY_SEND, MAKE_SEND_ONCE, type PortName } from "../../ipc/rights.ts";
import type { Program } from "../../task/task.ts";
import { DONE_ID, sendDone, takeDone } from "../done-message.ts";
import { checkPayload, Ledger, PAYLOAD_BYTES_MIN } from "../payload.ts";
import { Place, type WorkloadArgs, type WorkloadResult } from "../workload.ts";

const CALL_ID = 1000;
/** Most requests fit a page; some do not. */
const SMALL_BYTES_MAX = 2048;
const LARGE_BYTES_MAX = 20_000;
/** One of so many requests is large. */
const LARGE_EVERY = 8;

/** Requests and replies each have an order of their own. */
const REQUESTS = 0;
const REPLIES = 1;

const rpc: Program<WorkloadArgs, WorkloadResult> = async (task, args) => {
  const place = new Place(task, args);
  const port = task.ports.allocate();
  await place.publish("server", port);
  await Promise.all([serve(place, port), call(place)]);
  return place.result();
};

const serve = async (place: Place, port: PortName): Promise<void> => {
  const { task } = place;
  const heard = new Ledger(place.place);
  const said = new Ledger(place.place);
  const request = new Message(LARGE_BYTES_MAX);
  const reply = new Message(LARGE_BYTES_MAX);
  for (let open = place.places; open > 0; ) {
    await task.receive(port, { into: request });
    if (request.id === DONE_ID) {
      takeDone(request, heard, REQUESTS);
      open -= 1;
      continue;
    }
    const { size } = request;
    const from = heard.accept(request, size, REQUESTS);
    place.messageGood();
    reply.answer(request);
    reply.size = size;
    said.write(reply, size, from, REPLIES);
    await task.send(reply);
  }
};

const call = async (place: Place): Promise<void> => {
  const { task, random } = place;
  const servers = await place.findAll("server");
  const said = new Ledger(place.place);
  const replyPort = task.ports.allocate();
  const request = new Message(LARGE_BYTES_MAX);
  const reply = new Message(LARGE_BYTES_MAX);
  request.remoteDisposition = COPY_SEND;
  const heard = new Ledger(place.place);
  while (place.goesOn()) {
    const to = place.anotherPlace();
    const most = random.below(LARGE_EVERY) === 0 ? LARGE_BYTES_MAX : SMALL_BYTES_MAX;
    request.remote = servers[to]!;
    request.local = replyPort;
    request.localDisposition = MAKE_SEND_ONCE;
    request.id = CALL_ID;
    request.size = PAYLOAD_BYTES_MIN + random.below(most - PAYLOAD_BYTES_MIN);
    said.write(request, request.size, to, REQUESTS);
    const { size } = request;
    await task.rpc(request, { into: reply });
    if (reply.size !== size) throw new Error(`a reply of ${reply.size} bytes to ${size}`);
    const from = checkPayload(reply, reply.size, place.place, REPLIES);
    if (from !== to)
      throw new Error(`place ${place.place} asked place ${to}, place ${from} answered`);
    heard.accept(reply, reply.size, REPLIES);
    place.messageGood();
    place.stepDone();
  }
  await sendDone(place, servers, said, REQUESTS);
};

export default rpc;
