// Messages that must not overtake others. When a node sends to a port by a new way, because the receive right has moved or
// has come here, what it sent by the old way may still be going round. So it flushes the old way: a note goes where
// the messages went, behind them, from node to node until it is at the home of the port, which answers the node that
// began. Until then the port is held there: ordinary senders wait, and what cannot wait is kept in order. What comes by
// the old way itself passes.

import { assert } from "../base/assert.ts";
import { NEVER } from "../base/clock.ts";
import type { IpcContext } from "../ipc/context.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import type { Port } from "../ipc/port.ts";
import type { Identifier } from "./identifier.ts";
import type { PortNotes } from "./port-notes.ts";
import { NOTE_FLUSH } from "./wire-values.ts";

/** A flush that another node began. */
export interface Flush {
  readonly identifier: Identifier;
  readonly origin: number;
  /** What it was sent to, as in messages. */
  readonly tenure: number;
  readonly message: null;
}

/** A message that is kept, and the node that it came from. */
export interface Kept {
  readonly message: KernelMessage;
  readonly source: number;
}

interface Hold {
  /** What is sent to the tenure that the receive right began here with, or to a later one, may come by an old way. */
  tenure: number;
  /** Flushes that are not back. */
  pending: number;
  readonly items: (Flush | Kept)[];
}

export class Holds {
  private readonly notes: PortNotes;
  private readonly node: number;
  private readonly holds = new Map<Port, Hold>();

  constructor(ipc: IpcContext, notes: PortNotes) {
    this.notes = notes;
    this.node = ipc.memory.node;
  }

  /** Flushes the way that begins with node `way`, which had the receive right in tenure `wayTenure`, and holds the port
   *  until that is done. `tenure`: the port's own, if its receive right has come here. */
  flush(port: Port, way: number, wayTenure: number, tenure = NEVER): void {
    let hold = this.holds.get(port);
    if (hold === undefined) {
      hold = { tenure, pending: 0, items: [] };
      this.holds.set(port, hold);
      port.held = true;
    }
    hold.tenure = Math.min(hold.tenure, tenure);
    hold.pending += 1;
    this.notes.sendBehind(way, NOTE_FLUSH, port.identifier, this.node, wayTenure);
  }

  /** True if what was sent to this node, believed to have the receive right in `tenure`, may come by a way that is being
   *  flushed. What was sent to an earlier tenure comes from somebody whose earlier messages may be on that way. */
  passes(port: Port, tenure: number): boolean {
    return tenure >= this.holds.get(port)!.tenure;
  }

  keep(port: Port, item: Flush | Kept): void {
    this.holds.get(port)!.items.push(item);
  }

  /** A flush is back. Returns what has been kept if it was the last, else null. */
  flushed(port: Port): (Flush | Kept)[] | null {
    const hold = this.holds.get(port);
    if (hold === undefined) return null; // the port has died meanwhile
    hold.pending -= 1;
    return hold.pending === 0 ? this.end(port) : null;
  }

  /** The port is dead: there is nothing to wait for. */
  end(port: Port): (Flush | Kept)[] {
    const hold = this.holds.get(port);
    assert(hold !== undefined, "a held port has a hold");
    this.holds.delete(port);
    port.held = false;
    return hold.items;
  }
}
