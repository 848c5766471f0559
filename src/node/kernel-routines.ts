// How a kernel server is served: a request finds its routine by id, its arguments are decoded, the server's
// own function runs, and the reply goes to the request's reply port (the kernel's ipc_kobject_server).
// It answers with a return code, or with results, which mean success; or with a promise of either, which
// keeps the request until then; or with PassedOn, and another kernel answers. `subject` is what the port
// that was called stands for: a task, say. Rights and memory among its arguments are its own from then on,
// whatever it answers; those in results are given away.

import { assert } from "../base/assert.ts";
import {
  MACH_MSG_SUCCESS,
  MIG_ARRAY_TOO_LARGE,
  MIG_BAD_ARGUMENTS,
  MIG_BAD_ID,
} from "../base/status.ts";
import type { IpcContext } from "../ipc/context.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import type { Port } from "../ipc/port.ts";
import { sendToPort } from "../ipc/queueing.ts";
import { releaseBody, releaseRight } from "../ipc/release.ts";
import { PORT_SEND } from "../ipc/rights.ts";
import type {
  Fields,
  GivenOf,
  Routine,
  RoutineShape,
  Shapes,
  Subsystem,
  TakenOf,
  Values,
} from "../mig/subsystem.ts";
import { REPLY_ID_OFFSET } from "../mig/subsystem.ts";
import { type KernelMemory, KernelReader, type KernelRight, KernelWriter } from "./kernel-items.ts";

/** In place of an answer (MIG_NO_REPLY): the request goes on, as one of `routine`, to a port that another kernel
 *  serves, and that one answers whoever called. The send right for the port and all that `args` carry are given away. */
export class PassedOn {
  readonly port: Port;
  readonly routine: Routine;
  readonly args: Values;

  constructor(port: Port, routine: Routine, args: Values) {
    this.port = port;
    this.routine = routine;
    this.args = args;
  }
}

/** What one routine's function answers: a return code, or results if the routine has any. */
type KernelAnswer<Reply extends Fields> =
  | PassedOn
  | (keyof Reply extends never ? number : number | GivenOf<Reply, KernelRight, KernelMemory>);

/** The functions of a kernel server. */
export type KernelFunctions<S extends Shapes, Subject = undefined> = {
  readonly [K in keyof S as S[K] extends RoutineShape<Fields, Fields>
    ? K
    : never]: S[K] extends RoutineShape<infer Request, infer Reply>
    ? (
        args: TakenOf<Request, KernelRight, KernelMemory>,
        subject: Subject,
        request: KernelMessage,
      ) => KernelAnswer<Reply> | Promise<KernelAnswer<Reply>>
    : never;
};

interface Entry {
  readonly routine: Routine;
  readonly call: (
    args: Values,
    subject: unknown,
    request: KernelMessage,
  ) => Answer | Promise<Answer>;
}

type Answer = number | Values | PassedOn;

export class KernelRoutines<Subject = undefined> {
  private readonly ipc: IpcContext;
  private readonly reader: KernelReader;
  private readonly writer: KernelWriter;
  private readonly entries = new Map<number, Entry>();
  private readonly wake: () => void;

  /** `wake`: called when an answer that was promised has come, since the driver may be at rest. */
  constructor(ipc: IpcContext, wake: () => void = () => {}) {
    this.wake = wake;
    this.ipc = ipc;
    this.reader = new KernelReader(ipc);
    this.writer = new KernelWriter(ipc);
  }

  /** Adds the routines of a subsystem. */
  add<S extends Shapes>(subsystem: Subsystem<S>, functions: KernelFunctions<S, Subject>): this {
    for (const routine of subsystem.routines) {
      const call = (functions as Record<string, Entry["call"]>)[routine.key];
      assert(call !== undefined && routine.hasReply, `${routine.name} can be served`);
      assert(!this.entries.has(routine.id), `id ${routine.id} has one routine`);
      this.entries.set(routine.id, { routine, call });
    }
    return this;
  }

  serve(request: KernelMessage, subject: Subject): void {
    const entry = this.entries.get(request.id);
    if (entry === undefined) {
      this.refuse(request, MIG_BAD_ID);
      return;
    }
    this.reader.begin(request);
    const args = entry.routine.decodeRequest(this.reader);
    if (args === null) {
      this.refuse(request, MIG_BAD_ARGUMENTS);
      return;
    }
    this.reader.takeRegions();
    request.complex = false; // what it carried is the function's now
    const answer = entry.call(args, subject, request);
    if (answer instanceof Promise) void this.replyLater(request, entry.routine, answer);
    else this.answer(request, entry.routine, answer);
  }

  private async replyLater(
    request: KernelMessage,
    routine: Routine,
    promise: Promise<Answer>,
  ): Promise<void> {
    this.answer(request, routine, await promise);
    this.wake();
  }

  private answer(request: KernelMessage, routine: Routine, answer: Answer): void {
    if (typeof answer === "number") this.reply(request, answer);
    else if (answer instanceof PassedOn) this.passOn(request, answer);
    else this.replyResults(request, routine, answer);
  }

  /** Destroys what the request carries. */
  private refuse(request: KernelMessage, status: number): void {
    if (request.complex) {
      releaseBody(this.ipc, request);
      request.complex = false;
    }
    this.reply(request, status);
  }

  private reply(request: KernelMessage, status: number): void {
    this.writer.begin();
    this.writer.integer(status);
    const placed = this.writer.finish(request);
    assert(placed, "a status fits everywhere");
    this.send(request);
  }

  private replyResults(request: KernelMessage, routine: Routine, results: Values): void {
    assert(routine.hasResults, `${routine.name} has results`);
    const { writer } = this;
    writer.begin();
    routine.encodeReply(writer, results);
    if (writer.finish(request)) this.send(request);
    else this.reply(request, MIG_ARRAY_TOO_LARGE);
  }

  /** The reply right stays with the request. */
  private passOn(request: KernelMessage, { port, routine, args }: PassedOn): void {
    const { ipc, writer } = this;
    writer.begin();
    routine.encodeRequest(writer, args);
    if (!writer.finish(request)) {
      releaseRight(ipc, port, PORT_SEND);
      this.reply(request, MIG_ARRAY_TOO_LARGE);
      return;
    }
    const { remote, remoteRight } = request;
    request.remote = port;
    request.remoteRight = PORT_SEND;
    request.metered = false;
    request.id = routine.id;
    releaseRight(ipc, remote!, remoteRight);
    sendToPort(ipc, request, true);
  }

  /** Turns the request into its reply. Without a reply port it just ends. */
  private send(message: KernelMessage): void {
    const { ipc } = this;
    const served = message.remote!;
    const servedRight = message.remoteRight;
    message.remote = message.local;
    message.remoteRight = message.localRight;
    message.local = null;
    message.metered = false;
    message.id += REPLY_ID_OFFSET;
    releaseRight(ipc, served, servedRight);
    if (message.remote === null) {
      this.writer.discard(message);
      ipc.pool.put(message);
      return;
    }
    const sent = sendToPort(ipc, message, true);
    assert(sent === MACH_MSG_SUCCESS, "a kernel's reply is never refused");
  }
}
