// The vm calls of Mach 3.0 on a task's memory (MK83 vm/vm_user.c, vm/vm_map.c). Addresses are rounded down
// and ends rounded up to whole pages, except where bytes are copied.

import {
  KERN_INVALID_ADDRESS,
  KERN_INVALID_ARGUMENT,
  KERN_NO_SPACE,
  KERN_PROTECTION_FAILURE,
  KERN_SUCCESS,
} from "../base/status.ts";
import { NO_PLACE } from "./address-map.ts";
import { Backing } from "./backing.ts";
import type { MapEntry } from "./map-entry.ts";
import { checkBytes, checkStore, isRange } from "./memory-access.ts";
import type { MemoryObject } from "./memory-object.ts";
import { copyinObject, markCopied, overwriteObject } from "./object-copy.ts";
import {
  isInheritance,
  isProtection,
  VM_INHERIT_NONE,
  VM_INHERIT_SHARE,
  VM_PROT_READ,
  VM_PROT_WRITE,
} from "./protection.ts";
import { ADDRESS_END, type TaskMemory } from "./task-memory.ts";

/** Where something is to be mapped. `mask`: bits that must be 0 in an address that the kernel chooses. */
interface Place {
  readonly address: number;
  readonly bytes: number;
  readonly mask: number;
  readonly anywhere: boolean;
}

/** What is to be mapped: an object's bytes from `offset` on, or zeros. */
interface Contents {
  readonly object: MemoryObject | null;
  readonly offset: number;
  readonly copy: boolean;
  readonly protection: number;
  readonly maxProtection: number;
  readonly inheritance: number;
}

export const vmAllocate = (
  task: TaskMemory,
  address: number,
  bytes: number,
  anywhere: boolean,
): number => {
  task.address = 0;
  if (bytes === 0) return KERN_SUCCESS;
  const status = choosePlace(task, address, bytes, 0, anywhere);
  if (status === KERN_SUCCESS) insertZeros(task, Math.ceil(bytes / task.pageBytes));
  return status;
};

/** Puts into task.address where `bytes` can be mapped. KERN_NO_SPACE, KERN_INVALID_ADDRESS. */
const choosePlace = (
  task: TaskMemory,
  address: number,
  bytes: number,
  mask: number,
  anywhere: boolean,
): number => {
  const { map, pageBytes } = task;
  const pages = Math.ceil(bytes / pageBytes);
  if (!(bytes >= 0) || map.pages + pages > task.pagesMax) return KERN_NO_SPACE;
  let start = Math.floor(address / pageBytes);
  if (anywhere) {
    start = map.findPlace(pages, mask >>> task.pageTable.pageShift);
    if (start === NO_PLACE) return KERN_NO_SPACE;
  } else if (!(start >= map.first && start + pages <= map.end)) return KERN_INVALID_ADDRESS;
  else if (!map.isFree(start, start + pages)) return KERN_NO_SPACE;
  task.address = start * pageBytes;
  return KERN_SUCCESS;
};

const insertZeros = (task: TaskMemory, pages: number): MapEntry => {
  const object = task.vm.objects.make(pages, null, 0);
  const backing = new Backing(object, 0, pages, false);
  return task.map.insert(task.address / task.pageBytes, pages, backing, 0);
};

export const vmDeallocate = (task: TaskMemory, address: number, bytes: number): number => {
  if (!isRange(address, bytes)) return KERN_INVALID_ARGUMENT;
  if (bytes === 0) return KERN_SUCCESS;
  const { pageBytes, map } = task;
  map.remove(Math.floor(address / pageBytes), Math.ceil((address + bytes) / pageBytes));
  return KERN_SUCCESS;
};

/** Calls `change` for each entry of a range, which is cut to fit, and joins what is alike afterwards. */
const changeEntries = (
  task: TaskMemory,
  first: number,
  end: number,
  change: (entry: MapEntry) => void,
): void => {
  const { map } = task;
  map.cut(first);
  map.cut(end);
  for (let index = map.indexAt(first); index < map.entries.length; index++) {
    const entry = map.entries[index]!;
    if (entry.start >= end) break;
    change(entry);
  }
  map.join(first, end);
};

export const vmProtect = (
  task: TaskMemory,
  address: number,
  bytes: number,
  setMaximum: boolean,
  protection: number,
): number => {
  if (!isRange(address, bytes) || !isProtection(protection)) return KERN_INVALID_ARGUMENT;
  if (bytes === 0) return KERN_SUCCESS;
  const { map, pageBytes } = task;
  const first = Math.floor(address / pageBytes);
  const end = Math.ceil((address + bytes) / pageBytes);
  for (let index = map.indexAt(first); index < map.entries.length; index++) {
    const entry = map.entries[index]!;
    if (entry.start >= end) break;
    if ((protection & entry.maxProtection) !== protection) return KERN_PROTECTION_FAILURE;
  }
  changeEntries(task, first, end, (entry) => {
    if (setMaximum) entry.maxProtection = protection;
    entry.protection = setMaximum ? entry.protection & protection : protection;
    limitMappings(task, entry);
  });
  return KERN_SUCCESS;
};

