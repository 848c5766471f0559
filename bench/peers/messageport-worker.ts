// Worker entry of the MessagePort peer (messageport.ts): echoing server or measuring client.

import { workerData } from "node:worker_threads";
import { answerQuestions } from "./peer-entry.ts";
import type { PairData, SliceQuestion } from "./peer-pair.ts";

const { role, port } = workerData as PairData;

if (role === "client") answerQuestions(measure);
else port.on("message", (payload: Uint8Array) => port.postMessage(payload));

function measure({ samples, bytes }: SliceQuestion): Promise<Float64Array> {
  const slice = new Float64Array(samples);
  const payload = new Uint8Array(bytes);
  return new Promise((resolve) => {
    let taken = 0;
    let start = performance.now();
    const onReply = () => {
      const now = performance.now();
      slice[taken++] = (now - start) * 1e6;
      if (taken === samples) {
        port.off("message", onReply);
        resolve(slice);
        return;
      }
      start = performance.now();
      port.postMessage(payload);
    };
    port.on("message", onReply);
    port.postMessage(payload);
  });
}
