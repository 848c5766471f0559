// A Comlink endpoint over a pair of Mach ports: a receive right here, a send right for the peer's. Values
// are cloned (node:v8), cut into pieces that fit a message, and sent in order. It is a Comlink endpoint
// and no general one, because Comlink alone would wait for ever for a peer that is gone:
//   - it knows the calls under way, and answers them with a MachError when the peer dies, when the task's
//     own right does, or at halt;
//   - a MachError that was thrown at the peer gets its code and status back;
//   - ids on the wire are small numbers in order and stacks stay where they are (they are text of the engine, which
//     names the host's files), so that a simulation stays the same run;
//   - after a release both sides give up their rights.

import { MIG_SERVER_DIED, statusOf } from "../base/status.ts";
import type { Message } from "../ipc/message.ts";
import {
  COPY_SEND,
  MACH_PORT_NULL,
  NOTIFY_DEAD_NAME,
  type PortName,
  TYPE_DEAD_NAME,
} from "../ipc/rights.ts";
import { MessageReader } from "../mig/message-items.ts";
import type { Routine, Values } from "../mig/subsystem.ts";
import { endpointProtocol, fromBytes, PIECE_BYTES, toBytes } from "./endpoint-protocol.ts";
import { Interface } from "./interface.ts";
import { MachError } from "./mach-error.ts";
import { quietly, releaseMessageRights } from "./message-rights.ts";
import { demux } from "./serve.ts";
import { Caller } from "./stubs.ts";
import type { Task } from "./task.ts";

const MEET = endpointProtocol.routine("meet");
const POST = endpointProtocol.routine("post");
const CONNECT = endpointProtocol.routine("connect");

/** A listener as Comlink adds them. */
type Listener =
  | ((event: { data: unknown }) => void)
  | { handleEvent(event: { data: unknown }): void };

/** Comlink's messages, as far as they matter here. */
interface Wire {
  readonly id?: unknown;
  readonly type?: unknown;
  readonly name?: unknown;
  readonly value?: unknown;
}

const REQUESTS: readonly unknown[] = ["GET", "SET", "APPLY", "CONSTRUCT", "ENDPOINT", "RELEASE"];
const RESPONSES: readonly unknown[] = ["RAW", "HANDLER"];

/** The answer to Comlink.createEndpoint, which would make a MessageChannel. */
const NO_CHANNELS = {
  type: "HANDLER",
  name: "throw",
  value: {
    isError: true,
    value: {
      name: "TypeError",
      message: "a MessagePort cannot go to another node: connect() to the port once more instead",
      stack: "",
    },
  },
};

/** A call under way: Comlink's own id for it. */
interface Pending {
  readonly id: unknown;
  readonly isRelease: boolean;
}

/** Something to send. */
interface Outgoing {
  readonly routine: Routine;
  readonly args: Values;
}

/** An object that may be transferred through an endpoint: `serve` makes a new endpoint answer for it. */
export interface Offer {
  serve(endpoint: PortEndpoint): void;
  /** It is not transferred after all. */
  drop(): void;
}

/** What stands for an object in a list of transferables, and the object behind it. */
export const offers = new WeakMap<object, Offer>();

export class PortEndpoint {
  readonly #task: Task;
  readonly #caller: Caller;
  readonly #receive: PortName;
  #send: PortName;
  readonly #listeners = new Set<Listener>();
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  readonly #queue: Outgoing[] = [];
  #pumping = false;
  #receiving = false;
  /** A dead-name request has been made for the send right. */
  #watching = false;
  /** Why it was closed. */
  #end: MachError | null = null;
  /** Id of the peer's request to release; its response is the last thing sent. */
  #releaseId: unknown = null;
  #leaving = false;
  /** Of the value that is arriving. */
  #pieces: Uint8Array[] = [];
  #rights: PortName[] = [];

  /** Both rights are the endpoint's from now on. `send` null: the peer will say where it is. */
  constructor(task: Task, receive: PortName, send: PortName) {
    this.#task = task;
    this.#caller = new Caller(task);
    this.#receive = receive;
    this.#send = send;
  }

  get isClosed(): boolean {
    return this.#end !== null;
  }

