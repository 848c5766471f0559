// The name server of a node (CMU netname.defs): names to send rights. A kernel-owned port;
// its requests run where they arrive, since none of them can block. Answers for its own node only:
// asking other nodes is the client's business.
//
// It holds one send right for each port and signature in its table. An entry whose port or signature
// has died is dropped when next it is looked at, or when forgetDead() looks at all.

import {
  KERN_SUCCESS,
  NETNAME_INVALID_PORT,
  NETNAME_NOT_CHECKED_IN,
  NETNAME_NOT_YOURS,
} from "../base/status.ts";
import { VERSION } from "../base/version.ts";
import type { IpcContext } from "../ipc/context.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import type { KernelServer } from "../ipc/kernel-server.ts";
import { PORT_DEAD, type Port } from "../ipc/port.ts";
import { releaseRight } from "../ipc/release.ts";
import { PORT_SEND } from "../ipc/rights.ts";
import type { TakenOf } from "../mig/subsystem.ts";
import { netname } from "../task/netname.ts";
import type { KernelRight } from "./kernel-items.ts";
import { type KernelFunctions, KernelRoutines } from "./kernel-routines.ts";

type NetnameShapes = NonNullable<(typeof netname)["shapes"]>;
type RequestOf<K extends keyof NetnameShapes> = TakenOf<NetnameShapes[K]["request"], KernelRight>;

interface Entry {
  readonly port: Port;
  readonly signature: KernelRight;
}

export class NameServer implements KernelServer {
  private readonly ipc: IpcContext;
  private readonly routines: KernelRoutines;
  private readonly entries = new Map<string, Entry>();

  constructor(ipc: IpcContext) {
    this.ipc = ipc;
    const functions: KernelFunctions<NetnameShapes> = {
      checkIn: (args) => this.checkIn(args),
      lookUp: (args) => this.lookUp(args),
      checkOut: (args) => this.checkOut(args),
      version: () => ({ version: `normacube ${VERSION}` }),
    };
    this.routines = new KernelRoutines(ipc).add(netname, functions);
  }

  serve(request: KernelMessage): void {
    this.routines.serve(request, undefined);
  }

  private checkIn({ name, signature, port }: RequestOf<"checkIn">): number {
    const known = this.live(name);
    if (port === null || (known !== null && known.signature !== signature)) {
      this.release(signature);
      this.release(port);
      return port === null ? NETNAME_INVALID_PORT : NETNAME_NOT_YOURS;
    }
    if (known !== null) this.drop(name, known);
    this.entries.set(name, { port, signature });
    return KERN_SUCCESS;
  }

  private lookUp({ name }: RequestOf<"lookUp">): number | { port: Port } {
    const entry = this.live(name);
    if (entry === null) return NETNAME_NOT_CHECKED_IN;
    entry.port.sendRights += 1; // a copy of the server's own right, for the reply
    return { port: entry.port };
  }

  private checkOut({ name, signature }: RequestOf<"checkOut">): number {
    this.release(signature);
    const entry = this.live(name);
    if (entry === null) return NETNAME_NOT_CHECKED_IN;
    if (entry.signature !== signature) return NETNAME_NOT_YOURS;
    this.drop(name, entry);
    return KERN_SUCCESS;
  }

  /** Drops every entry whose port or signature has died. */
  forgetDead(): void {
    for (const name of [...this.entries.keys()]) this.live(name);
  }

  private live(name: string): Entry | null {
    const entry = this.entries.get(name);
    if (entry === undefined) return null;
    const dead =
      entry.port.state === PORT_DEAD ||
      (entry.signature !== null && entry.signature.state === PORT_DEAD);
    if (!dead) return entry;
    this.drop(name, entry);
    return null;
  }

  private drop(name: string, entry: Entry): void {
    this.entries.delete(name);
    this.release(entry.port);
    this.release(entry.signature);
  }

  private release(right: KernelRight): void {
    if (right !== null) releaseRight(this.ipc, right, PORT_SEND);
  }

  /** Names checked in, for stats and checkers. */
  get count(): number {
    return this.entries.size;
  }
}
