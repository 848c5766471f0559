// Messages that must not overtake others. When a node sends to a port by a new way, because the receive right has moved or
// has come here, what it sent by the old way may still be going round. So it flushes the old way: a note goes where
// the messages went, behind them, from node to node until it is at the home of the port, which answers the node that
// began. Until then the port is held there: ordinary senders wait, and what cannot wait is kept in order. What comes by
// the old way itself passes.
//
// A port is held for each flush that is not back. Each knows the tenure of the new way, how often the receive right had moved
// then: what was sent to this node in an earlier tenure comes from somebody whose earlier messages may be on the old way, and is
// kept; what was sent to that tenure or a later one may have come by it, and passes. With several flushes something passes
// if it passes all of them. A flush that is kept waits for others: no ring of these can form, because whoever keeps what was
// sent to it in tenure t has flushed a way of a tenure later than t, so that tenures grow along the chain.

import { assert } from "../base/assert.ts";
import type { IpcContext } from "../ipc/context.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import type { Port } from "../ipc/port.ts";
import type { Identifier } from "./identifier.ts";
import type { PortNotes } from "./port-notes.ts";
import { FLUSH_NUMBER_MAX, flushWord, NOTE_FLUSH } from "./wire-values.ts";

/** A flush that another node began, or this one. */
export interface Flush {
  readonly identifier: Identifier;
  /** Who began it, and its number there (wire-values.ts). */
  readonly origin: number;
  readonly number: number;
  /** It does not come from its origin but from a node on its way, which may be the origin itself, through which it passes. */
  readonly sentOn: boolean;
  /** What it was sent to, as in messages. */
  readonly tenure: number;
  readonly message: null;
}

/** A message that is kept, and the node that it came from. */
export interface Kept {
  readonly message: KernelMessage;
  readonly source: number;
  /** What it was sent to; OWN_TENURE: it is of this node. */
  readonly tenure: number;
}

/** Less than any: what this node sends itself waits for all flushes. */
export const OWN_TENURE = -1;

/** A flush of this node that is not back. */
interface Pending {
  readonly identifier: Identifier;
  readonly number: number;
  /** Of the new way. */
  readonly tenure: number;
}

interface Hold {
  pending: Pending[];
  items: (Flush | Kept)[];
}

export class Holds {
  private readonly notes: PortNotes;
  private readonly node: number;
  private readonly holds = new Map<Port, Hold>();
  private lastNumber = 0;

  constructor(ipc: IpcContext, notes: PortNotes) {
    this.notes = notes;
    this.node = ipc.memory.node;
  }

  /** The way to the port is another one from now on, of tenure `port.moves`. Flushes the one that begins with node `way`,
   *  which had the receive right in tenure `wayTenure`, and holds the port until that is done. */
  flush(port: Port, way: number, wayTenure: number): void {
    let hold = this.holds.get(port);
    if (hold === undefined) {
      hold = { pending: [], items: [] };
      this.holds.set(port, hold);
      port.held = true;
    }
    this.lastNumber = (this.lastNumber + 1) % (FLUSH_NUMBER_MAX + 1);
    const { identifier, moves: tenure } = port;
    hold.pending.push({ identifier, number: this.lastNumber, tenure });
    const word = flushWord(this.node, this.lastNumber, false);
    this.notes.sendBehind(way, NOTE_FLUSH, identifier, word, wayTenure);
  }

  /** True if what was sent to this node in `tenure` need not be kept. */
  passes(port: Port, tenure: number): boolean {
    return passesAll(this.holds.get(port)!, tenure);
  }

  /** True if a flush of this node that is not back went by an identifier, or one that is kept here did. */
  names(port: Port, identifier: Identifier): boolean {
    const hold = this.holds.get(port);
    if (hold === undefined) return false;
    if (hold.pending.some((flush) => flush.identifier === identifier)) return true;
    return hold.items.some((item) => item.message === null && item.identifier === identifier);
  }

  keep(port: Port, item: Flush | Kept): void {
    this.holds.get(port)!.items.push(item);
  }

  /** A flush is back. Returns what need not be kept any more, in order. */
  flushed(port: Port, number: number): readonly (Flush | Kept)[] {
    const hold = this.holds.get(port);
    if (hold === undefined) return []; // the port has died meanwhile
    hold.pending = hold.pending.filter((flush) => flush.number !== number);
    if (hold.pending.length === 0) return this.end(port);
    const { items } = hold;
    hold.items = items.filter(({ tenure }) => !passesAll(hold, tenure));
    return items.filter(({ tenure }) => passesAll(hold, tenure));
  }

  /** Nothing is waited for any more: all are back, or the port is dead. */
  end(port: Port): readonly (Flush | Kept)[] {
    const hold = this.holds.get(port);
    assert(hold !== undefined, "a held port has a hold");
    this.holds.delete(port);
    port.held = false;
    return hold.items;
  }
}

const passesAll = ({ pending }: Hold, tenure: number): boolean =>
  pending.every((flush) => tenure >= flush.tenure);
