// The vm calls of Mach 3.0: what they change, and what they refuse.

import { expect, test } from "@jest/globals";
import {
  KERN_INVALID_ADDRESS,
  KERN_INVALID_ARGUMENT,
  KERN_NO_SPACE,
  KERN_PROTECTION_FAILURE,
  KERN_SUCCESS,
} from "../../src/base/status.ts";
import {
  VM_INHERIT_COPY,
  VM_INHERIT_NONE,
  VM_INHERIT_SHARE,
  VM_PROT_ALL,
  VM_PROT_READ,
  VM_PROT_WRITE,
} from "../../src/vm/protection.ts";
import { bytesAt, PAGE, testVirtualMemory } from "../support/virtual-memory.ts";

const READ_WRITE = VM_PROT_READ | VM_PROT_WRITE;

test("vm_protect: more than the maximum is refused, before anything is changed", () => {
  const { task } = testVirtualMemory();
  const address = task.allocate(2 * PAGE)!;
  expect(task.vmProtect(address + PAGE, PAGE, true, VM_PROT_READ)).toBe(KERN_SUCCESS);
  expect(task.vmProtect(address, PAGE, false, VM_PROT_READ)).toBe(KERN_SUCCESS);
  expect(task.vmProtect(address, 2 * PAGE, false, READ_WRITE)).toBe(KERN_PROTECTION_FAILURE);
  expect(task.fill(address, 1, 1)).toBe(KERN_PROTECTION_FAILURE);
  expect(task.vmProtect(address, PAGE, false, READ_WRITE)).toBe(KERN_SUCCESS);
  expect(task.fill(address, 1, 1)).toBe(KERN_SUCCESS);
});

test("vm_protect: a lower maximum lowers the protection with it", () => {
  const { task } = testVirtualMemory();
  const address = task.allocate(PAGE)!;
  task.vmProtect(address, PAGE, true, VM_PROT_READ);
  expect(task.vmRegion(address)).toBe(KERN_SUCCESS);
  expect(task.region).toMatchObject({ protection: VM_PROT_READ, maxProtection: VM_PROT_READ });
});

test("vm_protect, vm_inherit: arguments that are none, and no bytes", () => {
  const { task } = testVirtualMemory();
  const address = task.allocate(PAGE)!;
  expect(task.vmProtect(address, PAGE, false, 8)).toBe(KERN_INVALID_ARGUMENT);
  expect(task.vmProtect(address, 2 ** 32, false, 1)).toBe(KERN_INVALID_ARGUMENT);
  expect(task.vmInherit(address, PAGE, 3)).toBe(KERN_INVALID_ARGUMENT);
  expect(task.vmProtect(address, 0, false, 0)).toBe(KERN_SUCCESS);
  expect(task.has(address, PAGE)).toBe(true);
});

test("vm_region: the first region at or above an address, whole", () => {
  const { task } = testVirtualMemory();
  task.vmAllocate(0x20000, 2 * PAGE, false);
  task.vmInherit(0x20000 + PAGE, PAGE, VM_INHERIT_SHARE);
  expect(task.vmRegion(0)).toBe(KERN_SUCCESS);
  expect(task.region).toEqual({
    address: 0x20000,
    bytes: PAGE,
    protection: READ_WRITE,
    maxProtection: VM_PROT_ALL,
    inheritance: VM_INHERIT_COPY,
    shared: false,
    offset: 0,
  });
  expect(task.vmRegion(0x20000 + PAGE + 1)).toBe(KERN_SUCCESS);
  expect(task.region).toMatchObject({ address: 0x20000 + PAGE, inheritance: VM_INHERIT_SHARE });
  expect(task.vmRegion(0x20000 + 2 * PAGE)).toBe(KERN_NO_SPACE);
});

test("vm_copy: also where the two overlap; and the errors of both", () => {
  const { task } = testVirtualMemory();
  const address = task.allocate(4 * PAGE)!;
  const data = Uint8Array.from({ length: 2 * PAGE }, (_, i) => i % 253);
  task.write(address, data);
  expect(task.vmCopy(address, 2 * PAGE, address + 100)).toBe(KERN_SUCCESS);
  expect(bytesAt(task, address + 100, 2 * PAGE)).toEqual([...data]);
  expect(task.vmCopy(address, 0, address)).toBe(KERN_SUCCESS);
  expect(task.vmCopy(address, PAGE, address + 4 * PAGE)).toBe(KERN_INVALID_ADDRESS);
  expect(task.vmCopy(address - 1, PAGE, address)).toBe(KERN_INVALID_ADDRESS);
  task.vmProtect(address + 3 * PAGE, PAGE, false, VM_PROT_READ);
  expect(task.vmCopy(address, PAGE, address + 2 * PAGE + 1)).toBe(KERN_PROTECTION_FAILURE);
});

