// Client stubs of interfaces: what MIG generated from a definition file. A call encodes its arguments,
// does task.rpc with a reply port of its own, and decodes the results. Failures are MachErrors:
//   MIG_SERVER_DIED     the request or its reply right was destroyed unanswered
//   MIG_REPLY_MISMATCH  the reply has another id
//   MIG_TYPE_ERROR      the reply has other items than its routine says
//   any other           the server's return code, or what send and receive say

import {
  MACH_RCV_TOO_LARGE,
  MIG_REPLY_MISMATCH,
  MIG_SERVER_DIED,
  MIG_TYPE_ERROR,
} from "../base/status.ts";
import { Message } from "../ipc/message.ts";
import {
  COPY_SEND,
  type Disposition,
  MACH_PORT_NULL,
  MAKE_SEND_ONCE,
  NOTIFY_SEND_ONCE,
  type PortName,
} from "../ipc/rights.ts";
import { MessageReader, MessageWriter } from "../mig/message-items.ts";
import type {
  Fields,
  GivenOf,
  OnewayShape,
  Routine,
  RoutineShape,
  Shapes,
  SkippedShape,
  Subsystem,
  TakenOf,
  Values,
} from "../mig/subsystem.ts";
import { MachError } from "./mach-error.ts";
import {
  releaseBodyRights,
  releaseMessageRights,
  releaseName,
  releaseRemote,
} from "./message-rights.ts";
import { ReplyPorts } from "./reply-ports.ts";
import type { Task } from "./task.ts";

export interface CallOptions {
  /** Give up after so long in each half of the call, ns: MACH_SEND_TIMED_OUT, MACH_RCV_TIMED_OUT. What the
   *  request carried is gone in either case. Default: wait for ever. */
  readonly timeoutNs?: number;
}

/** A stub's parameters: arguments if its routine has any, then options. */
type Parameters<Request extends Fields> = keyof Request extends never
  ? [args?: Record<string, never>, options?: CallOptions]
  : [args: GivenOf<Request, PortName>, options?: CallOptions];

/** What a stub returns. */
type Results<Reply extends Fields> = keyof Reply extends never
  ? Promise<void>
  : Promise<TakenOf<Reply, PortName>>;

/** One stub for each routine of an interface. */
export type Client<S extends Shapes> = {
  readonly [K in keyof S as S[K] extends SkippedShape ? never : K]: S[K] extends RoutineShape<
    infer Request,
    infer Reply
  >
    ? (...parameters: Parameters<Request>) => Results<Reply>
    : S[K] extends OnewayShape<infer Request>
      ? (...parameters: Parameters<Request>) => Promise<void>
      : never;
};

/** Makes the stubs of a subsystem for the server behind `port`, a send right of the task. */
export const makeClient = <S extends Shapes>(
  subsystem: Subsystem<S>,
  task: Task,
  port: PortName,
  defaults: CallOptions = {},
): Client<S> => {
  const caller = new Caller(task);
  const stubs: Record<string, (args?: Values, options?: CallOptions) => Promise<unknown>> = {};
  for (const routine of subsystem.routines) {
    stubs[routine.key] = routine.hasReply
      ? (args, options = defaults) => caller.call(routine, port, COPY_SEND, args, options)
      : (args, options = defaults) => caller.post(routine, port, COPY_SEND, args, options);
  }
  return stubs as unknown as Client<S>;
};

/** Bytes of a reply that need no second message. */
const REPLY_BYTES = 192;
/** Calls whose messages are kept for use again. */
const IDLE_CALLS_MAX = 8;

/** The messages of one call under way. */
class Call {
  readonly writer = new MessageWriter();
  readonly reader = new MessageReader();
  readonly reply = new Message(REPLY_BYTES);
  readonly receive = { into: this.reply };
}

/** Calls routines of any subsystem, for one task. */
export class Caller {
  readonly #task: Task;
  readonly #replyPorts: ReplyPorts;
  readonly #idle: Call[] = [];

  constructor(task: Task) {
    this.#task = task;
    this.#replyPorts = ReplyPorts.of(task);
  }

  /** Calls and resolves with the results, if the routine has any. */
  async call(
    routine: Routine,
    remote: PortName,
    disposition: Disposition,
    args: Values | undefined,
    options: CallOptions,
  ): Promise<Values | undefined> {
    const answer = await this.attempt(routine, remote, disposition, args, options);
    if (typeof answer === "number") {
      throw new MachError(answer, `${routine.name}: so says the server`);
    }
    return routine.hasResults ? answer : undefined;
  }

