// The name server of a node (CMU netname.defs): names to send rights. A kernel-owned port;
// its requests run where they arrive, since none of them can block. Answers for its own node only:
// asking other nodes is the client's business.
//
// It holds one send right for each port and signature in its table. An entry whose port or signature
// has died is dropped when next it is looked at, or when forgetDead() looks at all.

import {
  KERN_SUCCESS,
  MIG_BAD_ARGUMENTS,
  MIG_BAD_ID,
  NETNAME_INVALID_PORT,
  NETNAME_NOT_CHECKED_IN,
  NETNAME_NOT_YOURS,
} from "../base/status.ts";
import type { IpcContext } from "../ipc/context.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import type { KernelServer } from "../ipc/kernel-server.ts";
import { PORT_DEAD, type Port } from "../ipc/port.ts";
import { releaseRight } from "../ipc/release.ts";
import { PORT_SEND } from "../ipc/rights.ts";
import { NETNAME_CHECK_IN, NETNAME_CHECK_OUT, NETNAME_LOOK_UP } from "../task/netname.ts";
import { type RequestItems, replyStatus, takeItems } from "./kernel-reply.ts";

interface Entry {
  readonly port: Port;
  readonly signature: Port | null;
}

export class NameServer implements KernelServer {
  private readonly ipc: IpcContext;
  private readonly entries = new Map<string, Entry>();

  constructor(ipc: IpcContext) {
    this.ipc = ipc;
  }

  serve(request: KernelMessage): void {
    const { id } = request;
    const items = takeItems(this.ipc, request);
    switch (id) {
      case NETNAME_CHECK_IN:
        replyStatus(this.ipc, request, this.checkIn(items), null);
        return;
      case NETNAME_LOOK_UP:
        this.lookUp(request, items);
        return;
      case NETNAME_CHECK_OUT:
        replyStatus(this.ipc, request, this.checkOut(items), null);
        return;
      default:
        this.releaseRights(items);
        replyStatus(this.ipc, request, MIG_BAD_ID, null);
    }
  }

  /** Takes the rights of `items` in every case. */
  private checkIn(items: RequestItems): number {
    const [name] = items.texts;
    const [signature = null, port = null] = items.rights;
    if (name === undefined || items.rights.length !== 2) {
      this.releaseRights(items);
      return MIG_BAD_ARGUMENTS;
    }
    if (port === null) {
      this.releaseRights(items);
      return NETNAME_INVALID_PORT;
    }
    const known = this.live(name);
    if (known !== null && known.signature !== signature) {
      this.releaseRights(items);
      return NETNAME_NOT_YOURS;
    }
    if (known !== null) this.drop(name, known);
    this.entries.set(name, { port, signature });
    return KERN_SUCCESS;
  }

  private lookUp(request: KernelMessage, items: RequestItems): void {
    const [name] = items.texts;
    this.releaseRights(items);
    const entry = name === undefined ? null : this.live(name);
    if (entry === null) {
      const status = name === undefined ? MIG_BAD_ARGUMENTS : NETNAME_NOT_CHECKED_IN;
      replyStatus(this.ipc, request, status, null);
      return;
    }
    entry.port.sendRights += 1; // a copy of the server's own right, for the reply
    replyStatus(this.ipc, request, KERN_SUCCESS, entry.port);
  }

  private checkOut(items: RequestItems): number {
    const [name] = items.texts;
    const [signature = null] = items.rights;
    this.releaseRights(items);
    if (name === undefined) return MIG_BAD_ARGUMENTS;
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
    releaseRight(this.ipc, entry.port, PORT_SEND);
    if (entry.signature !== null) releaseRight(this.ipc, entry.signature, PORT_SEND);
  }

  private releaseRights(items: RequestItems): void {
    for (const port of items.rights) if (port !== null) releaseRight(this.ipc, port, PORT_SEND);
  }

  /** Names checked in, for stats and checkers. */
  get count(): number {
    return this.entries.size;
  }
}