  /** Sends a clone of `message`. Of what is transferred, objects made by Comlink.proxy() get ports of their
   *  own; memory is copied all the same, for nodes share none. */
  postMessage(message: unknown, transfer: readonly object[] = []): void {
    const places = transfer.filter((one) => offers.has(one));
    const wire = message as Wire | null;
    const isRequest = REQUESTS.includes(wire?.type) && typeof wire?.id === "string";
    const id = this.#lastId + 1;
    let written: Uint8Array;
    try {
      written = toBytes(isRequest ? { ...wire, id } : withoutStack(message), places);
    } catch (error) {
      for (const place of places) offers.get(place)!.drop();
      throw error;
    }
    if (isRequest) {
      this.#lastId = id;
      this.#pending.set(id, { id: wire.id, isRelease: wire.type === "RELEASE" });
    }
    if (this.#end !== null) {
      for (const place of places) offers.get(place)!.drop();
      this.#failPending(this.#end);
      return;
    }
    const rights = places.map((place) => this.#offer(offers.get(place)!));
    this.#enqueueValue(written, rights);
    if (this.#releaseId !== null && wire?.id === this.#releaseId) this.#leaving = true;
  }

  addEventListener(_type: string, listener: unknown): void {
    this.#listeners.add(listener as Listener);
  }

  removeEventListener(_type: string, listener: unknown): void {
    this.#listeners.delete(listener as Listener);
  }

  /** Begins to receive. Comlink calls it. */
  start(): void {
    if (this.#receiving || this.isClosed) return;
    this.#receiving = true;
    this.#watch();
    void this.#receiveAll();
  }

  /** Gives up both rights; calls under way fail with MIG_SERVER_DIED. */
  close(): void {
    this.#close(new MachError(MIG_SERVER_DIED, "the endpoint was closed"));
  }

  /** Says where this end is, before anything else. */
  introduce(): this {
    this.#enqueue(MEET, { peer: this.#receive });
    return this;
  }

  // --- sending ----------------------------------------------------------------------------------

  #enqueueValue(written: Uint8Array, rights: readonly PortName[]): void {
    let at = 0;
    do {
      const piece = written.subarray(at, at + PIECE_BYTES);
      const left = written.length - at - piece.length;
      this.#enqueue(POST, { rights: at === 0 ? rights : [], left, piece });
      at += PIECE_BYTES;
    } while (at < written.length);
  }

  #enqueue(routine: Routine, args: Values): void {
    this.#queue.push({ routine, args });
    if (!this.#pumping && this.#send !== MACH_PORT_NULL) void this.#pump();
  }

  /** One message after the other: a send that waits must not be overtaken. */
  async #pump(): Promise<void> {
    this.#pumping = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        await this.#caller.post(next.routine, this.#send, COPY_SEND, next.args);
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#pumping = false;
    if (this.#leaving) this.close();
  }

  /** A pair of ports for an offered object, of which one end is here: the name of its receive right. */
  #offer(offer: Offer): PortName {
    const name = this.#task.ports.allocate();
    offer.serve(new PortEndpoint(this.#task, name, MACH_PORT_NULL));
    return name;
  }

  // --- receiving --------------------------------------------------------------------------------

  async #receiveAll(): Promise<void> {
    const reader = new MessageReader();
    try {
      while (!this.isClosed) this.#take(reader, await this.#task.receive(this.#receive));
    } catch (error) {
      this.#fail(error);
    }
  }

  #take(reader: MessageReader, message: Message): void {
    const routine = message.id === POST.id ? POST : message.id === MEET.id ? MEET : null;
    reader.begin(message);
    const args = routine?.decodeRequest(reader) ?? null;
    if (message.id === NOTIFY_DEAD_NAME && message.remote === MACH_PORT_NULL) {
      this.#close(new MachError(MIG_SERVER_DIED, "the peer's port has died"));
    } else if (args === null) {
      releaseMessageRights(this.#task, message); // not from an endpoint
    } else if (routine === POST) {
      this.#takePiece(args as { rights: PortName[]; left: number; piece: Uint8Array });
    } else {
      this.#meet(args.peer as PortName);
    }
  }

  #meet(peer: PortName): void {
    if (this.#send !== MACH_PORT_NULL) this.#dropSend();
    this.#send = peer;
    this.#watch();
    if (!this.#pumping) void this.#pump();
  }

  #takePiece({
    rights,
    left,
    piece,
  }: {
    rights: PortName[];
    left: number;
    piece: Uint8Array;
  }): void {
    this.#rights.push(...rights);
    this.#pieces.push(piece);
    if (left > 0) return;
    const written = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces);
    const places = this.#rights.map((name) => this.#peerAt(name));
    this.#pieces = [];
    this.#rights = [];
    this.#deliver(fromBytes(written, places));
  }

  /** Asks to be told, on the endpoint's own port, when the peer's dies. */
  #watch(): void {
    if (this.#send === MACH_PORT_NULL || !this.#receiving) return;
    quietly(() => {
      const { ports } = this.#task;
      const before = ports.requestNotification(this.#send, NOTIFY_DEAD_NAME, 1, this.#receive);
      this.#watching = true;
      if (before !== MACH_PORT_NULL) ports.deallocate(before);
    });
  }

  /** The end of a new pair whose other end is at `name`. */
  #peerAt(name: PortName): PortEndpoint {
    return new PortEndpoint(this.#task, this.#task.ports.allocate(), name).introduce();
  }

  #deliver(data: unknown): void {
    const wire = data as Wire | null;
    const isResponse = RESPONSES.includes(wire?.type);
    if (!isResponse) {
      if (wire?.type === "RELEASE") this.#releaseId = wire.id;
      if (wire?.type === "ENDPOINT") this.postMessage({ ...NO_CHANNELS, id: wire.id });
      else this.#dispatch(data);
      return;
    }
    const pending = this.#pending.get(wire?.id as number);
    if (pending === undefined) return;
    this.#pending.delete(wire?.id as number);
    this.#dispatch({ ...withStatus(wire!), id: pending.id });
    if (pending.isRelease) this.close();
  }

