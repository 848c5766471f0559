// A task that does what a test tells it, one order at a time or several at once: the calls of the task API by
// their path ("ports.allocate", "send"), with arguments and results that can be cloned. The test's end of
// the wire is peers.ts; it must not be imported here, because this runs in workers too.

import { Message } from "../../src/ipc/message.ts";
import type { PortName } from "../../src/ipc/rights.ts";
import type { ReceiveOptions, SendOptions } from "../../src/task/call-options.ts";
import { mach, machHost, machNorma, machPort } from "../../src/task/kernel-interfaces.ts";
import { MachError } from "../../src/task/mach-error.ts";
import type { Task } from "../../src/task/task.ts";
import { fromMessage, type Letter, type ReceivedLetter, toMessage } from "./peer-letter.ts";

/** A call of the task API. */
export interface Order {
  readonly path: string;
  readonly args: readonly unknown[];
  /** Sleep so long before the call, ns. */
  readonly delayNs: number;
}

/** How an order ended. */
export type Answer =
  | { readonly kind: "result"; readonly value: unknown }
  | { readonly kind: "failure"; readonly failure: Failure };

/** An error, as a record. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly code: string;
  readonly status: number;
  readonly neededBytes: number;
  /** What a failed receive received all the same. */
  readonly received: ReceivedLetter | null;
  /** What a failed send's message holds now. */
  readonly letter: ReceivedLetter | null;
  /** To send that message again: its number at the puppet. */
  readonly keptAs: number;
}

/** ReceiveOptions, with the capacity of the message to receive into in its place. */
export interface PeerReceiveOptions extends Omit<ReceiveOptions, "into"> {
  readonly capacity?: number;
}

export type PeerRpcOptions = SendOptions & PeerReceiveOptions;

/** Interfaces of kernel-owned ports, by the names that orders have for them. */
const kernelInterfaces = { machPort, mach, machHost, machNorma };
export type KernelInterfaces = typeof kernelInterfaces;

/** Where the puppets of this thread's machines are found by those who pull the strings. */
export const puppets = new Map<string, Puppet>();

export class Puppet {
  private readonly task: Task;
  /** Messages of failed sends, to be sent again. */
  private readonly kept: Message[] = [];
  private finish: () => void = () => {};
  /** Settles when the program may return. */
  readonly done: Promise<void>;

  constructor(task: Task) {
    this.task = task;
    this.done = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  /** Carries out an order. Never rejects. */
  async obey(order: Order): Promise<Answer> {
    try {
      if (order.delayNs > 0) await this.task.sleep(order.delayNs);
      return { kind: "result", value: await this.call(order.path, order.args) };
    } catch (error) {
      return { kind: "failure", failure: this.failureOf(error, null) };
    }
  }

  /** Ends the program: its task is released with all that it has. */
  end(): void {
    this.finish();
  }

  private call(path: string, args: readonly unknown[]): unknown {
    switch (path) {
      case "send":
        return this.send(toMessage(this.task, args[0] as Letter), args[1] as SendOptions);
      case "sendAgain":
        return this.send(this.kept[args[0] as number]!, args[1] as SendOptions);
      case "receive":
        return this.receive(args[0] as PortName, args[1] as PeerReceiveOptions | undefined);
      case "rpc":
        return this.rpc(args[0] as Letter, args[1] as PeerRpcOptions | undefined);
      case "kernelCall":
        return this.kernelCall(args);
      case "ping":
        return null;
      case "fillNames":
        return this.fillNames(args[0] as number);
    }
    return this.walk(path, args);
  }

  private walk(path: string, args: readonly unknown[]): unknown {
    let owner: unknown = null;
    let found: unknown = this.task;
    for (const step of path.split(".")) {
      owner = found;
      found = (owner as Record<string, unknown>)[step];
    }
    if (typeof found !== "function") return found;
    return (found as (...args: unknown[]) => unknown).apply(owner, [...args]);
  }

  /** A call to a kernel-owned port: interface, port, routine, arguments. */
  private kernelCall([which, port, routine, args]: readonly unknown[]): unknown {
    const known: Readonly<Record<string, { client(task: Task, port: PortName): unknown }>> =
      kernelInterfaces;
    const stubs = known[which as string]!.client(this.task, port as PortName);
    return (stubs as Record<string, (args: unknown) => unknown>)[routine as string]!(args);
  }

  /** Takes up all names that the task may have, but for `leave`. Returns how many it took. */
  private fillNames(leave: number): number {
    const { ports } = this.task;
    const names: PortName[] = [];
    try {
      for (;;) names.push(ports.allocate("dead-name"));
    } catch (error) {
      if (!(error instanceof MachError) || error.code !== "KERN_NO_SPACE") throw error;
    }
    for (const name of names.splice(0, leave)) ports.destroy(name);
    return names.length;
  }

  private async send(message: Message, options: SendOptions | undefined): Promise<number> {
    try {
      return await this.task.send(message, options);
    } catch (error) {
      throw this.failureOf(error, message);
    }
  }

  private async receive(
    name: PortName,
    options: PeerReceiveOptions | undefined,
  ): Promise<ReceivedLetter> {
    return fromMessage(this.task, await this.task.receive(name, withInto(options)));
  }

  private async rpc(letter: Letter, options: PeerRpcOptions | undefined): Promise<ReceivedLetter> {
    const message = toMessage(this.task, letter);
    try {
      return fromMessage(this.task, await this.task.rpc(message, withInto(options)));
    } catch (error) {
      throw this.failureOf(error, message);
    }
  }

  /** The record of an error; one that is a record already stays as it is. */
  private failureOf(error: unknown, message: Message | null): Failure {
    if (!(error instanceof Error)) return error as Failure;
    const known = error instanceof MachError;
    return {
      name: error.name,
      message: error.message,
      code: known ? error.code : "",
      status: known ? error.status : 0,
      neededBytes: known ? error.neededBytes : 0,
      received: known && error.received !== null ? fromMessage(this.task, error.received) : null,
      letter: message === null ? null : fromMessage(this.task, message),
      keptAs: message === null ? -1 : this.kept.push(message) - 1,
    };
  }
}

const withInto = (options: PeerReceiveOptions | undefined): ReceiveOptions => {
  const { capacity, ...rest } = options ?? {};
  return capacity === undefined ? rest : { ...rest, into: new Message(capacity) };
};
