// The control plane between the host and a worker: comlink over a MessagePort. Comlink alone waits for
// ever for a worker that died, and a worker that spins or has parked does not look at its ports; so
//   - the host's endpoint counts what it posts in shared memory and rings the worker's doorbell; the
//     worker's endpoint counts what it took, and the worker's loop turns its event loop until they agree;
//   - the host races every call against the worker's end (processor-handle.ts).

import type { MessagePort, TransferListItem } from "node:worker_threads";
import type { Endpoint } from "comlink";
import type { MachineOptions } from "../config/machine-options.ts";
import type { MachineMemory } from "../hardware/dma-engine.ts";
import { ringDoorbell } from "../hardware/doorbell.ts";
import type { MachineLayout } from "../hardware/machine-layout.ts";
import { WORKER_CONTROL_POSTED, WORKER_CONTROL_TAKEN } from "../hardware/machine-layout.ts";
import type { NodeCensus } from "../node/census.ts";
import type { MachineFilesRecord } from "../node/machine-files.ts";
import type { Outcome, SpawnOutcome } from "../node/task-runner.ts";

/** What a worker gets when it starts. Structured-cloneable, but for the ports, which are transferred. */
export interface ProcessorBoot {
  readonly worker: number;
  readonly nodes: readonly number[];
  readonly memory: MachineMemory;
  readonly layout: MachineLayout;
  readonly options: MachineOptions;
  /** Open until every worker has ended. */
  readonly files: MachineFilesRecord;
  /** wallClockMs() of the boot: the zero of the machine's time. */
  readonly startMs: number;
  readonly cores: number;
  readonly control: MessagePort;
  readonly events: MessagePort;
}

/** What the host can ask of a worker. */
export interface ProcessorControl {
  /** Resolves once the kernels are running. */
  ready(): number;
  spawn(node: number, url: string, args: unknown): Promise<SpawnOutcome>;
  exited(node: number, id: number): Promise<Outcome>;
  census(node: number): NodeCensus;
  /** Ends the faults of its nodes. */
  heal(): void;
  describeNode(node: number): string[];
  /** Of the worker of node 0. */
  runTokenPeriods(periods: number): Promise<void>;
}

/** What a worker tells the host. */
export interface HostEvents {
  log(node: number, task: number, line: string): void;
}

type Listener = (event: { data: unknown }) => void;

/** A comlink endpoint over a Node port, with a say before each post and each delivery. */
const endpointOver = (port: MessagePort, posted: () => void, taken: () => void): Endpoint => {
  const listeners = new Map<unknown, (data: unknown) => void>();
  return {
    postMessage(message: unknown, transfer?: unknown) {
      port.postMessage(message, transfer as readonly TransferListItem[]);
      posted();
    },
    addEventListener(_type: string, listener: unknown) {
      const deliver = (data: unknown): void => {
        taken();
        if (typeof listener === "function") (listener as Listener)({ data });
        else (listener as { handleEvent: Listener }).handleEvent({ data });
      };
      listeners.set(listener, deliver);
      port.on("message", deliver);
    },
    removeEventListener(_type: string, listener: unknown) {
      const deliver = listeners.get(listener);
      if (deliver === undefined) return;
      listeners.delete(listener);
      port.off("message", deliver);
    },
    start() {
      port.start();
    },
  };
};

const nothing = (): void => {};

/** The host's end: every message posted is counted and the worker is rung. */
export const hostEndpoint = (port: MessagePort, words: Int32Array, workerAt: number): Endpoint =>
  endpointOver(
    port,
    () => {
      // release: the message is in the port; pairs with the load in controlPending().
      Atomics.add(words, workerAt + WORKER_CONTROL_POSTED, 1);
      ringDoorbell(words, workerAt);
    },
    nothing,
  );

/** The worker's end of the same. */
export const workerEndpoint = (port: MessagePort, words: Int32Array, workerAt: number): Endpoint =>
  endpointOver(port, nothing, () => {
    words[workerAt + WORKER_CONTROL_TAKEN]! += 1; // this worker alone writes and reads it
  });

/** An end that nobody needs to be woken for. */
export const quietEndpoint = (port: MessagePort): Endpoint => endpointOver(port, nothing, nothing);

/** True while a control message waits in the worker's port. */
export const controlPending = (words: Int32Array, workerAt: number): boolean =>
  // acquire: pairs with the add in hostEndpoint().
  Atomics.load(words, workerAt + WORKER_CONTROL_POSTED) !== words[workerAt + WORKER_CONTROL_TAKEN];
