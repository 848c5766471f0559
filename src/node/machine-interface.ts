// A machine as its user sees it, whichever driver runs it: threads (machine/) or simulation (sim/).

import type { CounterValues } from "../base/counters.ts";
import type { MachineOptions } from "../config/machine-options.ts";
import type { TraceRecord } from "../hardware/trace-wrapper.ts";
import type { NodeCensus } from "./census.ts";

/** Where task.log() goes; default: standard output, as "[node.task] line". */
export type LogSink = (node: number, task: number, line: string) => void;

export interface SpawnOptions {
  /** Given to the program as its second argument; must survive structured cloning. */
  readonly args?: unknown;
}

/** A task of the machine, from outside. */
export interface MachineTask {
  readonly node: number;
  /** Number of the task on its node. */
  readonly id: number;
  /** The program's return value; rejects with its error, or when its machine or worker ends first. */
  readonly exited: Promise<unknown>;
}

/** What one node has counted so far. */
export interface NodeStats {
  readonly node: number;
  readonly worker: number;
  readonly counters: CounterValues;
  /** The channels out of the node; empty where all nodes share a medium. */
  readonly channels: readonly ChannelStats[];
}

export interface ChannelStats {
  readonly dimension: number;
  readonly packets: number;
  readonly bytes: number;
  readonly blockedNs: number;
}

export interface MachineStats {
  readonly nodes: readonly NodeStats[];
  /** Sums over all nodes. */
  readonly total: CounterValues;
  /** How often each worker has parked; empty in simulation. */
  readonly parks: readonly number[];
}

export interface Machine extends AsyncDisposable {
  readonly nodes: number;
  readonly workers: number;
  readonly options: MachineOptions;
  /** Loads the module at `program` on a node and starts its default export, a Program.
   *  Rejects if it cannot be loaded, and after halt. */
  spawn(node: number, program: string | URL, options?: SpawnOptions): Promise<MachineTask>;
  /** Counters, read from shared memory while the machine runs. */
  stats(): MachineStats;
  /** The last packets that a node sent and received, oldest first, read while the machine runs. Empty
   *  without the option trace.entries. describeTrace() makes a line of one. */
  trace(node: number): TraceRecord[];
  /** Everything a node has, counted by the node itself between two steps. */
  census(node: number): Promise<NodeCensus>;
  /** What a node says of itself, for people: who waits for what, queues, windows, what is left. */
  describeNode(node: number): Promise<readonly string[]>;
  /** Who holds which channel, read from shared memory while the machine runs. */
  describeChannels(): readonly string[];
  /** Sends the token of the paper (2.5.3) round at once, `periods` times (1 or more) without a pause; resolves when the
   *  last period is over. Each makes its three passes whatever the token carries. With the option kernel.tokenPauseNs
   *  "manual" there are no other periods. Rejects when the machine halts first. */
  runTokenPeriods(periods?: number): Promise<void>;
  /** Ends all faults that are injected, on every node: what was held back goes out, cuts and pauses are over, packets pass as
   *  they are. Rejects when the machine halts first. */
  heal(): Promise<void>;
  /** Ends the machine: waits of programs are interrupted, what does not end is terminated. Idempotent. */
  halt(): Promise<void>;
}

/** So many of something, and 16 hexadecimal digits that follow from them all, in their order. */
export interface Counted {
  readonly count: number;
  readonly digest: string;
}

/** A machine in simulation: what only virtual time can offer. */
export interface Simulation extends Machine {
  /** Virtual time, ns. */
  now(): number;
  /** Resolves when nothing is under way any more: no node has work, no timer is set. Programs may
   *  still be waiting for what nobody will send. */
  drained(): Promise<void>;
  /** Resolves when so much virtual time has passed, ns (more than 0), with true; or with false as soon as time stands still,
   *  because nothing is under way any more or the machine has ended. What the host does next, it does before time passes: a
   *  host that waits for nothing else sees the same run every time. Throws OptionError. */
  after(ns: number): Promise<boolean>;
  /** Packets sent so far, and a digest of them all: equal digests, equal runs. */
  packets(): Counted;
  /** Random numbers drawn so far, by the schedule, the kernels and their tasks, and a digest of them all. */
  draws(): Counted;
}
