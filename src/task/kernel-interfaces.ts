// The interfaces of kernel-owned ports, with Mach's ids (mach/mach_port.defs, mach.defs, mach_host.defs):
//   machPort   of a task port: the mach_port calls on that task's name space
//   mach       of a task port, and of a thread port: tasks, their memory, special and registered ports
//   machHost   of a host port
//   machNorma  of a privileged host port: special ports of nodes; of a task port: tasks on other nodes
// They work alike on ports of this node and of any other: machPort.client(task, port).allocate({...}).
// Arrays of names and rights travel in line here; names in them are words, negative from 2^31 on.

import { COPY_SEND, MAKE_SEND, MOVE_SEND, MOVE_SEND_ONCE, PORT_SEND } from "../ipc/rights.ts";
import {
  anyRight,
  boolean,
  int32,
  int32s,
  json,
  polymorphic,
  port,
  portName,
  ports,
  region,
  text,
  uint32,
} from "../mig/fields.ts";
import { at, routine } from "../mig/subsystem.ts";
import { defineInterface } from "./interface.ts";

/** mach_port_*: rights are RIGHT_SEND, RIGHT_RECEIVE, ...; names are the target task's. */
export const machPort = defineInterface("mach_port", 3200, {
  names: routine({}, { names: int32s, types: int32s }),
  type: routine({ name: portName }, { type: int32 }),
  rename: routine({ oldName: portName, newName: portName }, {}),
  allocateName: routine({ right: int32, name: portName }, {}),
  allocate: routine({ right: int32 }, { name: portName }),
  destroy: routine({ name: portName }, {}),
  deallocate: routine({ name: portName }, {}),
  getRefs: routine({ name: portName, right: int32 }, { refs: int32 }),
  modRefs: routine({ name: portName, right: int32, delta: int32 }, {}),
  /** As getReceiveStatus was before ports had sequence numbers. */
  oldGetReceiveStatus: routine(
    { name: portName },
    {
      pset: portName,
      mscount: int32,
      qlimit: int32,
      msgcount: int32,
      sorights: int32,
      srights: boolean,
      pdrequest: boolean,
      nsrequest: boolean,
    },
  ),
  setQlimit: routine({ name: portName, qlimit: int32 }, {}),
  setMscount: routine({ name: portName, mscount: int32 }, {}),
  getSetStatus: routine({ name: portName }, { members: int32s }),
  moveMember: routine({ member: portName, after: portName }, {}),
  requestNotification: routine(
    { name: portName, id: int32, sync: int32, notify: anyRight },
    { previous: port(MOVE_SEND_ONCE) },
  ),
  insertRight: routine({ name: portName, poly: anyRight }, {}),
  extractRight: routine({ name: portName, disposition: int32 }, { poly: anyRight }),
  getReceiveStatus: routine(
    { name: portName },
    {
      pset: portName,
      seqno: int32,
      mscount: int32,
      qlimit: int32,
      msgcount: int32,
      sorights: int32,
      srights: boolean,
      pdrequest: boolean,
      nsrequest: boolean,
    },
  ),
  setSeqno: routine({ name: portName, seqno: int32 }, {}),
});

/** Selectors of task special ports (mach/task_special_ports.h). */
export const TASK_KERNEL_PORT = 1;
export const TASK_EXCEPTION_PORT = 3;
export const TASK_BOOTSTRAP_PORT = 4;
/** Registered ports of a task (mach/mach_param.h, TASK_PORT_REGISTER_MAX). */
export const REGISTERED_PORTS_MAX = 4;

/** Flavors of task_info and host_info. */
export const TASK_BASIC_INFO = 1;
export const HOST_BASIC_INFO = 1;

