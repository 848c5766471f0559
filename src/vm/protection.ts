// What a task may do with its memory, and what a child gets of it; Mach's own numbers (mach/vm_prot.h,
// mach/vm_inherit.h).

export const VM_PROT_NONE = 0;
export const VM_PROT_READ = 1;
export const VM_PROT_WRITE = 2;
export const VM_PROT_EXECUTE = 4;
export const VM_PROT_DEFAULT = VM_PROT_READ | VM_PROT_WRITE;
export const VM_PROT_ALL = VM_PROT_READ | VM_PROT_WRITE | VM_PROT_EXECUTE;

/** A child shares the memory with its parent, has a copy of its own, or does not have it. */
export const VM_INHERIT_SHARE = 0;
export const VM_INHERIT_COPY = 1;
export const VM_INHERIT_NONE = 2;

/** No bits but those that there are. */
export const isProtection = (value: number): boolean => (value & VM_PROT_ALL) === value;

export const isInheritance = (value: number): boolean =>
  value === VM_INHERIT_SHARE || value === VM_INHERIT_COPY || value === VM_INHERIT_NONE;
