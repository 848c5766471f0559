// Server of the large-message suites: takes requests in, answers those that carry a reply right, and checks at
// the end of each slice what the last one brought (the protocol is in page-args.ts). Waits asynchronously
// for the first message of a slice; a synchronous one then keeps its processor until the last.

import { MACH_PORT_NULL, Message, type Program, type Task } from "../../src/index.ts";
import { HeldRegion } from "./held-region.ts";
import {
  FLAG_DEALLOCATE,
  FLAG_REWRITE,
  LAST,
  LAST_REQUEST_BYTES,
  LAST_SALT,
  REPLY_SALT,
  SET_UP,
  SET_UP_FLAGS,
  SET_UP_REPLY_BYTES,
  SET_UP_SALT,
} from "./page-args.ts";
import { PageBuffer } from "./page-buffer.ts";
import { PAYLOAD_MAX, type ServerArgs } from "./slice-args.ts";

const serve: Program<ServerArgs, never> = async (task, { name, sync }) => {
  const port = task.ports.allocate("receive");
  await task.names.checkIn(name, port);
  const server = new PageServer(task);
  const message = new Message(PAYLOAD_MAX);
  const options = { into: message };
  for (;;) {
    await task.receive(port, options);
    while (sync && message.id !== LAST) {
      if (server.handle(message)) task.sendSync(server.reply);
      task.receiveSync(port, options);
    }
    if (server.handle(message)) await task.send(server.reply);
  }
};
export default serve;

class PageServer {
  readonly reply = new Message(PAYLOAD_MAX);
  private readonly task: Task;
  private readonly held: HeldRegion;
  private data: PageBuffer | null = null;

  constructor(task: Task) {
    this.task = task;
    this.held = new HeldRegion(task);
  }

  /** True if `reply` is to be sent. */
  handle(message: Message): boolean {
    if (message.id === SET_UP) this.setUp(message);
    else if (message.id === LAST) this.tearDown(message);
    else {
      this.held.take(message);
      if (message.remote === MACH_PORT_NULL) return false;
      this.data?.renew(this.reply);
    }
    this.reply.answer(message);
    return true;
  }

  /** The answer to it is the first one with the data: the client is warm when it has it. */
  private setUp({ words }: Message): void {
    const flags = words[SET_UP_FLAGS]!;
    this.data = new PageBuffer(
      this.task,
      words[SET_UP_REPLY_BYTES]!,
      words[SET_UP_SALT]! ^ REPLY_SALT,
      (flags & FLAG_DEALLOCATE) !== 0,
      (flags & FLAG_REWRITE) !== 0,
    );
    this.data.writeBody(this.reply);
    this.data.renew(this.reply);
  }

  private tearDown({ words }: Message): void {
    this.held.check(words[LAST_REQUEST_BYTES]!, words[LAST_SALT]!, null);
    this.held.release();
    this.data?.release();
    this.data = null;
    this.reply.clear();
  }
}