export const mach = defineInterface("mach", 2000, {
  /** An empty task on the node of the port: it has a name space, and inherits special ports; memory too, if it
   *  is to, as each region's inheritance says. */
  taskCreate: at(2007, routine({ inheritMemory: boolean }, { child: port(MOVE_SEND) })),
  taskTerminate: at(2008, routine({}, {})),
  /** The task's one thread. */
  taskThreads: at(2011, routine({}, { threads: ports(MOVE_SEND) })),
  /** TASK_BASIC_INFO: suspend count, base priority, virtual size, resident size, names in use. */
  taskInfo: at(2012, routine({ flavor: int32 }, { info: int32s })),
  /** The vm calls: addresses and sizes in bytes. Protections are bits of VM_PROT_, inheritances VM_INHERIT_. */
  vmAllocate: at(
    2021,
    routine({ address: uint32, bytes: uint32, anywhere: boolean }, { address: uint32 }),
  ),
  vmDeallocate: at(2023, routine({ address: uint32, bytes: uint32 }, {})),
  vmProtect: routine(
    { address: uint32, bytes: uint32, setMaximum: boolean, protection: int32 },
    {},
  ),
  vmInherit: routine({ address: uint32, bytes: uint32, inheritance: int32 }, {}),
  /** A copy of the task's memory, for the caller. */
  vmRead: routine({ address: uint32, bytes: uint32 }, { data: region }),
  /** Puts the caller's data over the task's memory. */
  vmWrite: routine({ address: uint32, data: region }, {}),
  vmCopy: routine({ source: uint32, bytes: uint32, destination: uint32 }, {}),
  /** The first region at or above the address. No port stands for the memory object behind it. */
  vmRegion: routine(
    { address: uint32 },
    {
      address: uint32,
      bytes: uint32,
      protection: int32,
      maxProtection: int32,
      inheritance: int32,
      shared: boolean,
      object: port(MOVE_SEND),
      offset: uint32,
    },
  ),
  /** Of the task's node: page size; pages free, active, inactive, wired; zero fills, reactivations, pages in,
   *  pages out, faults, copies on write, lookups, hits. */
  vmStatistics: routine({}, { statistics: int32s }),
  machPortsRegister: at(2033, routine({ ports: ports(MOVE_SEND) }, {})),
  machPortsLookup: at(2034, routine({}, { ports: ports(MOVE_SEND) })),
  /** Counts: the task goes on when it has been resumed as often. KERN_FAILURE: it was not suspended. */
  taskSuspend: at(2056, routine({}, {})),
  taskResume: routine({}, {}),
  taskGetSpecialPort: at(2058, routine({ which: int32 }, { port: port(MOVE_SEND) })),
  taskSetSpecialPort: at(2059, routine({ which: int32, port: polymorphic(PORT_SEND) }, {})),
  /** Of a thread port: ends the waits of the thread that said they are interruptible. */
  threadAbort: at(2064, routine({}, {})),
  /** New zero-filled memory; `mask`: bits that must be 0 in its address. There are no ports of memory objects:
   *  the object is MACH_PORT_NULL. */
  vmMap: at(
    2089,
    routine(
      {
        address: uint32,
        bytes: uint32,
        mask: uint32,
        anywhere: boolean,
        object: port(COPY_SEND),
        offset: uint32,
        copy: boolean,
        protection: int32,
        maxProtection: int32,
        inheritance: int32,
      },
      { address: uint32 },
    ),
  ),
});

export const machHost = defineInterface("mach_host", 2600, {
  /** HOST_BASIC_INFO: CPUs, CPUs available, memory size, CPU type, CPU subtype. */
  hostInfo: at(2601, routine({ flavor: int32 }, { info: int32s })),
  hostKernelVersion: at(2615, routine({}, { version: text })),
});

/** Calls that know of nodes (mach_norma). The order of the last three is ours: only the base is known. */
export const machNorma = defineInterface("mach_norma", 555000, {
  /** A send right for what is in a slot of a node, MACH_PORT_NULL if it is empty. Of any privileged host port. */
  getSpecialPort: routine({ node: int32, which: int32 }, { port: port(MOVE_SEND) }),
  /** Puts a send right into a slot of the host port's node, or empties it. */
  setSpecialPort: routine({ which: int32, port: polymorphic(PORT_SEND) }, {}),
  /** Where the receive right is, as far as the node of the task port knows. */
  portLocationHint: routine({ port: polymorphic(PORT_SEND) }, { node: int32 }),
  /** task_create on a node: a child of the task. KERN_INVALID_ARGUMENT if memory that is shared with children would
   *  go to another node. */
  taskCreate: routine({ inheritMemory: boolean, node: int32 }, { child: port(MOVE_SEND) }),
  /** Where mach.taskCreate makes the task's children from now on. */
  taskSetChildNode: routine({ node: int32 }, {}),
});

/** What Mach has no call for, since its threads are made of registers: runs a program in a task. */
export const loader = defineInterface("loader", 7000, {
  /** Loads the module at `url` and starts its default export in the task; it must have none yet. */
  run: routine({ url: text, args: json<unknown>() }, {}),
});

/** Makes a send right to a port of one's own, as an argument. */
export const made = <Right>(right: Right) => ({ right, disposition: MAKE_SEND }) as const;
