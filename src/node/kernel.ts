// The kernel of one node: everything put together, and stepped. It never waits and never loops by
// itself: the driver (a worker's loop, or the simulator) calls step() and sees how much was done.
//   step     packets off the ring, what they ask of the kernel, output, due timers
//   spin     what a waiting task does instead of suspending (paper 2.2; spins.ts): step while nothing else can run
//   quiesce  sends what would otherwise wait for a packet to ride on; before the driver idles

import { assert } from "../base/assert.ts";
import type { StepClock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import {
  KERN_ABORTED,
  KERN_RESOURCE_SHORTAGE,
  MACH_RCV_INTERRUPTED,
  MACH_SEND_INTERRUPTED,
} from "../base/status.ts";
import { FRAME_ARMED, type FrameTable } from "../hardware/frame-table.ts";
import { REG_STATE } from "../hardware/machine-layout.ts";
import type { NetworkInterface } from "../hardware/network-interface.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { IpcContext } from "../ipc/context.ts";
import { type KernelMessage, MessagePool } from "../ipc/kernel-message.ts";
import type { KernelServer } from "../ipc/kernel-server.ts";
import { makeTransfer, type TransferKind } from "../ipc/make-transfer.ts";
import { notifyPending } from "../ipc/notifications.ts";
import { PORT_IN_KERNEL, type Port, PortTable } from "../ipc/port.ts";
import { sendToPort } from "../ipc/queueing.ts";
import { destroyMessage } from "../ipc/release.ts";
import { Space } from "../ipc/space.ts";
import { completeReceivers, completeSend, takeSender } from "../ipc/waits.ts";
import { makeIdentifier } from "../norma/identifier.ts";
import { IdentifierTable } from "../norma/identifier-table.ts";
import { NetworkIpc } from "../norma/network-ipc.ts";
import { TOKEN_SPECIAL_PORT } from "../norma/token.ts";
import { Transport, type TransportOptions } from "../norma/transport.ts";
import type { Protection } from "../task/call-options.ts";
import { interrupted, MachError } from "../task/mach-error.ts";
import { NAME_SERVER_SPECIAL_PORT } from "../task/netname.ts";
import {
  DEVICE_SPECIAL_PORT,
  HOST_PRIV_SPECIAL_PORT,
  HOST_SPECIAL_PORT,
} from "../task/special-ports.ts";
import type { Task } from "../task/task.ts";
import type { TaskKernel, Waiting } from "../task/task-kernel.ts";
import type { SwapDevice } from "../vm/swap.ts";
import { VirtualMemory, type VirtualMemoryOptions } from "../vm/virtual-memory.ts";
import { BusyWaits } from "./busy-waits.ts";
import { DeviceServer } from "./device-server.ts";
import type { DiskRecord } from "./disk-file.ts";
import type { KernelTask } from "./kernel-task.ts";
import { NameServer } from "./name-server.ts";
import type { NodeDriver } from "./node-driver.ts";
import type { NodeFaults } from "./node-faults.ts";
import { Quantum } from "./quantum.ts";
import { RoomWaits } from "./room-waits.ts";
import { SpecialSlots } from "./special-ports.ts";
import { Spins } from "./spins.ts";
import { type ProgramLoader, type TaskHost, TaskServer } from "./task-server.ts";
import { Timers } from "./timers.ts";

/** States of a node, in REG_STATE; 0 before its kernel is built. */
export const NODE_RUNNING = 1;
export const NODE_HALTED = 2;

/** Packets taken in one step: bounded, so that timers and output are not starved. */
const STEP_PACKETS_MAX = 32;
/** Windows of packets that may be on their way to one node: what keeps a sender and the wire busy. */
const BACKLOG_WINDOWS = 4;

export interface NodeOptions {
  readonly transport: TransportOptions;
  /** Messages that only arrivals may take. */
  readonly receiveReserve: number;
  /** Names per task. */
  readonly namesPerTask: number;
  readonly vm: VirtualMemoryOptions;
  /** How out-of-line data travels. */
  readonly transfer: TransferKind;
  readonly protection: Protection;
  /** Rights between tasks of this node lead through the network (testing). */
  readonly loopback: boolean;
  /** Between two periods of the token, ns; NEVER: none comes by itself. */
  readonly tokenPauseNs: number;
  /** How long a waiting task steps the kernel before it suspends, ns; 0 = it suspends at once. */
  readonly spinNs: number;
  /** The node has its worker thread to itself. */
  readonly exclusive: boolean;
  readonly disks: readonly DiskRecord[];
  /** Faults that are injected; null: none. */
  readonly faults: NodeFaults | null;
}

/** Ports that every node's kernel has: the name server's, the host's, the privileged host's, the device master's
 *  and the token's. */
export const KERNEL_PORTS = 5;
/** Send rights that every node's kernel has: to its name server, in the special port slot. */
export const KERNEL_SEND_RIGHTS = 1;

export class NodeKernel implements TaskKernel, TaskHost {
  readonly node: number;
  readonly nodes: number;
  readonly memory: PhysicalMemory;
  readonly network: NetworkInterface;
  readonly frames: FrameTable;
  readonly vm: VirtualMemory;
  readonly transport: Transport;
  readonly identifiers: IdentifierTable;
  readonly ipc: IpcContext;
  readonly clock: StepClock;
  readonly nameServer: NameServer;
  readonly taskServer: TaskServer;
  readonly specialSlots: SpecialSlots;
  /** Who starts programs in tasks that were created empty; the node's task runner. */
  loader: ProgramLoader | null = null;
  readonly exclusive: boolean;
  readonly namesPerTask: number;
  /** Tasks that were resumed and have not run since. */
  runnable = 0;
  readonly quantum = new Quantum();

  private readonly networkIpc: NetworkIpc;
  private readonly driver: NodeDriver;
  private readonly faults: NodeFaults | null;
  private readonly random: Random;
  private readonly timers: Timers;
  private readonly spins: Spins;
  private readonly sleepers = new Set<(error: MachError) => void>();
  private readonly roomWaits = new RoomWaits(this);
  private readonly busyWaits: BusyWaits;
  private halted = false;
  /** Counts tasksRan(): wakes of an older epoch are no longer in `runnable`. */
  private epoch = 1;

  constructor(
    memory: PhysicalMemory,
    network: NetworkInterface,
    frames: FrameTable,
    driver: NodeDriver,
    random: Random,
    options: NodeOptions,
    swap: SwapDevice | null,
  ) {
    this.node = memory.node;
    this.nodes = memory.layout.nodes;
    this.memory = memory;
    this.network = network;
    this.frames = frames;
    this.driver = driver;
    this.faults = options.faults;
    this.clock = this.faults?.clock ?? driver.clock;
    this.timers = new Timers(this.clock);
    this.random = random;
    this.exclusive = options.exclusive;
    this.namesPerTask = options.namesPerTask;
    this.spins = new Spins(this, driver, options.spinNs);

    this.busyWaits = new BusyWaits(frames, (task) => this.taskResumes(task));
    this.vm = new VirtualMemory(memory, frames, options.vm, swap);
    const transfer = makeTransfer(options.transfer, this.vm, memory);
    const pool = new MessagePool(memory, frames, transfer, options.receiveReserve);
    const controlPacket = pool.takeForKernel();
    assert(controlPacket !== null);
    const ports = new PortTable();
    this.transport = new Transport(
      memory,
      network,
      controlPacket.at,
      this.clock,
      options.transport,
    );
    const { loopback } = options;
    this.identifiers = new IdentifierTable(this.node, this.nodes, ports, memory.counters, loopback);
    const context = {
      memory,
      frames,
      vm: this.vm,
      pool,
      transfer,
      holdsSenders: options.protection === "hold",
      ports,
      doomed: [],
      destroying: false,
      atInterruptLevel: false,
      kernelRequests: [],
      notifications: [],
    };
    // The record and its network IPC know each other: one of them is tied in afterwards.
    this.ipc = context as unknown as IpcContext;
    const backlogMax = Math.min(BACKLOG_WINDOWS * options.transport.windowPackets, pool.quarter);
    this.networkIpc = new NetworkIpc(
      this.ipc,
      this.transport,
      this.identifiers,
      backlogMax,
      this,
      options.tokenPauseNs,
      loopback,
    );
    this.ipc.remote = this.networkIpc;
    pool.setSink(this);

    this.nameServer = new NameServer(this.ipc);
    this.taskServer = new TaskServer(this);
    const { taskServer } = this;
    this.kernelPort({ serve: (request) => taskServer.serveHost(request) }, HOST_SPECIAL_PORT);
    this.kernelPort(
      { serve: (request) => taskServer.servePrivilegedHost(request) },
      HOST_PRIV_SPECIAL_PORT,
    );
    const nameServer = this.kernelPort(this.nameServer, NAME_SERVER_SPECIAL_PORT);
    this.specialSlots = new SpecialSlots(this.ipc, nameServer);
    this.kernelPort(new DeviceServer(this, options.disks), DEVICE_SPECIAL_PORT);
    this.kernelPort(this.networkIpc.token, TOKEN_SPECIAL_PORT);
    this.armRing();
    Atomics.store(memory.words, REG_STATE, NODE_RUNNING);
  }

  // --- stepping ---------------------------------------------------------------------------------

  /** One bounded batch of work. Returns how much was done; 0 = nothing to do right now. */
  step(): number {
    const { faults } = this;
    if (faults !== null) {
      if (faults.isPaused()) return 0;
      if (faults.apply(this.ipc.pool)) this.messageFreed();
    }
    // While a task spins it has the thread: whoever waits for the next quantum goes on when it has let go.
    let work = this.quantum.isWaitedFor && !this.spins.areUnderWay ? this.beginQuantum() : 0;
    work += this.network.pump();
    this.ipc.atInterruptLevel = true;
    work += this.transport.poll(STEP_PACKETS_MAX);
    this.ipc.atInterruptLevel = false;
    this.networkIpc.batchEnded();
    const { vm } = this;
    if (vm.needsBalance || vm.framesWanted || this.busyWaits.count > 0) this.serveMemory();
    if (this.ipc.kernelRequests.length > 0) this.serveKernelRequests();
    if (this.transport.isDue()) work += this.transport.tick();
    if (this.timers.isDue()) work += this.timers.run();
    return work;
  }

  pagesOnTheWay(): number[] {
    return this.networkIpc.pagesOnTheWay();
  }

  /** Pages out if frames are short; lets those go on who wait for a frame, or for a page that is busy. */
  private serveMemory(): void {
    const { vm } = this;
    if (vm.needsBalance) vm.balance();
    if (vm.framesWanted && this.frames.freeCount > 0 && !this.ipc.pool.starved) {
      vm.framesWanted = false; // who finds none again says so again
      this.networkIpc.framesFreed();
    }
    if (this.busyWaits.count > 0) this.busyWaits.resume();
  }

  /** Requests of other nodes to ports of the kernel; whose port has died meanwhile is destroyed. */
  private serveKernelRequests(): void {
    for (const request of this.ipc.kernelRequests.splice(0)) {
      sendToPort(this.ipc, request, true);
    }
  }

  /** What waits for the periodic token, for people. */
  describeToken(): string {
    return this.networkIpc.token.describe();
  }

  /** When step() has something to do though nothing arrives, in the machine's time, ns. */
  nextDeadlineNs(): number {
    const ownNs = Math.min(this.transport.nextDeadlineNs(), this.timers.nextDeadlineNs());
    const { faults } = this;
    if (faults === null) return Math.min(ownNs, this.network.nextDeadlineNs());
    if (faults.isPaused()) return this.network.nextDeadlineNs();
    const faultsNs = faults.nextDeadlineNs(this.ipc.pool);
    return Math.min(this.machineNs(ownNs), this.network.nextDeadlineNs(), faultsNs);
  }

  /** A time of this node's clock in the machine's. */
  machineNs(ownNs: number): number {
    return this.faults?.clock?.machineNs(ownNs) ?? ownNs;
  }

  /** Ends all faults that are injected. */
  heal(): void {
    this.faults?.heal();
  }

  /** Sends the acknowledgements that are owed. Returns packets sent. */
  quiesce(): number {
    return this.faults?.isPaused() ? 0 : this.transport.quiesce();
  }

  spin(wait: Waiting): void {
    this.spins.spin(wait);
  }

  spinUntil(wait: Waiting, deadlineNs: number, atHalt: number = MACH_RCV_INTERRUPTED): void {
    this.spins.spinUntil(wait, deadlineNs, atHalt);
  }

  /** A store has met a busy page. Throws MachError: KERN_ABORTED, KERN_RESOURCE_SHORTAGE. */
  waitNotBusy(frame: number): void {
    if (this.spins.untilNotBusy(this.busyWaits.polled(frame))) return;
    if (this.vm.replaceBusy(frame) !== null) return;
    throw new MachError(KERN_RESOURCE_SHORTAGE, "no frame is free for a copy of a busy page");
  }

  whenNotBusy(task: Task | null, frame: number): Promise<void> {
    if (this.halted) return Promise.reject(interrupted(KERN_ABORTED));
    return this.busyWaits.wait(task, frame);
  }

  /** Brings the clock up to date, for a task that asks for the time. */
  tick(): void {
    this.driver.tick();
  }

  get isHalted(): boolean {
    return this.halted;
  }

  /** The name space and the memory of a new task. */
  newSpace(memory = this.vm.newTaskMemory()): Space {
    return new Space(this.ipc.ports, memory, this.namesPerTask);
  }

  /** The driver may be at rest. */
  wake(): void {
    this.driver.wake();
  }

  taskPort(task: Task, space: Space): Port {
    return this.recordOf(task, space).port;
  }

  threadPort(task: Task, space: Space): Port {
    return this.recordOf(task, space).thread;
  }

  private recordOf(task: Task, space: Space): KernelTask {
    const record = this.taskServer.recordOf(space);
    record.task = task;
    return record;
  }

  // --- tasks ------------------------------------------------------------------------------------

  taskResumes(task: Task): void {
    this.driver.wake();
    if (task.wakesEpoch !== this.epoch) {
      task.wakesEpoch = this.epoch;
      task.wakes = 0;
    }
    task.wakes += 1;
    this.runnable += 1;
  }

  taskRuns(task: Task): void {
    if (task.wakesEpoch === this.epoch) this.runnable -= task.wakes;
    task.wakes = 0;
  }

  /** The driver has let every resumed task run, including those that did not call the kernel since. */
  tasksRan(): void {
    this.runnable = 0;
    this.epoch += 1;
    this.beginQuantum();
  }

  quantumEnds(): boolean {
    return this.quantum.receiveEnds() && !this.halted;
  }

  nextQuantum(task: Task): Promise<void> {
    return this.quantum.next(task);
  }

  private beginQuantum(): number {
    return this.quantum.begin((task) => this.taskResumes(task));
  }

  messageToSend(task: Task, bytes: number, deadlineNs: number): Promise<KernelMessage | null> {
    if (this.halted) return Promise.reject(interrupted(MACH_SEND_INTERRUPTED));
    return this.roomWaits.wait(task, bytes, deadlineNs);
  }

  /** PoolSink: a message came back. What the kernel itself has to send goes first; then refused senders
   *  of other nodes are told; then those here, oldest first, as far as there is room. */
  messageFreed(): void {
    const { pool } = this.ipc;
    if (this.ipc.notifications.length > 0) notifyPending(this.ipc);
    this.networkIpc.messageFreed();
    if (this.transport.isStopped && pool.roomToReceive) this.transport.buffersAvailable();
    this.roomWaits.resume(pool);
  }

  setTimer(deadlineNs: number, fire: () => void): () => void {
    this.driver.wake();
    const entry = this.timers.set(deadlineNs, fire);
    return () => this.timers.cancel(entry);
  }

  sleepUntil(task: Task, deadlineNs: number): Promise<void> {
    if (this.halted) return Promise.reject(interrupted(KERN_ABORTED));
    this.driver.wake();
    return new Promise<void>((resolve, reject) => {
      this.sleepers.add(reject);
      this.timers.set(deadlineNs, () => {
        this.sleepers.delete(reject);
        this.taskResumes(task);
        resolve();
      });
    });
  }

  specialPort(node: number, localId: number): Port {
    const port = this.identifiers.portOf(makeIdentifier(node, localId));
    assert(port !== null, `no special port ${localId} on node ${node}`);
    return port;
  }

  /** Sends the token round so many times, now; on node 0. Resolves when it is back. */
  runTokenPeriods(periods: number): Promise<void> {
    return new Promise((resolve) => this.networkIpc.token.runPeriods(periods, resolve));
  }

  log(task: Task, line: string): void {
    this.driver.log(task, line);
  }

  forkRandom(label: string): Random {
    return this.random.fork(label);
  }

  // --- end --------------------------------------------------------------------------------------

  /** Interrupts every wait of every task: MACH_RCV_INTERRUPTED, MACH_SEND_INTERRUPTED, KERN_ABORTED. */
  halt(): void {
    if (this.halted) return;
    this.halted = true;
    this.taskServer.halt();
    this.beginQuantum();
    for (const port of this.ipc.ports) {
      completeReceivers(port.queue, MACH_RCV_INTERRUPTED);
      for (let wait = takeSender(port); wait !== null; wait = takeSender(port)) {
        const { message } = wait;
        completeSend(wait, MACH_SEND_INTERRUPTED);
        if (message !== null) destroyMessage(this.ipc, message);
      }
    }
    for (const reject of this.sleepers) reject(interrupted(KERN_ABORTED));
    this.sleepers.clear();
    // A sender that holds has sent its message: it is told so.
    for (const message of this.ipc.pool.held()) {
      message.hold?.pagesReleased();
      message.hold = null;
    }
    this.busyWaits.reject(interrupted(KERN_ABORTED));
    this.roomWaits.reject(interrupted(MACH_SEND_INTERRUPTED));
    Atomics.store(this.memory.words, REG_STATE, NODE_HALTED);
  }

  private kernelPort(server: KernelServer, localId: number): Port {
    const port = this.ipc.ports.create(PORT_IN_KERNEL);
    port.server = server;
    this.identifiers.registerSpecial(port, localId);
    return port;
  }

  private armRing(): void {
    const { ringLength } = this.memory.layout;
    const armed = new Int32Array(ringLength);
    for (let i = 0; i < ringLength; i++) {
      armed[i] = this.frames.allocate(FRAME_ARMED);
      assert(armed[i]! >= 0, "memory has frames for the ring");
    }
    this.network.armAll(armed);
  }
}