test("fork: a child shares, has a copy, or has nothing", () => {
  const { task } = testVirtualMemory();
  const address = task.allocate(3 * PAGE)!;
  task.fill(address, 3 * PAGE, 1);
  task.vmInherit(address, PAGE, VM_INHERIT_SHARE);
  task.vmInherit(address + 2 * PAGE, PAGE, VM_INHERIT_NONE);
  const child = task.fork();
  expect(child.bytesInUse).toBe(2 * PAGE);
  task.fill(address, 2 * PAGE, 2);
  expect(bytesAt(child, address, 1)).toEqual([2]);
  expect(bytesAt(child, address + PAGE, 1)).toEqual([1]);
  child.fill(address, 2 * PAGE, 3);
  expect(bytesAt(task, address, 1)).toEqual([3]);
  expect(bytesAt(task, address + PAGE, 1)).toEqual([2]);
  expect(child.vmRegion(address)).toBe(KERN_SUCCESS);
  expect(child.region.shared).toBe(true);
});

test("fork: who shares memory of which there is a copy sees the other's stores, and the copy does not", () => {
  const { task } = testVirtualMemory();
  const address = task.allocate(PAGE)!;
  task.fill(address, PAGE, 1);
  task.vmInherit(address, PAGE, VM_INHERIT_SHARE);
  const child = task.fork();
  child.vmInherit(address, PAGE, VM_INHERIT_COPY);
  const grandchild = child.fork();
  expect(bytesAt(child, address, 1)).toEqual([1]);
  task.fill(address, PAGE, 2);
  expect(bytesAt(child, address, 1)).toEqual([2]);
  expect(bytesAt(grandchild, address, 1)).toEqual([1]);
});

test("vm_map: an object is shared by all that map it, and a copy of it is a copy", () => {
  const { vm, task, free } = testVirtualMemory();
  const before = free();
  const other = vm.newTaskMemory();
  const object = vm.objects.make(4, null, 0);
  const map = (whose: typeof task, offset: number, copy: boolean): number => {
    const status = whose.vmMap(0, PAGE, 0, true, object, offset, copy, READ_WRITE, VM_PROT_ALL, 1);
    expect(status).toBe(KERN_SUCCESS);
    return whose.address;
  };
  const mine = map(task, PAGE, false);
  task.fill(mine, PAGE, 5);
  const snapshot = map(other, PAGE, true);
  const theirs = map(other, PAGE, false);
  task.fill(mine, PAGE, 6);
  expect(bytesAt(other, theirs, 1)).toEqual([6]);
  expect(bytesAt(other, snapshot, 1)).toEqual([5]);
  other.fill(theirs, 1, 7);
  expect(bytesAt(task, mine, 2)).toEqual([7, 6]);
  task.destroy();
  other.destroy();
  vm.objects.release(object);
  expect(vm.objects.count).toBe(0);
  expect(free()).toBe(before);
});

test.each([
  ["protection bits", 8, 15, 1, 0],
  ["more than the maximum", 3, 1, 1, 0],
  ["inheritance", 3, 7, 9, 0],
  ["an offset inside a page", 3, 7, 1, 5],
])("vm_map: refuses wrong %s", (_what, protection, maximum, inheritance, offset) => {
  const { task } = testVirtualMemory();
  const map = (): number =>
    task.vmMap(0, PAGE, 0, true, null, offset, false, protection, maximum, inheritance);
  expect(map()).toBe(KERN_INVALID_ARGUMENT);
  expect(task.bytesInUse).toBe(0);
});

test.each([
  ["shares", VM_INHERIT_SHARE],
  ["has a copy of", VM_INHERIT_COPY],
])("vm_deallocate: a part of memory that a child %s stays with the child", (_how, inheritance) => {
  const { task } = testVirtualMemory();
  const address = task.allocate(3 * PAGE)!;
  task.fill(address, 3 * PAGE, 1);
  task.vmInherit(address, 3 * PAGE, inheritance);
  const child = task.fork();
  task.vmDeallocate(address + PAGE, PAGE);
  expect(bytesAt(child, address + PAGE, 1)).toEqual([1]);
  expect(bytesAt(task, address + 2 * PAGE, 1)).toEqual([1]);
});
