// Peers: tasks reached by a test through async methods that mirror the task API, wherever they run. A call
// that fails rejects with PeerError, which has the code and status of the MachError and, after a send, what
// the message holds now. Several calls may be outstanding at one peer.

import { BroadcastChannel } from "node:worker_threads";
import type { PortName } from "../../src/ipc/rights.ts";
import type { SendOptions } from "../../src/task/call-options.ts";
import type { Interface } from "../../src/task/interface.ts";
import type { Memory } from "../../src/task/memory.ts";
import type { Names } from "../../src/task/names.ts";
import type { Norma } from "../../src/task/norma.ts";
import type { Ports } from "../../src/task/ports.ts";
import type { Client } from "../../src/task/stubs.ts";
import type { Task } from "../../src/task/task.ts";
import type { VirtualMemory } from "../../src/task/virtual-memory.ts";
import { within } from "./machines.ts";
import type { Letter, ReceivedLetter } from "./peer-letter.ts";
import {
  type Answer,
  type Failure,
  type KernelInterfaces,
  type Order,
  type PeerReceiveOptions,
  type PeerRpcOptions,
  puppets,
} from "./puppet.ts";

/** A call that nothing answers fails its test after so long, ms. */
const PATIENCE_MS = 8000;

/** The methods of T, each of which takes its time. */
type Async<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (
    ...args: infer Args
  ) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

/** The stubs of an interface. */
type Stubs<I> = I extends Interface<infer S> ? Client<S> : never;

export interface Peer {
  /** "client", "server" or "third". */
  readonly role: string;
  readonly node: number;
  readonly ports: Async<Ports>;
  readonly names: Async<Names>;
  readonly norma: Async<Norma>;
  readonly memory: Async<Memory>;
  readonly vm: Async<VirtualMemory>;
  /** Names of send rights to the peer's own kernel port, its thread's, and a node's host port. */
  self(): Promise<PortName>;
  thread(): Promise<PortName>;
  host(node?: number): Promise<PortName>;
  hostPriv(node?: number): Promise<PortName>;
  deviceMaster(node?: number): Promise<PortName>;
  /** The calls of a kernel-owned port: kernel("machPort", port).allocate({ right: 1 }). */
  kernel<I extends keyof KernelInterfaces>(which: I, port: PortName): Stubs<KernelInterfaces[I]>;
  send(letter: Letter, options?: SendOptions): Promise<number>;
  /** Sends the message of a failed send once more, as it is now. */
  sendAgain(failed: PeerError, options?: SendOptions): Promise<number>;
  receive(name: PortName, options?: PeerReceiveOptions): Promise<ReceivedLetter>;
  rpc(letter: Letter, options?: PeerRpcOptions): Promise<ReceivedLetter>;
  machMsg(...args: Parameters<Task["machMsg"]>): Promise<number>;
  sleep(ns: number): Promise<void>;
  /** The machine's time, ns. */
  now(): Promise<number>;
  /** Interrupts the waits that said they are interruptible (thread_abort). */
  abort(): Promise<void>;
  /** Takes up all names that the task may have, but for `leave`; resolves with how many it took. */
  fillNames(leave: number): Promise<number>;
  /** Answers when all orders that were given before have been begun. */
  ping(): Promise<void>;
  /** The same peer; its calls sleep so long first, in the machine's time. */
  after(ns: number): Peer;
}

export class PeerError extends Error {
  readonly code: string;
  readonly status: number;
  readonly neededBytes: number;
  readonly received: ReceivedLetter | null;
  readonly letter: ReceivedLetter | null;
  readonly keptAs: number;

  constructor(failure: Failure, call: string) {
    super(`${call}: ${failure.message}`);
    this.name = failure.name;
    this.code = failure.code;
    this.status = failure.status;
    this.neededBytes = failure.neededBytes;
    this.received = failure.received;
    this.letter = failure.letter;
    this.keptAs = failure.keptAs;
  }
}

/** How orders get to a puppet. */
export interface Strings {
  pull(order: Order): Promise<Answer>;
  end(): void;
  /** Nothing more will come. */
  close(): void;
}

/** To a puppet of this thread. */
export class DirectStrings implements Strings {
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  async pull(order: Order): Promise<Answer> {
    return structuredClone(await puppets.get(this.name)!.obey(structuredClone(order)));
  }

  end(): void {
    puppets.get(this.name)?.end();
  }

  close(): void {}
}

/** To a puppet of another thread. */
export class ChannelStrings implements Strings {
  private readonly orders: BroadcastChannel;
  private readonly answers: BroadcastChannel;
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private nextId = 0;

  constructor(name: string) {
    this.orders = new BroadcastChannel(`${name} orders`);
    this.answers = new BroadcastChannel(`${name} answers`);
    this.answers.onmessage = (event: unknown) => {
      const { id, answer } = (event as { data: { id: number; answer: Answer } }).data;
      this.waiting.get(id)?.(answer);
      this.waiting.delete(id);
    };
  }

  pull(order: Order): Promise<Answer> {
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.orders.postMessage({ id, order });
    });
  }

  end(): void {
    this.orders.postMessage({ end: true });
  }

  close(): void {
    this.orders.close();
    this.answers.close();
  }
}

export const makePeer = (role: string, node: number, strings: Strings, delayNs = 0): Peer => {
  const call = (path: string, args: readonly unknown[]): Promise<unknown> => {
    const outcome = pull(strings, `${role}.${path}`, { path, args, delayNs });
    outcome.catch(() => {}); // a call that is outstanding when its test ends is nobody's loss
    return outcome;
  };
  const methods = (
    owner: string,
    invoke = (key: string, args: readonly unknown[]) => call(`${owner}.${key}`, args),
  ): unknown =>
    new Proxy(
      {},
      {
        get:
          (_, key) =>
          (...args: unknown[]) =>
            invoke(String(key), args),
      },
    );
  const peer = {
    role,
    node,
    ports: methods("ports"),
    names: methods("names"),
    norma: methods("norma"),
    memory: methods("memory"),
    vm: methods("vm"),
    self: () => call("self", []),
    thread: () => call("thread", []),
    host: (...args: unknown[]) => call("host", args),
    hostPriv: (...args: unknown[]) => call("hostPriv", args),
    deviceMaster: (...args: unknown[]) => call("deviceMaster", args),
    kernel: (which: string, port: PortName) =>
      methods(which, (routine, [args]) => call("kernelCall", [which, port, routine, args])),
    send: (...args: unknown[]) => call("send", args),
    sendAgain: (failed: PeerError, options?: SendOptions) =>
      call("sendAgain", [failed.keptAs, options]),
    receive: (...args: unknown[]) => call("receive", args),
    rpc: (...args: unknown[]) => call("rpc", args),
    machMsg: (...args: unknown[]) => call("machMsg", args),
    sleep: (ns: number) => call("sleep", [ns]),
    now: () => call("now", []),
    abort: () => call("abort", []),
    ping: () => call("ping", []),
    fillNames: (leave: number) => call("fillNames", [leave]),
    after: (ns: number) => makePeer(role, node, strings, ns),
  };
  return peer as unknown as Peer;
};

const pull = async (strings: Strings, call: string, order: Order): Promise<unknown> => {
  const answer = await within(PATIENCE_MS, call, strings.pull(order));
  if (answer.kind === "failure") throw new PeerError(answer.failure, call);
  return answer.value;
};
