// Client of the suite scale: calls a server on a neighbour until it is told to stop, and counts
// its calls in a shared word of its own, which the host reads at both ends of a window. So all
// rates of a machine are taken over the very same window.

import { Message, type Program } from "../../src/index.ts";
import { newRequest } from "./mach-client.ts";
import { PAYLOAD_MAX, START_NS } from "./slice-args.ts";

/** Words between two counts: every client has a cache line of its own. */
export const COUNT_STRIDE_WORDS = 16;
/** Word 0 tells clients to stop; the first count follows a line later. */
export const STOP_WORD = 0;

export interface RateArgs {
  readonly name: string;
  readonly bytes: number;
  readonly serverNode: number;
  readonly words: Int32Array<SharedArrayBuffer>;
  /** Index of this client's count in `words`. */
  readonly countWord: number;
}

const call: Program<RateArgs, number> = async (task, args) => {
  const { name, bytes, serverNode, words, countWord } = args;
  const server = await task.names.lookUp(name, { host: serverNode, waitNs: START_NS });
  const request = newRequest(task, server, bytes);
  const options = { into: new Message(PAYLOAD_MAX) };
  let count = 0;
  // Pairs with the host's store that ends the run.
  while (Atomics.load(words, STOP_WORD) === 0) {
    await task.rpc(request, options);
    count++;
    // Read by the host at the ends of its windows.
    Atomics.store(words, countWord, count);
  }
  return count;
};
export default call;
