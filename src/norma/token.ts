// The periodic token (paper 2.5.3): a message to a kernel-owned port of every node in turn, on a ring of single hops.
// A period is three passes, each from node 0 round to node 0:
//   write     each node takes what has come back for its ports and puts in what it has to tell or to ask
//   read      each node sees all that was written, and adds its counts
//   confirm   each node knows that every node has read it, and adds its counts once more
// Then the token pauses at node 0 with what it carries, which is taken in the next period's first pass. It rests
// when nobody has put anything in: a node that has something wakes it with a note, a pause later.
// A period takes a limited number of records (token-records.ts), so that no kernel is held up by one pass. One that was
// full is followed by the next without a pause, at another step of the kernel.
// Periods can be asked for (runPeriods): these begin at once, and make their three passes even with nothing on the token.
//
// States of the token at node 0: resting -> (woken) -> passes -> pausing -> passes ... -> resting.

import { assert } from "../base/assert.ts";
import { NEVER, type StepClock } from "../base/clock.ts";
import { COUNTERS } from "../base/counters.ts";
import { WORD_BYTES } from "../base/words.ts";
import { FRAME_MESSAGE } from "../hardware/frame-table.ts";
import { PACKET_INLINE_BYTES_MAX } from "../hardware/packet-layout.ts";
import type { IpcContext } from "../ipc/context.ts";
import { bodyWord, bodyWords, type KernelMessage } from "../ipc/kernel-message.ts";
import type { KernelServer } from "../ipc/kernel-server.ts";
import { sendToPort } from "../ipc/queueing.ts";
import { destroyMessage } from "../ipc/release.ts";
import { PORT_SEND } from "../ipc/rights.ts";
import { ringSuccessor } from "./gray-ring.ts";
import { FIRST_LOCAL_ID, makeIdentifier, NULL_IDENTIFIER } from "./identifier.ts";
import type { IdentifierTable } from "./identifier-table.ts";
import type { PortNotes } from "./port-notes.ts";
import { reject } from "./rejections.ts";
import { RECORD_WORDS, TOKEN_HEADER_WORDS, TokenRecords } from "./token-records.ts";
import { NOTE_TOKEN } from "./wire-values.ts";

/** The port of every node that the token is sent to. */
export const TOKEN_SPECIAL_PORT = FIRST_LOCAL_ID - 1;

/** Message id of the token. */
const TOKEN_ID = 4000;

const PASS_WRITE = 1;
const PASS_READ = 2;
const PASS_CONFIRM = 3;

/** A lone node is through with a period within a step, and a timer that is due fires within it too: the next period
 *  is so far off. */
const STEP_NS = 1;

interface AskedPeriods {
  /** How many are left. */
  periods: number;
  readonly done: () => void;
}

/** Who has something on the token. */
export interface TokenUser {
  /** What waits for its turn on it, for people: "3 deaths". */
  describeWaiting(): string;
  /** First pass: takes out what came back for this node, and adds what it has as long as there is room
   *  (records.hasRoom). */
  write(records: TokenRecords): void;
  /** Second and third pass; called for every record. */
  read(records: TokenRecords, record: number): void;
  confirm(records: TokenRecords, record: number): void;
}

/** Time, for a node. */
export interface TokenTimer {
  readonly clock: StepClock;
  /** Calls `fire` at the deadline, not at interrupt level; returns what cancels it. */
  setTimer(deadlineNs: number, fire: () => void): () => void;
}

export class Token implements KernelServer {
  private readonly ipc: IpcContext;
  private readonly node: number;
  private readonly nodes: number;
  private readonly identifiers: IdentifierTable;
  private readonly notes: PortNotes;
  private readonly timer: TokenTimer;
  private readonly pauseNs: number;
  private readonly users: readonly TokenUser[];
  private readonly next: number;
  /** Cancels the wish for a token; null: there is none. */
  private wish: (() => void) | null = null;
  /** What the token carries, while it is here. */
  private readonly records = new TokenRecords();
  /** The pass it is on, while it is to be sent on and no message of the pool is free; else 0. */
  private heldPass = 0;

  // --- of node 0 ----------------------------------------------------------------------------------
  private period = 0;
  /** Cancels the beginning of the next period; null: none is to come. */
  private coming: (() => void) | null = null;
  private underWay = false;
  /** The pass that it is on. */
  private passOut = 0;
  /** The period that is under way was asked for. */
  private wanted = false;
  private readonly asked: AskedPeriods[] = [];
  /** It has been woken since its last first pass began. */
  private woken = false;

  /** `pauseNs`: between two periods, and before a node with something new wakes the token, ns; NEVER: periods are only
   *  those that are asked for. */
  constructor(
    ipc: IpcContext,
    identifiers: IdentifierTable,
    notes: PortNotes,
    timer: TokenTimer,
    pauseNs: number,
    users: readonly TokenUser[],
  ) {
    this.ipc = ipc;
    this.node = ipc.memory.node;
    this.nodes = ipc.memory.layout.nodes;
    this.identifiers = identifiers;
    this.notes = notes;
    this.timer = timer;
    this.pauseNs = pauseNs;
    this.users = users;
    this.next = ringSuccessor(this.node, this.nodes);
  }

  /** This node has something for the token. */
  want(): void {
    if (this.wish !== null) return;
    this.wish = this.timer.setTimer(this.timer.clock.now() + this.pauseNs, () => {
      if (this.node === 0) this.wake();
      else this.notes.send(0, NOTE_TOKEN, NULL_IDENTIFIER);
    });
  }

  /** Node 0: somebody has something for it. */
  wake(): void {
    if (this.coming === null && !this.underWay) this.beginIn(0);
    else this.woken = true;
  }

