// A worker thread that belongs to a peer contender, seen from the host: one question at a time,
// and every failure of the thread (error, exit) fails the question that is open, so that a bench
// run never hangs on a dead peer. Between questions the thread sleeps in its event loop.
// Its other half is peer-entry.ts.

import { once } from "node:events";
import { type Transferable, Worker } from "node:worker_threads";

/** What a peer thread posts: the answer to the open question, or why there is none. */
export type PeerReply<Answer> = { readonly answer: Answer } | { readonly failure: string };

export class PeerThread<Question, Answer> {
  private readonly worker: Worker;
  private open: { resolve(answer: Answer): void; reject(reason: Error): void } | null = null;
  private failure: Error | null = null;

  private constructor(entry: URL, data: unknown, transfer: Transferable[]) {
    this.worker = new Worker(entry, { workerData: data, transferList: transfer });
    this.worker.on("message", (reply: PeerReply<Answer>) => this.settle(reply));
    this.worker.on("error", (error: Error) => this.fail(error));
    this.worker.on("exit", (code) => this.fail(new Error(`peer thread exited with code ${code}`)));
  }

  /** Starts a thread with `data` as its workerData; resolves when its code is running. */
  static async start<Question, Answer>(
    entry: URL,
    data: unknown,
    transfer: Transferable[] = [],
  ): Promise<PeerThread<Question, Answer>> {
    const thread = new PeerThread<Question, Answer>(entry, data, transfer);
    await once(thread.worker, "online"); // rejects if the thread fails to start
    return thread;
  }

  ask(question: Question): Promise<Answer> {
    if (this.failure !== null) return Promise.reject(this.failure);
    if (this.open !== null) return Promise.reject(new Error("a question is open already"));
    return new Promise((resolve, reject) => {
      this.open = { resolve, reject };
      this.worker.postMessage(question);
    });
  }

  /** Ends the thread wherever it is, also within an endless spin. */
  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private settle(reply: PeerReply<Answer>): void {
    const { open } = this;
    this.open = null;
    if ("answer" in reply) open?.resolve(reply.answer);
    else open?.reject(new Error(reply.failure));
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.open?.reject(this.failure);
    this.open = null;
  }
}
