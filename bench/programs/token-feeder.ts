// Keeps something on the token: every few milliseconds a port of this program dies that another node has had a right to.
// It ends when the word says so.

import { COPY_SEND, MAKE_SEND_ONCE, Message, type Program } from "../../src/index.ts";
import { FEED_NS, type FeederArgs, STOP_WORD } from "./token-args.ts";

/** Of no routine: the host's kernel answers that it does not know it. */
const REQUEST = 0x70c;

const feed: Program<FeederArgs, number> = async (task, { words, abroad }) => {
  const request = new Message(64);
  request.remote = task.host(abroad);
  request.remoteDisposition = COPY_SEND;
  request.id = REQUEST;
  let deaths = 0;
  // Pairs with the store of the benchmark that spawned it.
  while (Atomics.load(words, STOP_WORD) === 0) {
    request.local = task.ports.allocate();
    request.localDisposition = MAKE_SEND_ONCE;
    await task.rpc(request);
    task.ports.destroy(request.local);
    deaths += 1;
    await task.sleep(FEED_NS);
  }
  return deaths;
};
export default feed;