  /** The same, but the server's return code, if it is not success, is a value. */
  async attempt(
    routine: Routine,
    remote: PortName,
    disposition: Disposition,
    args: Values | undefined,
    options: CallOptions,
  ): Promise<Values | number> {
    const call = this.#idle.pop() ?? new Call();
    const request = this.#encode(call, routine, remote, disposition, args);
    request.local = this.#replyPort(request);
    request.localDisposition = MAKE_SEND_ONCE;
    const replyPort = request.local;
    const reply = await this.#exchange(call, request, options);
    this.#replyPorts.keep(replyPort);
    const answer = this.#answerOf(routine, call.reader, reply);
    this.#keep(call);
    return answer;
  }

  /** Sends the request of a oneway routine; resolves as task.send() does. */
  async post(
    routine: Routine,
    remote: PortName,
    disposition: Disposition,
    args: Values | undefined,
    options?: CallOptions,
  ): Promise<void> {
    const call = this.#idle.pop() ?? new Call();
    const request = this.#encode(call, routine, remote, disposition, args);
    request.local = MACH_PORT_NULL;
    request.localDisposition = 0;
    try {
      await this.#task.send(request, options);
    } catch (error) {
      if (request.remoteDisposition !== disposition) releaseMessageRights(this.#task, request);
      throw error;
    }
    this.#keep(call);
  }

  #encode(
    call: Call,
    routine: Routine,
    remote: PortName,
    disposition: Disposition,
    args: Values | undefined,
  ): Message {
    const { writer } = call;
    writer.begin();
    routine.encodeRequest(writer, args);
    const request = writer.finish();
    request.remote = remote;
    request.remoteDisposition = disposition;
    request.id = routine.id;
    return request;
  }

  /** A reply port. Without one, the right that the request would have moved is given up. */
  #replyPort(request: Message): PortName {
    try {
      return this.#replyPorts.take();
    } catch (error) {
      releaseRemote(this.#task, request);
      throw error;
    }
  }

  /** Sends the request and receives the reply. After a failure the reply port is gone: a late reply
   *  must not be taken for that of another call. */
  async #exchange(call: Call, request: Message, options: CallOptions): Promise<Message> {
    const { local } = request;
    const { timeoutNs } = options;
    try {
      const receive = timeoutNs === undefined ? call.receive : { ...call.receive, timeoutNs };
      return await this.#task.rpc(request, receive);
    } catch (error) {
      if (error instanceof MachError && error.status === MACH_RCV_TOO_LARGE) {
        // It is there, in the queue, and this time nothing limits it.
        return await this.#task.receive(local);
      }
      if (error instanceof MachError && error.received !== null) {
        releaseMessageRights(this.#task, error.received);
      }
      this.#giveUp(request, local);
      throw error;
    }
  }

  /** A failed send may have left the rights of its message here (a pseudo-receive), under names that
   *  only the message knows; the caller counts on their having been sent. */
  #giveUp(request: Message, replyPort: PortName): void {
    if (request.localDisposition !== MAKE_SEND_ONCE) {
      releaseMessageRights(this.#task, request);
      releaseName(this.#task, request.local, request.localDisposition);
    }
    this.#replyPorts.discard(replyPort);
  }

  #answerOf(routine: Routine, reader: MessageReader, reply: Message): Values | number {
    if (reply.id !== routine.replyId) {
      releaseMessageRights(this.#task, reply);
      if (reply.id === NOTIFY_SEND_ONCE) {
        throw new MachError(MIG_SERVER_DIED, `${routine.name}: the request was not answered`);
      }
      throw new MachError(
        MIG_REPLY_MISMATCH,
        `${routine.name}: the reply has id ${reply.id} instead of ${routine.replyId}`,
      );
    }
    reader.begin(reply);
    const answer = routine.decodeReply(reader);
    if (answer === null) {
      releaseBodyRights(this.#task, reply);
      throw new MachError(MIG_TYPE_ERROR, `${routine.name}: the reply has other items`);
    }
    return answer;
  }

  #keep(call: Call): void {
    if (this.#idle.length < IDLE_CALLS_MAX) this.#idle.push(call);
  }
}
