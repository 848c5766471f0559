// task.names: the netname service, by which programs find each other (CMU netname.defs). Every node's
// kernel has a name server, a kernel-owned port with a well-known identifier; these calls are Mach RPCs
// to it.

import { NS_PER_MS } from "../base/clock.ts";
import { KERN_NO_SPACE, NETNAME_NO_SUCH_HOST, NETNAME_NOT_CHECKED_IN } from "../base/status.ts";
import { MACH_PORT_NULL, MOVE_SEND, type PortName } from "../ipc/rights.ts";
import type { Space } from "../ipc/space.ts";
import type { Routine, Values } from "../mig/subsystem.ts";
import { MachError } from "./mach-error.ts";
import { NAME_BYTES_MAX, NAME_SERVER_SPECIAL_PORT, netname } from "./netname.ts";
import { checkLive } from "./ports.ts";
import { sendRightFor } from "./send-right.ts";
import { Caller } from "./stubs.ts";
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

const CHECK_IN = netname.routine("checkIn");
const LOOK_UP = netname.routine("lookUp");
const CHECK_OUT = netname.routine("checkOut");
const VERSION = netname.routine("version");

export class Names {
  readonly #task: Task;
  readonly #kernel: TaskKernel;
  readonly #space: Space;
  readonly #caller: Caller;

  constructor(task: Task, kernel: TaskKernel, space: Space) {
    this.#task = task;
    this.#kernel = kernel;
    this.#space = space;
    this.#caller = new Caller(task);
  }

  /** Enters a send right for `port` under `name` in this node's server. `signature`: a port of the
   *  caller that check-out (and a second check-in) must show again.
   *  NETNAME_NOT_YOURS if the name is taken with another signature. */
  async checkIn(name: string, port: PortName, signature: PortName = MACH_PORT_NULL): Promise<void> {
    const args = {
      name,
      signature: sendRightFor(this.#space, signature),
      port: sendRightFor(this.#space, port),
    };
    await this.#call(this.#kernel.node, CHECK_IN, args, `check-in of "${name}"`);
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
    const args = { name, signature: sendRightFor(this.#space, signature) };
    await this.#call(this.#kernel.node, CHECK_OUT, args, `check-out of "${name}"`);
  }

  /** What the name server of this node, or of another, says it is. NETNAME_NO_SUCH_HOST. */
  async version(host: "" | number = ""): Promise<string> {
    const node = this.#nodesToAsk(host)[0]!;
    const answer = await this.#call(node, VERSION, {}, "version");
    return answer.version as string;
  }

  async #askNode(node: number, name: string): Promise<PortName | null> {
    const answer = await this.#ask(node, LOOK_UP, { name });
    if (answer === NETNAME_NOT_CHECKED_IN) return null;
    if (typeof answer === "number") throw new MachError(answer, `look-up of "${name}"`);
    return answer.port as PortName;
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

  async #call(node: number, routine: Routine, args: Values, what: string): Promise<Values> {
    const answer = await this.#ask(node, routine, args);
    if (typeof answer === "number") throw new MachError(answer, what);
    return answer;
  }

  #ask(node: number, routine: Routine, args: Values): Promise<Values | number> {
    if (args.name !== undefined) checkName(args.name as string);
    checkLive(this.#space);
    return this.#caller.attempt(routine, this.#nameServer(node), MOVE_SEND, args, NO_OPTIONS);
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
}

const NO_OPTIONS = {};

const checkName = (name: string): void => {
  const bytes = new TextEncoder().encode(name).length;
  if (bytes > 0 && bytes <= NAME_BYTES_MAX) return;
  throw new RangeError(`name has ${bytes} bytes; it must have 1 to ${NAME_BYTES_MAX}`);
};