  /** Node 0: `periods` periods now, one after the other; then `done` is called, at a step of the kernel. */
  runPeriods(periods: number, done: () => void): void {
    assert(this.node === 0 && Number.isInteger(periods) && periods > 0);
    this.asked.push({ periods, done });
    if (!this.underWay) this.beginIn(0);
  }

  private beginIn(ns: number): void {
    this.coming?.();
    const atLeast = this.nodes === 1 ? STEP_NS : 0;
    const deadlineNs = this.timer.clock.now() + Math.max(atLeast, ns);
    this.coming = this.timer.setTimer(deadlineNs, () => this.begin());
  }

  private begin(): void {
    this.coming = null;
    this.underWay = true;
    this.wanted = this.asked.length > 0;
    this.period += 1;
    this.woken = false;
    this.records.nextPeriod();
    this.ipc.memory.counters[COUNTERS.tokenPeriods.index]! += 1;
    this.pass(PASS_WRITE);
  }

  /** What waits here for a period, for people. */
  describe(): string {
    const waiting = this.users.map((user) => user.describeWaiting());
    return `token: in period ${this.period}; waiting for it: ${waiting.join(", ")}`;
  }

  /** KernelServer. */
  serve(request: KernelMessage): void {
    const words = bodyWords(this.ipc.memory, request);
    const at = bodyWord(this.ipc.memory, request);
    const isToken = request.id === TOKEN_ID && !request.complex;
    const isSound = isToken && TokenRecords.areSound(words, at, request.size >> 2, this.nodes);
    const [period, pass] = words.subarray(at, at + 2);
    if (!isSound || this.heldPass !== 0 || !this.isNext(period!, pass!)) {
      reject(this.ipc.memory.counters, "rejectedToken");
      destroyMessage(this.ipc, request);
      return;
    }
    this.records.load(words, at);
    destroyMessage(this.ipc, request);
    if (this.node === 0) this.passEnded(pass!);
    else {
      this.period = period!;
      this.pass(pass!);
    }
  }

  /** True if the token may come: at node 0 only by the pass that it was sent out on, so that there is one. */
  private isNext(period: number, pass: number): boolean {
    if (this.node !== 0) return pass >= PASS_WRITE && pass <= PASS_CONFIRM;
    return this.underWay && period === this.period && pass === this.passOut;
  }

  /** This node's part of a pass; then the next node's. */
  private pass(pass: number): void {
    this.passOut = pass;
    const { records } = this;
    if (pass === PASS_WRITE) {
      this.wish?.();
      this.wish = null;
      for (const user of this.users) {
        records.turnBegins();
        user.write(records);
        records.turnEnds();
      }
    } else {
      const { count } = records;
      for (let record = 0; record < count; record++) {
        if (pass === PASS_READ) records.markRead(record);
        for (const user of this.users) {
          if (pass === PASS_READ) user.read(records, record);
          else user.confirm(records, record);
        }
      }
    }
    if (this.nodes === 1) this.passEnded(pass);
    else this.forward(pass);
  }

  /** Node 0: the token is back. */
  private passEnded(pass: number): void {
    const isIdle = this.records.count === 0 && !this.wanted;
    if (pass === PASS_CONFIRM || (pass === PASS_WRITE && isIdle)) this.periodEnded();
    else this.pass(pass + 1);
  }

  private periodEnded(): void {
    const { records } = this;
    this.underWay = false;
    const over = this.wanted ? this.askedEnded() : null;
    const hurries = records.isFull && this.pauseNs !== NEVER;
    if (this.asked.length > 0 || hurries) this.beginIn(0);
    else if (records.count > 0 || this.woken) this.beginIn(this.pauseNs);
    over?.done();
  }

  /** Counts a period off those that were asked for; returns what is complete with it. */
  private askedEnded(): AskedPeriods | null {
    const first = this.asked[0]!;
    first.periods -= 1;
    return first.periods === 0 ? this.asked.shift()! : null;
  }

  // --- to the next node -----------------------------------------------------------------------------

  private forward(pass: number): void {
    const message = this.ipc.pool.takeForKernel();
    if (message === null) {
      this.heldPass = pass;
      return;
    }
    const { records } = this;
    const { memory } = this.ipc;
    const { counters } = memory;
    this.makeRoom(message, (TOKEN_HEADER_WORDS + records.count * RECORD_WORDS) * WORD_BYTES);
    records.store(bodyWords(memory, message), bodyWord(memory, message), this.period, pass);
    const port = this.identifiers.portOf(makeIdentifier(this.next, TOKEN_SPECIAL_PORT))!;
    port.sendRights += 1; // the message's
    message.remote = port;
    message.remoteRight = PORT_SEND;
    message.id = TOKEN_ID;
    counters[COUNTERS.tokenMessages.index]! += 1;
    counters[COUNTERS.tokenBytes.index]! += message.size;
    sendToPort(this.ipc, message, true);
  }

  /** Inline, in a frame, or beyond; without a free frame it is made so long that it needs none. */
  private makeRoom(message: KernelMessage, bytes: number): void {
    const { memory, frames, pool } = this.ipc;
    const { pageBytes } = memory.layout;
    message.size = bytes;
    if (bytes <= PACKET_INLINE_BYTES_MAX) return;
    if (bytes <= pageBytes && frames.freeCount > 0) {
      message.frame = frames.allocate(FRAME_MESSAGE);
      return;
    }
    message.size = Math.max(bytes, pageBytes + WORD_BYTES);
    pool.overflowOf(message).addBody(message.size);
  }

  /** A message of the pool has come back. */
  messageFreed(): void {
    const pass = this.heldPass;
    if (pass === 0) return;
    this.heldPass = 0;
    this.forward(pass);
  }
}
