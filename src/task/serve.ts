// The server's side of interfaces: receives requests from a port (or a port set), finds their routine by
// id, calls the function that implements it, and replies (mach_msg_server and MIG's server stubs).
//   what a function returns    the results of success
//   a MachError it throws      its status; any other error: KERN_FAILURE, and a line in the task's log
//   an unknown id              MIG_BAD_ID
//   other arguments            MIG_BAD_ARGUMENTS
// As MIG has it, rights among the arguments are the function's if it succeeds; when it fails they are
// released here. A oneway request is never replied to.

import {
  KERN_FAILURE,
  KERN_RESOURCE_SHORTAGE,
  KERN_SUCCESS,
  MACH_RCV_BODY_ERROR,
  MACH_RCV_HEADER_ERROR,
  MACH_RCV_INTERRUPTED,
  MACH_RCV_INVALID_NAME,
  MACH_RCV_PORT_DIED,
  MACH_RCV_TOO_LARGE,
  MACH_SEND_INTERRUPTED,
  MACH_SEND_INVALID_DATA,
  MACH_SEND_INVALID_DEST,
  MACH_SEND_TIMED_OUT,
  MIG_BAD_ARGUMENTS,
  MIG_BAD_ID,
  withoutShortage,
} from "../base/status.ts";
import { Message } from "../ipc/message.ts";
import { MACH_PORT_DEAD, MACH_PORT_NULL, MOVE_SEND_ONCE, type PortName } from "../ipc/rights.ts";
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
import type { ReceiveOptions } from "./call-options.ts";
import { MachError } from "./mach-error.ts";
import { releaseBodyRights, releaseMessageRights, releaseRemote } from "./message-rights.ts";
import type { Task } from "./task.ts";

/** The function of a routine. */
type RoutineFunction<Request extends Fields, Reply extends Fields> = keyof Reply extends never
  ? OnewayFunction<Request>
  : (
      args: TakenOf<Request, PortName>,
      port: PortName,
    ) => GivenOf<Reply, PortName> | Promise<GivenOf<Reply, PortName>>;

type OnewayFunction<Request extends Fields> = (
  args: TakenOf<Request, PortName>,
  port: PortName,
) => void | Promise<void>;

/** The functions that implement an interface. `port`: the one that the request came to. */
export type Implementation<S extends Shapes> = {
  readonly [K in keyof S as S[K] extends SkippedShape ? never : K]: S[K] extends RoutineShape<
    infer Request,
    infer Reply
  >
    ? RoutineFunction<Request, Reply>
    : S[K] extends OnewayShape<infer Request>
      ? OnewayFunction<Request>
      : never;
};

export interface ServeOptions {
  /** Requests that may be under way at once, for functions that wait. Default 1: one after the other. */
  readonly concurrency?: number;
}

type AnyFunction = (args: Values, port: PortName) => unknown;

/** A routine with the function that implements it. */
interface Entry {
  readonly routine: Routine;
  readonly call: AnyFunction;
}

/** An interface with its implementation, for demux(). */
export class Served {
  readonly entries: readonly Entry[];

  constructor(entries: readonly Entry[]) {
    this.entries = entries;
  }
}

/** Joins routines to their functions. TypeError when one is missing. */
export const implement = <S extends Shapes>(
  subsystem: Subsystem<S>,
  implementation: Implementation<S>,
): Served => {
  const functions = implementation as unknown as Record<string, AnyFunction | undefined>;
  return new Served(
    subsystem.routines.map((routine) => {
      const call = functions[routine.key];
      if (typeof call !== "function") throw new TypeError(`${routine.name} is not implemented`);
      return { routine, call: call.bind(implementation) };
    }),
  );
};

/** Serves several interfaces on one port. RangeError when their ids overlap. */
export const demux = (...served: readonly Served[]): Demux => new Demux(served);

export class Demux {
  readonly #entries = new Map<number, Entry>();

  constructor(served: readonly Served[]) {
    for (const entry of served.flatMap(({ entries }) => entries)) {
      const { id, name } = entry.routine;
      const other = this.#entries.get(id);
      if (other !== undefined) {
        throw new RangeError(`${name} and ${other.routine.name} have the same id, ${id}`);
      }
      this.#entries.set(id, entry);
    }
  }

  /** Serves `port`, a receive right or port set of the task, until it dies or the machine is halted;
   *  resolves when the requests under way have been answered.
   *  Rejects with MACH_RCV_INVALID_NAME when there is no such right at the start. */
  async serve(task: Task, port: PortName, options: ServeOptions = {}): Promise<void> {
    const { concurrency = 1 } = options;
    if (!(concurrency >= 1)) throw new RangeError(`concurrency is ${concurrency}; 1 or more`);
    await new Server(task, port, this.#entries, concurrency).run();
  }
}

/** After these the message, unsent, is still the task's. */
const STILL_OURS: readonly number[] = [
  MACH_SEND_INVALID_DEST,
  MACH_SEND_INVALID_DATA,
  MACH_SEND_TIMED_OUT,
];

/** The messages of one request under way. */
class Request {
  readonly reader = new MessageReader();
  readonly writer = new MessageWriter();
  readonly buffer = new Message();
  readonly receive = { into: this.buffer };
}

/** One run of serve(). */
class Server {
  readonly #task: Task;
  readonly #port: PortName;
  readonly #entries: ReadonlyMap<number, Entry>;
  readonly #concurrency: number;
  readonly #idle: Request[] = [];
  readonly #underWay = new Set<Promise<void>>();

