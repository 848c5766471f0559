// Serves the special ports of a node (CMU norma/ipc_special.c): what anybody finds by a node and a number.
//   up to HOST_PRIV_SPECIAL_PORT   kernel-owned, and nobody can replace them. Any node makes a right to that of any other
//                                  without asking, since their local ids are these numbers
//   the others                     slots, each with a send right or empty. Asking another node for one is passed on to it
// A slot holds its right, so that the port has a sender as long as it is registered. One whose port has died is emptied
// when next it is looked at, or when forgetDead() looks at all.

import { KERN_INVALID_ARGUMENT, KERN_INVALID_VALUE, KERN_SUCCESS } from "../base/status.ts";
import type { IpcContext } from "../ipc/context.ts";
import { PORT_DEAD, type Port } from "../ipc/port.ts";
import { releaseRight } from "../ipc/release.ts";
import { PORT_SEND } from "../ipc/rights.ts";
import { machNorma } from "../task/kernel-interfaces.ts";
import { NAME_SERVER_SPECIAL_PORT } from "../task/netname.ts";
import { HOST_PRIV_SPECIAL_PORT, SPECIAL_PORT_MAX } from "../task/special-ports.ts";
import type { KernelRight } from "./kernel-items.ts";
import { PassedOn } from "./kernel-routines.ts";
import { copySend } from "./kernel-task.ts";

/** What special ports need of their kernel. */
export interface SpecialPortsHost {
  readonly ipc: IpcContext;
  readonly node: number;
  readonly nodes: number;
  readonly specialSlots: SpecialSlots;
  /** The port behind a local id that every node has: the principal here, a proxy elsewhere. */
  specialPort(node: number, localId: number): Port;
}

const GET_SPECIAL_PORT = machNorma.subsystem.routine("getSpecialPort");

export class SpecialPorts {
  private readonly host: SpecialPortsHost;

  constructor(host: SpecialPortsHost) {
    this.host = host;
  }

  get(node: number, which: number): number | { port: KernelRight } | PassedOn {
    const { host } = this;
    if (!(which >= 1 && which <= SPECIAL_PORT_MAX)) return KERN_INVALID_ARGUMENT;
    if (!(node >= 0 && node < host.nodes)) return KERN_INVALID_ARGUMENT;
    if (which <= HOST_PRIV_SPECIAL_PORT) return { port: copySend(host.specialPort(node, which)) };
    if (node === host.node) return { port: copySend(host.specialSlots.get(which)) };
    const there = copySend(host.specialPort(node, HOST_PRIV_SPECIAL_PORT))!;
    return new PassedOn(there, GET_SPECIAL_PORT, { node, which });
  }

  set(which: number, port: KernelRight): number {
    const { ipc, specialSlots } = this.host;
    if (which > HOST_PRIV_SPECIAL_PORT && which <= SPECIAL_PORT_MAX) {
      specialSlots.put(which, port);
      return KERN_SUCCESS;
    }
    if (port !== null) releaseRight(ipc, port, PORT_SEND);
    return KERN_INVALID_VALUE;
  }
}

/** The slots of a node. */
export class SpecialSlots {
  private readonly ipc: IpcContext;
  private readonly rights = new Map<number, Port>();

  constructor(ipc: IpcContext, nameServer: Port) {
    this.ipc = ipc;
    this.put(NAME_SERVER_SPECIAL_PORT, copySend(nameServer));
  }

  /** What a slot holds; null if it is empty. The right stays the slot's. */
  get(which: number): Port | null {
    const right = this.rights.get(which) ?? null;
    if (right === null || right.state !== PORT_DEAD) return right;
    this.put(which, null);
    return null;
  }

  /** Puts a send right into a slot, or null, in place of what it holds. */
  put(which: number, right: Port | null): void {
    const held = this.rights.get(which);
    if (right === null) this.rights.delete(which);
    else this.rights.set(which, right);
    if (held !== undefined) releaseRight(this.ipc, held, PORT_SEND);
  }

  /** Empties the slots whose ports have died. */
  forgetDead(): void {
    for (const which of [...this.rights.keys()]) this.get(which);
  }
}
