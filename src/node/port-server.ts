// Serves the mach_port calls of task ports (mach/mach_port.defs): a task's name space, for whoever has a send right to the
// task's port. The routines are those that task.ports calls directly.

import { KERN_INVALID_CAPABILITY, KERN_INVALID_RIGHT, KERN_SUCCESS } from "../base/status.ts";
import { makeOut } from "../ipc/call-out.ts";
import type { IpcContext } from "../ipc/context.ts";
import { atHome } from "../ipc/copyout.ts";
import { checkInsert, insertChecked, portExtractRight } from "../ipc/mach-port-insert.ts";
import {
  portAllocate,
  portAllocateName,
  portDeallocate,
  portDestroy,
  portGetRefs,
  portModRefs,
  portRename,
  portType,
} from "../ipc/mach-port-names.ts";
import { portRequestNotification } from "../ipc/mach-port-notify.ts";
import {
  portGetReceiveStatus,
  portGetSetStatus,
  portMoveMember,
  portSetMscount,
  portSetQlimit,
  portSetSeqno,
} from "../ipc/mach-port-receive.ts";
import { NO_ENTRY } from "../ipc/name-table.ts";
import { PORT_DEAD } from "../ipc/port.ts";
import { releaseRight } from "../ipc/release.ts";
import {
  type CarriedRight,
  MOVE_RECEIVE,
  MOVE_SEND,
  PORT_RECEIVE,
  PORT_SEND,
  PORT_SEND_ONCE,
} from "../ipc/rights.ts";
import type { Interface } from "../task/interface.ts";
import type { machPort } from "../task/kernel-interfaces.ts";
import type { KernelRight } from "./kernel-items.ts";
import type { KernelFunctions } from "./kernel-routines.ts";
import type { KernelTask } from "./kernel-task.ts";

type PortFunctions =
  typeof machPort extends Interface<infer Shapes> ? KernelFunctions<Shapes, KernelTask> : never;

export const portFunctions = (ipc: IpcContext): PortFunctions => {
  const out = makeOut();
  const release = (right: KernelRight, kind: CarriedRight): void => {
    if (right !== null) releaseRight(ipc, right, kind);
  };
  return {
    names: (_args, { space }) => {
      const names = [...space.names()];
      const types = names.map((name) => {
        portType(space, name, out);
        return out.value | 0;
      });
      return { names: names.map(toWord), types };
    },
    type: ({ name }, { space }) => {
      const status = portType(space, name, out);
      return status === KERN_SUCCESS ? { type: out.value | 0 } : status;
    },
    rename: ({ oldName, newName }, { space }) => portRename(space, oldName, newName),
    allocateName: ({ right, name }, { space }) => portAllocateName(ipc, space, right, name),
    allocate: ({ right }, { space }) => {
      const status = portAllocate(ipc, space, right, out);
      return status === KERN_SUCCESS ? { name: out.value } : status;
    },
    destroy: ({ name }, { space }) => portDestroy(ipc, space, name),
    deallocate: ({ name }, { space }) => portDeallocate(ipc, space, name),
    getRefs: ({ name, right }, { space }) => {
      const status = portGetRefs(space, name, right, out);
      return status === KERN_SUCCESS ? { refs: out.value } : status;
    },
    modRefs: ({ name, right, delta }, { space }) => portModRefs(ipc, space, name, right, delta),
    setQlimit: ({ name, qlimit }, { space }) => portSetQlimit(ipc, space, name, qlimit),
    setMscount: ({ name, mscount }, { space }) => portSetMscount(space, name, mscount),
    getSetStatus: ({ name }, { space }) => {
      const members = portGetSetStatus(space, name, out);
      return members === null ? out.value : { members: members.map(toWord) };
    },
    moveMember: ({ member, after }, { space }) => portMoveMember(ipc, space, member, after),
    requestNotification: ({ name, id, sync, notify }, { space }) => {
      const { right, kind, dead } = notify;
      const usable = right === null ? !dead : kind === PORT_SEND_ONCE && right.state !== PORT_DEAD;
      const status = usable
        ? portRequestNotification(ipc, space, name, id, sync, right, out)
        : KERN_INVALID_CAPABILITY;
      if (status === KERN_SUCCESS) return { previous: out.right };
      release(right, kind);
      return status;
    },
    insertRight: ({ name, poly }, { space }) => {
      if (poly.right === null) return KERN_INVALID_CAPABILITY;
      const right = atHome(ipc, space, poly.right, poly.kind);
      const status = checkInsert(space, name, right, poly.kind, NO_ENTRY);
      if (status === KERN_SUCCESS) insertChecked(space, name, right, poly.kind);
      else release(right, poly.kind);
      return status;
    },
    extractRight: ({ name, disposition }, { space }, { local: replyPort }) => {
      const stays = replyPort !== null && !ipc.remote.acceptsReceiveRight(replyPort);
      if (disposition === MOVE_RECEIVE && stays) return KERN_INVALID_RIGHT;
      const status = portExtractRight(ipc, space, name, disposition, out);
      if (status !== KERN_SUCCESS) return status;
      return { poly: { right: out.right, disposition: moveOf(out.value) } };
    },
    getReceiveStatus: ({ name }, { space }) => portGetReceiveStatus(space, name, out) ?? out.value,
    oldGetReceiveStatus: ({ name }, { space }) =>
      portGetReceiveStatus(space, name, out) ?? out.value,
    setSeqno: ({ name, seqno }, { space }) => portSetSeqno(space, name, seqno),
  };
};

/** A name as an element of an array of integers. */
const toWord = (name: number): number => name | 0;

/** A right in a reply is the kernel's own, and goes. */
const moveOf = (kind: number): CarriedRight => {
  if (kind === PORT_RECEIVE) return MOVE_RECEIVE;
  return kind === PORT_SEND ? MOVE_SEND : PORT_SEND_ONCE;
};