  #dispatch(data: unknown): void {
    for (const listener of [...this.#listeners]) {
      try {
        if (typeof listener === "function") listener({ data });
        else listener.handleEvent({ data });
      } catch (error) {
        this.#task.log(`a listener of an endpoint failed: ${String(error)}`);
      }
    }
  }

  // --- end --------------------------------------------------------------------------------------

  #fail(error: unknown): void {
    if (this.isClosed) return;
    if (error instanceof MachError && error.received !== null) {
      releaseMessageRights(this.#task, error.received);
    }
    if (!(error instanceof MachError)) this.#task.log(`an endpoint failed: ${String(error)}`);
    this.#close(
      error instanceof MachError ? error : new MachError(MIG_SERVER_DIED, "the endpoint failed"),
    );
  }

  #close(why: MachError): void {
    if (this.isClosed) return;
    this.#end = why;
    this.#queue.length = 0;
    quietly(() => this.#task.ports.destroy(this.#receive));
    if (this.#send !== MACH_PORT_NULL) this.#dropSend();
    for (const name of this.#rights) quietly(() => this.#task.ports.deallocate(name));
    this.#failPending(why);
  }

  /** Gives up the send right. A dead name has one more reference, which came with the notification. */
  #dropSend(): void {
    const { ports } = this.#task;
    quietly(() => {
      const isDead = (ports.type(this.#send) & TYPE_DEAD_NAME) !== 0;
      ports.deallocate(this.#send);
      if (isDead && this.#watching) ports.deallocate(this.#send);
    });
    this.#watching = false;
  }

  /** Answers what will not be answered by anybody else. */
  #failPending(why: MachError): void {
    const { message, name, stack, code, status } = why;
    const value = { isError: true, value: { message, name, stack, code, status } };
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { id } of pending) this.#dispatch({ id, type: "HANDLER", name: "throw", value });
  }
}

/** Comlink's message that an Error was thrown, if it is one. */
interface Thrown extends Wire {
  readonly value: { readonly isError: true; readonly value: { readonly [field: string]: unknown } };
}

const isThrown = (message: unknown): message is Thrown => {
  const wire = message as Wire | null;
  if (wire?.type !== "HANDLER" || wire.name !== "throw") return false;
  return (wire.value as { isError?: unknown }).isError === true;
};

/** The peer's error has the stack of where it was made there. */
const withoutStack = (message: unknown): unknown => {
  if (!isThrown(message)) return message;
  const { stack, ...error } = message.value.value;
  return { ...message, value: { ...message.value, value: error } };
};

/** Comlink carries name and message of an error only; what a MachError has besides is in its text. */
const withStatus = (wire: Wire): Wire => {
  if (!isThrown(wire) || wire.value.value.name !== "MachError") return wire;
  const code = String(wire.value.value.message).split(":", 1)[0]!;
  return {
    ...wire,
    value: { ...wire.value, value: { ...wire.value.value, code, status: statusOf(code) } },
  };
};

/** Asks the task that listens behind `port`, a send right, for a pair of ports: this end of it.
 *  Rejects as a call does. */
export const connect = async (task: Task, port: PortName): Promise<PortEndpoint> => {
  const receive = task.ports.allocate();
  try {
    const caller = new Caller(task);
    const answer = await caller.call(CONNECT, port, COPY_SEND, { client: receive }, {});
    return new PortEndpoint(task, receive, answer?.server as PortName);
  } catch (error) {
    quietly(() => task.ports.destroy(receive));
    throw error;
  }
};

/** Answers whoever connects to `port`, a receive right, and calls `found` with this end of each pair.
 *  Resolves when the port dies or the machine is halted. */
export const listen = (
  task: Task,
  port: PortName,
  found: (endpoint: PortEndpoint) => void,
): Promise<void> => {
  const served = new Interface(endpointProtocol).implement({
    connect: ({ client }) => {
      const server = task.ports.allocate();
      found(new PortEndpoint(task, server, client));
      return { server };
    },
    meet: ({ peer }) => task.ports.deallocate(peer), // for an endpoint, and this is none
    post: ({ rights }) => {
      for (const name of rights) task.ports.deallocate(name);
    },
  });
  return demux(served).serve(task, port);
};