/** Takes out of the page table what the entry's protection does not allow any more. */
const limitMappings = (task: TaskMemory, { start, end, protection }: MapEntry): void => {
  if ((protection & VM_PROT_READ) === 0) task.pageTable.remove(start, end);
  else if ((protection & VM_PROT_WRITE) === 0) task.pageTable.protect(start, end);
};

export const vmInherit = (
  task: TaskMemory,
  address: number,
  bytes: number,
  inheritance: number,
): number => {
  if (!isRange(address, bytes) || !isInheritance(inheritance)) return KERN_INVALID_ARGUMENT;
  if (bytes === 0) return KERN_SUCCESS;
  const first = Math.floor(address / task.pageBytes);
  const end = Math.ceil((address + bytes) / task.pageBytes);
  changeEntries(task, first, end, (entry) => {
    entry.inheritance = inheritance;
  });
  return KERN_SUCCESS;
};

export const vmRegion = (task: TaskMemory, address: number): number => {
  const { map, pageBytes, region } = task;
  if (!(address >= 0 && address < ADDRESS_END)) return KERN_NO_SPACE;
  const entry = map.entries[map.indexAt(Math.floor(address / pageBytes))];
  if (entry === undefined) return KERN_NO_SPACE;
  region.address = entry.start * pageBytes;
  region.bytes = (entry.end - entry.start) * pageBytes;
  region.protection = entry.protection;
  region.maxProtection = entry.maxProtection;
  region.inheritance = entry.inheritance;
  region.shared = entry.shared;
  region.offset = (entry.backing.offset + entry.offset) * pageBytes;
  return KERN_SUCCESS;
};

export const vmCopy = (
  task: TaskMemory,
  source: number,
  bytes: number,
  destination: number,
): number => {
  let status = checkBytes(task, source, bytes, VM_PROT_READ);
  if (status === KERN_SUCCESS) status = checkStore(task, destination, bytes);
  if (status !== KERN_SUCCESS) return status;
  const copy = copyinObject(task, source, bytes, false);
  if (copy === null) return task.status;
  status = overwriteObject(task, destination, copy);
  task.vm.discardCopy(copy);
  return status;
};

export const vmMap = (task: TaskMemory, place: Place, contents: Contents): number => {
  const { object, offset, copy, protection, maxProtection, inheritance } = contents;
  const { pageBytes, map, vm } = task;
  if (!isProtection(protection) || !isProtection(maxProtection)) return KERN_INVALID_ARGUMENT;
  if (!isInheritance(inheritance) || offset % pageBytes !== 0) return KERN_INVALID_ARGUMENT;
  if ((protection & maxProtection) !== protection) return KERN_INVALID_ARGUMENT;
  const pages = Math.ceil(place.bytes / pageBytes);
  const first = offset / pageBytes;
  if (object !== null && !(first >= 0 && first + pages <= object.pages))
    return KERN_INVALID_ARGUMENT;
  task.address = 0;
  if (place.bytes === 0) return KERN_SUCCESS;
  const status = choosePlace(task, place.address, place.bytes, place.mask, place.anywhere);
  if (status !== KERN_SUCCESS) return status;
  let entry: MapEntry;
  if (object === null) entry = insertZeros(task, pages);
  else {
    const whole = sharedBacking(object);
    const start = task.address / pageBytes;
    if (copy) {
      markCopied(vm, whole);
      whole.object.references += 1;
      const own = new Backing(whole.object, whole.offset + first, pages, true);
      entry = map.insert(start, pages, own, 0);
      map.releaseBacking(whole);
    } else {
      entry = map.insert(start, pages, whole, first);
      entry.shared = true;
      whole.references -= 1;
    }
  }
  entry.protection = protection;
  entry.maxProtection = maxProtection;
  entry.inheritance = inheritance;
  return KERN_SUCCESS;
};

/** The backing through which all see an object who map the object itself; one more user of it. */
const sharedBacking = (object: MemoryObject): Backing => {
  if (object.shared === null) {
    object.references += 1;
    object.shared = new Backing(object, 0, object.pages, false);
    object.shared.origin = object;
  }
  object.shared.references += 1;
  return object.shared;
};

export const fork = (parent: TaskMemory): TaskMemory => {
  const { vm } = parent;
  const child = vm.newTaskMemory();
  for (const entry of parent.map.entries) {
    if (entry.inheritance === VM_INHERIT_NONE) continue;
    const inherited = entry.part(entry.start, entry.end);
    if (entry.inheritance === VM_INHERIT_SHARE) {
      entry.shared = true;
      inherited.shared = true;
    } else {
      const { backing } = entry;
      markCopied(vm, backing);
      backing.object.references += 1;
      backing.references -= 1;
      const pages = entry.end - entry.start;
      const offset = backing.offset + entry.offset;
      inherited.backing = new Backing(backing.object, offset, pages, true);
      inherited.backing.references = 1;
      inherited.offset = 0;
      inherited.shared = false;
    }
    child.map.put(inherited);
  }
  return child;
};
