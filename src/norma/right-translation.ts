// Rights between this node and the wire (paper 2.4, the translation stage): port indexes in a message become identifiers
// when it goes out, and identifiers port indexes when it has come. What happens to the counts:
//   out   a send right leaves this node's count; a send-once right leaves a proxy's count, but the principal goes on counting
//         those that are outstanding anywhere; a receive right makes its port a proxy (migration.ts)
//   in    a send right enters the count; a send-once right enters a proxy's count, and is already in the principal's

import { WORD_BYTES } from "../base/words.ts";
import type { IpcContext } from "../ipc/context.ts";
import { BODY_DEAD } from "../ipc/copyin.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import { PORT_DEAD, PORT_PROXY, type Port } from "../ipc/port.ts";
import { releaseRight } from "../ipc/release.ts";
import { RightWalk } from "../ipc/right-walk.ts";
import { type CarriedRight, PORT_RECEIVE } from "../ipc/rights.ts";
import { DEAD_IDENTIFIER, type Identifier, isRight, NULL_IDENTIFIER } from "./identifier.ts";
import type { IdentifierTable } from "./identifier-table.ts";
import type { Migration } from "./migration.ts";
import { MOVED_RIGHT_WORDS } from "./moved-right-layout.ts";
import type { PortDeaths } from "./port-deaths.ts";
import { reject } from "./rejections.ts";
import type { SenderQueries } from "./sender-queries.ts";
import { enterNode, isAbroad, leaveNode } from "./usage-counts.ts";

export class RightTranslation {
  private readonly ipc: IpcContext;
  private readonly node: number;
  private readonly identifiers: IdentifierTable;
  private readonly deaths: PortDeaths;
  private readonly senders: SenderQueries;
  private readonly migration: Migration;

  constructor(
    ipc: IpcContext,
    identifiers: IdentifierTable,
    deaths: PortDeaths,
    senders: SenderQueries,
    migration: Migration,
  ) {
    this.ipc = ipc;
    this.node = ipc.memory.node;
    this.identifiers = identifiers;
    this.deaths = deaths;
    this.senders = senders;
    this.migration = migration;
  }

  /** Takes a right off this node's counts and gives what stands for it on the wire. */
  rightOut(port: Port, right: CarriedRight, node: number): Identifier {
    if (port.state === PORT_DEAD && right !== PORT_RECEIVE) {
      releaseRight(this.ipc, port, right);
      return DEAD_IDENTIFIER;
    }
    const identifier = this.identifiers.identifierOf(port);
    if (port.state !== PORT_PROXY) this.deaths.exported(port, right, node);
    leaveNode(port, right);
    if (port.sendRights === 0) this.senders.ask(port);
    return identifier;
  }

  /** Port indexes to identifiers, in place. True if receive rights are among them that leave this node. */
  bodyOut(message: KernelMessage): boolean {
    const { memory, ports } = this.ipc;
    const node = message.remote!.home;
    const walk = new RightWalk(memory, message);
    let moved: number[] | null = null;
    while (walk.next()) {
      const index = walk.word;
      if (walk.right === PORT_RECEIVE && node !== this.node) {
        const details = new Int32Array(MOVED_RIGHT_WORDS);
        if (index > 0) {
          walk.word = this.migration.departed(ports.byIndex(index), node, details, this);
        }
        moved ??= [];
        moved.push(...details);
        continue;
      }
      if (index <= 0) continue; // null and dead are the same on the wire
      walk.word = this.rightOut(ports.byIndex(index), walk.right, node);
    }
    if (moved !== null) this.addDetails(message, moved);
    return moved !== null;
  }

  /** What goes with receive rights is the last region of their message. */
  private addDetails(message: KernelMessage, moved: readonly number[]): void {
    this.ipc.pool.overflowOf(message).add(Int32Array.from(moved));
    this.ipc.pool.chargeLarge(message, moved.length * WORD_BYTES);
  }

  /** Identifiers to port indexes, in place. */
  bodyIn(source: number, message: KernelMessage): void {
    const details = message.moves ? (message.overflow!.regions.pop() as Int32Array) : null;
    const walk = new RightWalk(this.ipc.memory, message);
    let moved = 0;
    while (walk.next()) {
      const identifier = walk.word;
      const { right } = walk;
      let port: Port | null = null;
      if (right === PORT_RECEIVE && details !== null) {
        const at = moved++ * MOVED_RIGHT_WORDS;
        if (isRight(identifier)) {
          const words = details.subarray(at, at + MOVED_RIGHT_WORDS);
          port = this.migration.arrived(identifier, source, message, words, this);
        }
      } else if (right === PORT_RECEIVE) {
        port = isRight(identifier) ? this.identifiers.principal(identifier) : null;
      } else {
        port = this.portIn(identifier, right);
      }
      if (identifier !== NULL_IDENTIFIER) walk.word = port === null ? BODY_DEAD : port.index;
    }
  }

  /** The port of a right that arrived, counted; null if it is dead. */
  portIn(identifier: Identifier, right: CarriedRight): Port | null {
    if (!isRight(identifier)) return null;
    const port = this.identifiers.portOf(identifier);
    if (port !== null && !isAbroad(port, right)) {
      reject(this.ipc.memory.counters, "rejectedRight");
      return null;
    }
    if (port !== null) enterNode(port, right, identifier);
    else this.deaths.deadOnArrival(identifier, right);
    return port;
  }
}
