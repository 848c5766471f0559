// Tasks that a task of another node is the parent of (CMU norma/kern_task.c, norma_task_create). The parent's kernel sends
// all that the child inherits in one message to the privileged host port of the child's node: the ports, and a copy of the
// memory, out of line. That node makes the task whole or not at all, and answers whoever asked.
//   at the parent's node   createTaskAt(): a snapshot, region by region, copied on write until the pages are away
//   at the child's         taskAllocate(): checks what it is told, and makes memory and task of it

import { REGION_BYTES_MAX } from "../base/limits.ts";
import { KERN_INVALID_ARGUMENT, KERN_SUCCESS } from "../base/status.ts";
import type { IpcContext } from "../ipc/context.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import type { Port } from "../ipc/port.ts";
import { releaseRight } from "../ipc/release.ts";
import { MOVE_SEND, PORT_SEND } from "../ipc/rights.ts";
import type { Space } from "../ipc/space.ts";
import { int32, int32s, port, ports, regions } from "../mig/fields.ts";
import { routine, subsystem, type TakenOf } from "../mig/subsystem.ts";
import { REGISTERED_PORTS_MAX } from "../task/kernel-interfaces.ts";
import { HOST_PRIV_SPECIAL_PORT } from "../task/special-ports.ts";
import type { MapEntry } from "../vm/map-entry.ts";
import { VM_INHERIT_SHARE, VM_PROT_ALL } from "../vm/protection.ts";
import type { TaskMemory } from "../vm/task-memory.ts";
import type { KernelMemory, KernelRight } from "./kernel-items.ts";
import { PassedOn } from "./kernel-routines.ts";
import { copySend, type KernelTask } from "./kernel-task.ts";
import { listAsCopy } from "./vm-server.ts";

/** Calls between kernels, at a privileged host port (norma_internal). */
export const normaInternal = subsystem("norma_internal", 556000, {
  /** `id`: of the request that the answer is to. `pieces`: PIECE_WORDS for each of `contents`. */
  taskAllocate: routine(
    {
      id: int32,
      bootstrap: port(MOVE_SEND),
      exception: port(MOVE_SEND),
      registered: ports(MOVE_SEND),
      pieces: int32s,
      contents: regions,
    },
    { child: port(MOVE_SEND) },
  ),
});

const TASK_ALLOCATE = normaInternal.routine("taskAllocate");

/** Of a piece of memory: address and size in pages, protection, its maximum, inheritance. Without contents it is zeros. */
const PIECE_WORDS = 5;

/** What this needs of its kernel. */
export interface RemoteTaskHost {
  readonly ipc: IpcContext;
  readonly node: number;
  readonly nodes: number;
  newSpace(memory?: TaskMemory): Space;
  specialPort(node: number, localId: number): Port;
}

/** Who knows the records of tasks. */
export interface TaskRecords {
  recordOf(space: Space): KernelTask;
}

type AllocateArgs = TakenOf<
  NonNullable<(typeof normaInternal)["shapes"]>["taskAllocate"]["request"],
  KernelRight,
  KernelMemory
>;

// --- at the parent's node -------------------------------------------------------------------------

/** Passes on to another node that it make a child of a task. KERN_INVALID_ARGUMENT: memory is to be shared, which nodes
 *  cannot; other codes: the memory cannot be read. Then nothing has happened. */
export const createTaskAt = (
  host: RemoteTaskHost,
  parent: KernelTask,
  inheritMemory: boolean,
  node: number,
  id: number,
): PassedOn | number => {
  const image = new MemoryImage(host.ipc);
  if (inheritMemory) {
    const status = image.take(parent.space.memory);
    if (status !== KERN_SUCCESS) return status;
  }
  const there = copySend(host.specialPort(node, HOST_PRIV_SPECIAL_PORT))!;
  const { pieces, contents } = image;
  return new PassedOn(there, TASK_ALLOCATE, { id, ...parent.forChild(), pieces, contents });
};

/** A task's memory as a child inherits it, ready to be sent. */
class MemoryImage {
  readonly pieces: number[] = [];
  readonly contents: KernelMemory[] = [];
  private readonly ipc: IpcContext;

  constructor(ipc: IpcContext) {
    this.ipc = ipc;
  }

  take(memory: TaskMemory): number {
    const { entries } = memory.map;
    if (entries.some(({ inheritance }) => inheritance === VM_INHERIT_SHARE)) {
      return KERN_INVALID_ARGUMENT;
    }
    const snapshot = memory.fork();
    let status = KERN_SUCCESS;
    for (const entry of [...snapshot.map.entries]) {
      status = this.takeEntry(snapshot, entry);
      if (status !== KERN_SUCCESS) break;
    }
    this.ipc.transfer.taskEnded(snapshot);
    snapshot.destroy();
    if (status !== KERN_SUCCESS) this.discard();
    return status;
  }