  constructor(
    task: Task,
    port: PortName,
    entries: ReadonlyMap<number, Entry>,
    concurrency: number,
  ) {
    this.#task = task;
    this.#port = port;
    this.#entries = entries;
    this.#concurrency = concurrency;
  }

  async run(): Promise<void> {
    for (let first = true; ; first = false) {
      while (this.#underWay.size >= this.#concurrency) await Promise.race(this.#underWay);
      const request = this.#idle.pop() ?? new Request();
      const message = await this.#next(request, first);
      if (message === null) break;
      const handled = this.#handle(request, message);
      if (handled === null) {
        this.#idle.push(request);
        continue;
      }
      if (this.#concurrency === 1) {
        await handled;
        this.#idle.push(request);
        continue;
      }
      const done = handled.then(() => {
        this.#underWay.delete(done);
        this.#idle.push(request);
      });
      this.#underWay.add(done);
    }
    await Promise.all(this.#underWay);
  }

  /** The next request; null when there will be none. */
  async #next(
    request: Request,
    first: boolean,
    options: ReceiveOptions = request.receive,
  ): Promise<Message | null> {
    try {
      return await this.#task.receive(this.#port, options);
    } catch (error) {
      if (!(error instanceof MachError)) throw error;
      switch (withoutShortage(error.status)) {
        case MACH_RCV_TOO_LARGE:
          return await this.#next(request, first, {});
        case MACH_RCV_BODY_ERROR:
          // The name space is full: some of its rights are lost.
          releaseBodyRights(this.#task, error.received!);
          await this.#refuse(request, error.received!, KERN_RESOURCE_SHORTAGE);
          return await this.#next(request, false);
        case MACH_RCV_HEADER_ERROR:
          return await this.#next(request, false); // there is nobody to answer
        case MACH_RCV_PORT_DIED:
        case MACH_RCV_INTERRUPTED:
          return null;
        case MACH_RCV_INVALID_NAME:
          // Between two requests nobody waits on the port, and so nobody is told that it died.
          if (!first) return null;
          throw error;
        default:
          throw error;
      }
    }
  }

  /** Null when the request is done with. */
  #handle(request: Request, message: Message): Promise<void> | null {
    const entry = this.#entries.get(message.id);
    if (entry === undefined) {
      releaseBodyRights(this.#task, message);
      return this.#refuse(request, message, MIG_BAD_ID);
    }
    const { routine, call } = entry;
    request.reader.begin(message);
    const args = routine.decodeRequest(request.reader);
    // Who asked for a reply where none is given is told so by a send-once notification.
    if (!routine.hasReply) releaseRemote(this.#task, message);
    if (args === null) {
      releaseBodyRights(this.#task, message);
      return this.#refuse(request, message, MIG_BAD_ARGUMENTS);
    }
    let answer: unknown;
    try {
      answer = call(args, message.local);
    } catch (error) {
      return this.#fail(request, message, routine, error);
    }
    if (isPromise(answer)) return this.#later(request, message, routine, answer);
    return this.#succeed(request, message, routine, answer);
  }

  async #later(
    request: Request,
    message: Message,
    routine: Routine,
    answer: PromiseLike<unknown>,
  ): Promise<void> {
    let results: unknown;
    try {
      results = await answer;
    } catch (error) {
      await this.#fail(request, message, routine, error);
      return;
    }
    await this.#succeed(request, message, routine, results);
  }

  #succeed(
    request: Request,
    message: Message,
    routine: Routine,
    results: unknown,
  ): Promise<void> | null {
    if (!routine.hasReply) return null;
    const { writer } = request;
    writer.begin();
    try {
      routine.encodeReply(writer, results as Values);
    } catch (error) {
      return this.#fail(request, message, routine, error);
    }
    return this.#reply(writer.finish(), message);
  }

  /** The function failed: its arguments' rights are released, and the client is told. */
  #fail(
    request: Request,
    message: Message,
    routine: Routine,
    error: unknown,
  ): Promise<void> | null {
    releaseBodyRights(this.#task, message);
    let status = KERN_FAILURE;
    if (error instanceof MachError && error.status !== KERN_SUCCESS) status = error.status;
    else this.#task.log(`${routine.name} failed: ${error instanceof Error ? error.stack : error}`);
    return this.#refuse(request, message, status);
  }

  #refuse(request: Request, message: Message, status: number): Promise<void> | null {
    if (message.remote === MACH_PORT_NULL) return null;
    const { writer } = request;
    writer.begin();
    writer.integer(status);
    return this.#reply(writer.finish(), message);
  }

  /** Sends the reply. A client that is gone, or that gave no reply port, loses what it would have got. */
  async #reply(reply: Message, message: Message): Promise<void> {
    reply.answer(message);
    if (message.remote === MACH_PORT_NULL || message.remote === MACH_PORT_DEAD) {
      releaseBodyRights(this.#task, reply);
      return;
    }
    try {
      // Only a send-once right is sure to have room: a server does not wait for a client's queue.
      if (reply.remoteDisposition === MOVE_SEND_ONCE) await this.#task.send(reply);
      else await this.#task.send(reply, { timeoutNs: 0 });
    } catch (error) {
      if (!(error instanceof MachError)) throw error;
      if (error.status === MACH_SEND_INTERRUPTED) return;
      if (STILL_OURS.includes(error.status)) releaseMessageRights(this.#task, reply);
      if (error.status === MACH_SEND_INVALID_DEST) return;
      this.#task.log(`the reply ${reply.id} could not be sent: ${error.message}`);
    }
  }
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
