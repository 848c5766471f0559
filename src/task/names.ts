// task.names: the netname service, by which programs find each other (CMU netname.defs). Every node's
// kernel has a name server, a kernel-owned port with a well-known identifier; these calls are Mach RPCs
// to it.

import { NS_PER_MS } from "../base/clock.ts";
import {
  KERN_NO_SPACE,
  MACH_MSG_SUCCESS,
  NETNAME_NO_SUCH_HOST,
  NETNAME_NOT_CHECKED_IN,
} from "../base/status.ts";
import { Message } from "../ipc/message.ts";
import {
  COPY_SEND,
  type Disposition,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_SEND,
  type PortName,
  TYPE_RECEIVE,
} from "../ipc/rights.ts";
import { NO_ENTRY, type Space } from "../ipc/space.ts";
import { MachError } from "./mach-error.ts";
import {
  NAME_BYTES_MAX,
  NAME_SERVER_SPECIAL_PORT,
  NETNAME_CHECK_IN,
  NETNAME_CHECK_OUT,
  NETNAME_LOOK_UP,
} from "./netname.ts";
import { checkLive } from "./ports.ts";
import type { Task } from "./task.ts";
import type { TaskKernel } from "./task-kernel.ts";

export interface LookUpOptions {
  /** "" this node only; "*" this node, then all others in order; a number: that node. Default "*". */
  readonly host?: "" | "*" | number;
  /** Keep asking for so long if nobody has checked the name in, ns. Default 0. */
  readonly waitNs?: number;
}

/** Pause between two rounds of asking. */
const RETRY_NS = NS_PER_MS;

export class Names {
  readonly #task: Task;
  readonly #kernel: TaskKernel;
  readonly #space: Space;
  /** Reply ports not in use by a call: each call under way has one of its own. */
  readonly #replyPorts: PortName[] = [];

  constructor(task: Task, kernel: TaskKernel, space: Space) {
    this.#task = task;
    this.#kernel = kernel;
    this.#space = space;
  }

  /** Enters a send right for `port` under `name` in this node's server. `signature`: a port of the
   *  caller that check-out (and a second check-in) must show again.
   *  NETNAME_NOT_YOURS if the name is taken with another signature. */
  async checkIn(name: string, port: PortName, signature: PortName = MACH_PORT_NULL): Promise<void> {
    const request = this.#request(NETNAME_CHECK_IN, name);
    request.addRight(signature, this.#sendDisposition(signature));
    request.addRight(port, this.#sendDisposition(port));
    await this.#call(this.#kernel.node, request, `check-in of "${name}"`);
  }

  /** A send right for the port checked in under `name`. NETNAME_NOT_CHECKED_IN, NETNAME_NO_SUCH_HOST. */
  async lookUp(name: string, options: LookUpOptions = {}): Promise<PortName> {
    const nodes = this.#nodesToAsk(options.host ?? "*");
    const { waitNs = 0 } = options;
    if (!(waitNs >= 0)) throw new RangeError(`waitNs is ${waitNs}; it must be 0 or more`);
    const deadlineNs = this.#kernel.clock.now() + waitNs;
    for (;;) {
      for (const node of nodes) {
        const found = await this.#askNode(node, name);
        if (found !== null) return found;
      }
      if (this.#kernel.clock.now() >= deadlineNs) break;
      await this.#task.sleep(RETRY_NS);
    }
    throw new MachError(
      NETNAME_NOT_CHECKED_IN,
      `"${name}" is not checked in at host ${JSON.stringify(options.host ?? "*")}`,
    );
  }

  /** Removes a name. NETNAME_NOT_CHECKED_IN, NETNAME_NOT_YOURS. */
  async checkOut(name: string, signature: PortName = MACH_PORT_NULL): Promise<void> {
    const request = this.#request(NETNAME_CHECK_OUT, name);
    request.addRight(signature, this.#sendDisposition(signature));
    await this.#call(this.#kernel.node, request, `check-out of "${name}"`);
  }

  async #askNode(node: number, name: string): Promise<PortName | null> {
    const request = this.#request(NETNAME_LOOK_UP, name);
    const reply = await this.#rpc(node, request);
    const status = reply.takeInteger();
    if (status === NETNAME_NOT_CHECKED_IN) return null;
    if (status !== MACH_MSG_SUCCESS) throw new MachError(status, `look-up of "${name}"`);
    return reply.takeRight().name;
  }

  #nodesToAsk(host: "" | "*" | number): number[] {
    const { node, nodes } = this.#kernel;
    if (host === "") return [node];
    if (host === "*") {
      const others = Array.from({ length: nodes }, (_, i) => i).filter((i) => i !== node);
      return [node, ...others];
    }
    if (!Number.isInteger(host) || host < 0 || host >= nodes) {
      throw new MachError(NETNAME_NO_SUCH_HOST, `host is ${host}; 0 to ${nodes - 1}`);
    }
    return [host];
  }

  #request(id: number, name: string): Message {
    const bytes = new TextEncoder().encode(name).length;
    if (bytes === 0 || bytes > NAME_BYTES_MAX) {
      throw new RangeError(`name has ${bytes} bytes; it must have 1 to ${NAME_BYTES_MAX}`);
    }
    const request = new Message();
    request.id = id;
    return request.addText(name);
  }

  async #call(node: number, request: Message, what: string): Promise<void> {
    const status = (await this.#rpc(node, request)).takeInteger();
    if (status !== MACH_MSG_SUCCESS) throw new MachError(status, what);
  }

  async #rpc(node: number, request: Message): Promise<Message> {
    checkLive(this.#space);
    const replyPort = this.#replyPorts.pop() ?? this.#task.ports.allocate();
    try {
      request.remote = this.#nameServer(node);
      request.remoteDisposition = MOVE_SEND;
      request.local = replyPort;
      request.localDisposition = MAKE_SEND_ONCE;
      const reply = await this.#task.rpc(request);
      this.#replyPorts.push(replyPort);
      return reply;
    } catch (error) {
      // A port on which a reply may still come is not used again.
      this.#task.ports.destroy(replyPort);
      throw error;
    }
  }

  /** A send right for the server of a node, under a name of this task. */
  #nameServer(node: number): PortName {
    const server = this.#kernel.specialPort(node, NAME_SERVER_SPECIAL_PORT);
    if (this.#space.nameOf(server) === MACH_PORT_NULL && !this.#space.hasRoom) {
      throw new MachError(KERN_NO_SPACE, "the name space is full");
    }
    server.sendRights += 1; // the right that insertSend() puts under the name
    return this.#space.insertSend(server);
  }

  /** MAKE_SEND for a receive right, COPY_SEND for a send right; null as it is. */
  #sendDisposition(name: PortName): Disposition {
    const index = this.#space.find(name);
    if (index === NO_ENTRY) return COPY_SEND;
    return (this.#space.typeAt(index) & TYPE_RECEIVE) !== 0 ? MAKE_SEND : COPY_SEND;
  }
}
