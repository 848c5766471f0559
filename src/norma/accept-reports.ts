// Forced messages between nodes (MACH_SEND_NOTIFY): the request stays with its sender's node, the message
// carries its number, and the home of the queue reports when the message is taken or destroyed.

import { assert } from "../base/assert.ts";
import type { AcceptRequest } from "../ipc/accept-request.ts";
import type { IpcContext } from "../ipc/context.ts";
import type { Identifier } from "./identifier.ts";
import type { PortNotes } from "./port-notes.ts";
import { NOTE_ACCEPTED, NOTE_DESTROYED, WIRE_ACCEPT_MAX } from "./wire-values.ts";

interface Sent {
  readonly request: AcceptRequest;
  /** Where the message went: who may report. */
  readonly node: number;
}

export class AcceptReports {
  private readonly notes: PortNotes;
  /** Requests by number; 0 is none. */
  private readonly requests: (Sent | null)[] = [null];
  private readonly freeNumbers: number[] = [];

  constructor(notes: PortNotes) {
    this.notes = notes;
  }

  /** True if another request can be numbered. */
  get hasRoom(): boolean {
    return this.freeNumbers.length > 0 || this.requests.length <= WIRE_ACCEPT_MAX;
  }

  /** The number under which a request's message travels to a node. */
  register(request: AcceptRequest, node: number): number {
    const number = this.freeNumbers.pop() ?? this.requests.length;
    assert(number <= WIRE_ACCEPT_MAX, "there was room");
    this.requests[number] = { request, node };
    return number;
  }

  /** A node reports. False: it has no such message of this one. */
  accepted(ipc: IpcContext, number: number, node: number): boolean {
    const request = this.take(number, node);
    request?.accepted(ipc);
    return request !== null;
  }

  destroyed(ipc: IpcContext, number: number, node: number): boolean {
    const request = this.take(number, node);
    request?.destroyed(ipc);
    return request !== null;
  }

  private take(number: number, node: number): AcceptRequest | null {
    const sent = this.requests[number] ?? null;
    if (sent === null || sent.node !== node) return null;
    this.requests[number] = null;
    this.freeNumbers.push(number);
    return sent.request;
  }

  /** The request of a message that arrived: its outcome is reported to the node that has it. */
  reportTo(node: number, identifier: Identifier, number: number): AcceptRequest {
    return {
      accepted: () => this.notes.send(node, NOTE_ACCEPTED, identifier, number),
      destroyed: () => this.notes.send(node, NOTE_DESTROYED, identifier, number),
    };
  }
}