  private takeEntry(snapshot: TaskMemory, entry: MapEntry): number {
    const { transfer } = this.ipc;
    const { pageBytes } = snapshot;
    const { start, end, protection, maxProtection, inheritance } = entry;
    const untouched = isUntouched(entry);
    entry.protection = VM_PROT_ALL; // a child inherits what its parent may not read, too
    const pagesMax = untouched ? end - start : REGION_BYTES_MAX / pageBytes;
    for (let page = start; page < end; page += pagesMax) {
      const pages = Math.min(pagesMax, end - page);
      const data = untouched
        ? null
        : transfer.take(snapshot, page * pageBytes, pages * pageBytes, false, true);
      if (data === null && !untouched) return snapshot.status;
      this.pieces.push(page, pages, protection, maxProtection, inheritance);
      this.contents.push(data);
    }
    return KERN_SUCCESS;
  }

  private discard(): void {
    for (const data of this.contents) if (data !== null) this.ipc.transfer.discard(data);
  }
}

/** True if nobody has ever stored to an entry's object: it is zeros. */
const isUntouched = ({ backing }: MapEntry): boolean => {
  for (let object = backing.object; ; object = object.shadow) {
    if (object.present > 0) return false;
    if (object.shadow === null) return true;
  }
};

// --- at the child's node --------------------------------------------------------------------------

/** Makes a task of what another kernel has sent, all of it or none. KERN_INVALID_ARGUMENT, KERN_NO_SPACE,
 *  KERN_RESOURCE_SHORTAGE. */
export const taskAllocate = (
  host: RemoteTaskHost,
  records: TaskRecords,
  args: AllocateArgs,
  request: KernelMessage,
): number | { child: KernelRight } => {
  const { ipc } = host;
  const { id, pieces, contents, ...rights } = args;
  request.id = id;
  const memory = ipc.vm.newTaskMemory();
  const tooMany = rights.registered.length > REGISTERED_PORTS_MAX;
  const status = tooMany ? KERN_INVALID_ARGUMENT : fillMemory(ipc, memory, pieces, contents);
  if (status === KERN_SUCCESS) {
    const child = records.recordOf(host.newSpace(memory));
    child.inherit(rights);
    return { child: copySend(child.port) };
  }
  memory.destroy();
  for (const data of contents) if (data !== null) ipc.transfer.discard(data);
  for (const right of [rights.bootstrap, rights.exception, ...rights.registered]) {
    if (right !== null) releaseRight(ipc, right, PORT_SEND);
  }
  return status;
};

/** Puts the pieces where they belong. What has been used up is null in `contents` afterwards. */
const fillMemory = (
  ipc: IpcContext,
  memory: TaskMemory,
  pieces: Int32Array,
  contents: KernelMemory[],
): number => {
  if (pieces.length !== contents.length * PIECE_WORDS) return KERN_INVALID_ARGUMENT;
  for (let i = 0; i < contents.length; i++) {
    const at = i * PIECE_WORDS;
    const address = pieces[at]! * memory.pageBytes;
    const bytes = pieces[at + 1]! * memory.pageBytes;
    if (!(bytes > 0)) return KERN_INVALID_ARGUMENT;
    const status = place(ipc, memory, address, bytes, contents, i);
    if (status !== KERN_SUCCESS) return status;
    const wrong =
      memory.vmProtect(address, bytes, false, pieces[at + 2]!) ||
      memory.vmProtect(address, bytes, true, pieces[at + 3]!) ||
      memory.vmInherit(address, bytes, pieces[at + 4]!);
    if (wrong !== KERN_SUCCESS) return wrong;
  }
  return KERN_SUCCESS;
};

const place = (
  ipc: IpcContext,
  memory: TaskMemory,
  address: number,
  bytes: number,
  contents: KernelMemory[],
  index: number,
): number => {
  const data = contents[index]!;
  if (data === null) return memory.vmAllocate(address, bytes, false);
  if (data.bytes !== bytes || data.offset !== 0) return KERN_INVALID_ARGUMENT;
  contents[index] = null;
  const copy = listAsCopy(ipc, data);
  if (typeof copy === "number") return copy;
  const status = memory.copyoutObject(copy, address);
  if (status !== KERN_SUCCESS) ipc.transfer.discard(copy);
  return status;
};
