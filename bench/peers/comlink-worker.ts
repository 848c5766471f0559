// Worker entry of the comlink peer (comlink.ts): exposes the echo, or calls it and measures.

import { workerData } from "node:worker_threads";
import { type Endpoint, expose, wrap } from "comlink";
import { answerQuestions } from "./peer-entry.ts";
import type { PairData, SliceQuestion } from "./peer-pair.ts";

const echo = { call: (payload: Uint8Array): Uint8Array => payload };

const { role, port } = workerData as PairData;
// Node's MessagePort is an EventTarget with start(): an Endpoint as it is, without comlink's Node
// adapter. Only the two declarations of "listener" disagree.
const endpoint = port as unknown as Endpoint;

if (role === "server") expose(echo, endpoint);
else answerQuestions(clientOf(endpoint));

function clientOf(server: Endpoint): (question: SliceQuestion) => Promise<Float64Array> {
  const remote = wrap<typeof echo>(server);
  return async ({ samples, bytes }) => {
    const slice = new Float64Array(samples);
    const payload = new Uint8Array(bytes);
    for (let i = 0; i < samples; i++) {
      const start = performance.now();
      await remote.call(payload);
      slice[i] = (performance.now() - start) * 1e6;
    }
    return slice;
  };
}
