// Visitors: nodes that send to a port whose receive right is, or was, here. Each has an account of what it has sent by the way
// that it goes, and of the places in the queue that are kept for it. A node that goes another way begins a new account, also if
// that way leads here again; tenures tell the accounts apart, because what is sent by an old way may come late, kept behind
// others, and what is sent by the new one before it.

import type { Port } from "../ipc/port.ts";
import { appendSender, type SendSink, SendWait, takeSender } from "../ipc/waits.ts";

/** An allowance without bound: the port's queue was empty when its home looked last. No number of messages, and none less one. */
export const OPEN_ALLOWANCE = -0x80000000;

/** A node that sends to a port of this one, by a way. Counts are of metered messages, all that came by that way. */
export class Visitor {
  readonly node: number;
  /** What it sends to, as in messages: less than what it will send to when it has gone another way meanwhile. */
  readonly tenure: number;
  received = 0;
  /** How many it may have sent in all, or OPEN_ALLOWANCE. */
  allowed = OPEN_ALLOWANCE;
  /** Of the allowance: places in the queue that are kept for it. */
  promised = 0;

  constructor(node: number, tenure: number) {
    this.node = node;
    this.tenure = tenure;
  }
}

/** The turn of a sender of another node, in line with those of this one. */
export class VisitorWait extends SendWait {
  readonly visitor: Visitor;

  constructor(visitor: Visitor) {
    super(NOBODY);
    this.visitor = visitor;
  }
}

/** A visitor is told by a note. */
const NOBODY: SendSink = { sendCompleted: () => {} };

/** Who keeps the accounts of a port. */
export interface VisitorKeeper {
  /** A visitor does not send by its way any more: nobody of it waits here, and it keeps no places. */
  visitorGoes(port: Port, visitor: Visitor): void;
}

/** The record of a node; null if there is none. */
export const visitorOf = (visitors: readonly Visitor[], node: number): Visitor | null => {
  for (let i = 0; i < visitors.length; i++) if (visitors[i]!.node === node) return visitors[i]!;
  return null;
};

/** The record of a node that sends to `tenure`, a new one if it goes by a new way; null: it has gone another way since. */
export const visitorBy = (
  visitors: Visitor[],
  port: Port,
  node: number,
  tenure: number,
  keeper: VisitorKeeper,
): Visitor | null => {
  const known = visitorOf(visitors, node);
  if (known !== null && known.tenure >= tenure) return known.tenure === tenure ? known : null;
  if (known !== null) keeper.visitorGoes(port, known);
  const visitor = new Visitor(node, tenure);
  visitors.push(visitor);
  return visitor;
};

/** Takes a visitor's senders out of the line. */
export const dismiss = (port: Port, visitor: Visitor): void => {
  const others: SendWait[] = [];
  for (let wait = takeSender(port); wait !== null; wait = takeSender(port)) {
    if (!(wait instanceof VisitorWait && wait.visitor === visitor)) others.push(wait);
  }
  for (const wait of others) appendSender(port, wait);
};
