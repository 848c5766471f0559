// Client of the large-message suites: one slice of rounds, each a window of requests of which the last is
// answered; timed in batches of rounds, and checked when the clock has stopped. Ping-pong, RPC and
// stream are the same but for their shape (page-args.ts).

import { COPY_SEND, MAKE_SEND_ONCE, Message, type Program, type Task } from "../../src/index.ts";
import { HeldRegion } from "./held-region.ts";
import {
  CALL,
  FLAG_DEALLOCATE,
  FLAG_REWRITE,
  LAST,
  LAST_REQUEST_BYTES,
  LAST_SALT,
  LAST_WORDS,
  type PageSlice,
  REPLY_SALT,
  SET_UP,
  SET_UP_FLAGS,
  SET_UP_REPLY_BYTES,
  SET_UP_SALT,
  SET_UP_WORDS,
} from "./page-args.ts";
import { PageBuffer } from "./page-buffer.ts";
import { PAYLOAD_MAX, START_NS } from "./slice-args.ts";
import { StartGate } from "./start-gate.ts";

const measure: Program<PageSlice, Float64Array> = async (task, slice) => {
  const { name, serverNode } = slice;
  const server = await task.names.lookUp(name, { host: serverNode, waitNs: START_NS });
  return new PageClient(task, server, slice).run();
};
export default measure;

class PageClient {
  private readonly task: Task;
  private readonly slice: PageSlice;
  private readonly gate: StartGate;
  private readonly data: PageBuffer;
  private readonly held: HeldRegion;
  /** A request without a reply right, and one with. */
  private readonly oneway = new Message(PAYLOAD_MAX);
  private readonly call = new Message(PAYLOAD_MAX);
  /** SET_UP and LAST. */
  private readonly control = new Message(PAYLOAD_MAX);
  private readonly reply = new Message(PAYLOAD_MAX);
  private readonly options = { into: this.reply };

  constructor(task: Task, server: number, slice: PageSlice) {
    this.task = task;
    this.slice = slice;
    this.gate = new StartGate(slice.gate, slice.clients);
    this.held = new HeldRegion(task);
    const { requestBytes, salt, deallocate, rewrite } = slice;
    this.data = new PageBuffer(task, requestBytes, salt, deallocate, rewrite);
    const local = task.ports.allocate("receive");
    for (const message of [this.oneway, this.call, this.control]) {
      message.remote = server;
      message.remoteDisposition = COPY_SEND;
      message.id = CALL;
    }
    for (const message of [this.call, this.control]) {
      message.local = local;
      message.localDisposition = MAKE_SEND_ONCE;
    }
    this.data.writeBody(this.oneway);
    this.data.writeBody(this.call);
  }

  async run(): Promise<Float64Array> {
    const { task, slice, gate, held } = this;
    await this.setUp();
    await this.round(); // the server is awake; not timed
    await gate.pass(task);
    const samples = slice.sync ? this.measureSync() : await this.measureAsync();
    gate.stop();
    held.check(slice.replyBytes, slice.salt ^ REPLY_SALT, this.reply);
    while (gate.othersMeasure()) await this.round();
    await this.tearDown();
    return samples;
  }

  private measureSync(): Float64Array {
    const { samples, batch } = this.slice;
    const times = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      const start = performance.now();
      for (let round = 0; round < batch; round++) this.roundSync();
      times[i] = this.perMessage(start);
    }
    return times;
  }

  private async measureAsync(): Promise<Float64Array> {
    const { samples, batch } = this.slice;
    const times = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      const start = performance.now();
      for (let round = 0; round < batch; round++) await this.round();
      times[i] = this.perMessage(start);
    }
    return times;
  }

  private perMessage(start: number): number {
    const { batch, messagesPerRound } = this.slice;
    return ((performance.now() - start) * 1e6) / (batch * messagesPerRound);
  }

  private roundSync(): void {
    const { task, data } = this;
    for (let sent = 1; sent < this.slice.window; sent++) {
      data.renew(this.oneway);
      task.sendSync(this.oneway);
    }
    data.renew(this.call);
    task.rpcSync(this.call, this.options);
    this.held.take(this.reply);
  }

  private async round(): Promise<void> {
    const { task, data } = this;
    for (let sent = 1; sent < this.slice.window; sent++) {
      data.renew(this.oneway);
      await task.send(this.oneway);
    }
    data.renew(this.call);
    await task.rpc(this.call, this.options);
    this.held.take(this.reply);
  }

  private async setUp(): Promise<void> {
    const { control, slice } = this;
    const flags = (slice.deallocate ? FLAG_DEALLOCATE : 0) | (slice.rewrite ? FLAG_REWRITE : 0);
    control.id = SET_UP;
    control.words[SET_UP_REPLY_BYTES] = slice.replyBytes;
    control.words[SET_UP_SALT] = slice.salt;
    control.words[SET_UP_FLAGS] = flags;
    control.size = SET_UP_WORDS * Int32Array.BYTES_PER_ELEMENT;
    await this.task.rpc(control, this.options);
    this.held.take(this.reply);
  }

  private async tearDown(): Promise<void> {
    const { control, slice } = this;
    this.held.release();
    control.id = LAST;
    control.words[LAST_REQUEST_BYTES] = slice.requestBytes;
    control.words[LAST_SALT] = slice.salt;
    control.size = LAST_WORDS * Int32Array.BYTES_PER_ELEMENT;
    await this.task.rpc(control, this.options);
    this.data.release();
  }
}
