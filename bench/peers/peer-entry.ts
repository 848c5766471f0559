// The inner half of peer-thread.ts: answers the host's questions, one after the other.

import { parentPort } from "node:worker_threads";
import type { PeerReply } from "./peer-thread.ts";

export function answerQuestions<Question, Answer>(
  answer: (question: Question) => Answer | Promise<Answer>,
): void {
  const host = parentPort;
  if (host === null) throw new Error("this module runs in a worker thread only");
  host.on("message", async (question: Question) => {
    const reply = await attempt(() => answer(question));
    host.postMessage(reply);
  });
}

async function attempt<Answer>(work: () => Answer | Promise<Answer>): Promise<PeerReply<Answer>> {
  try {
    return { answer: await work() };
  } catch (error) {
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
