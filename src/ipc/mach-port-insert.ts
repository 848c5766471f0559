// The mach_port calls that move rights between holders (CMU ipc/mach_port.c): insert_right, in two halves
// so that a right is taken only when it can be put, and extract_right.
// Every function takes the space, which may be another task's than the caller's, and returns a
// kern_return_t; what it returns besides is left in its `out` argument. Rights that a call is given or
// gives away are Port references that count as held by the caller. task/ports.ts is the API over these;
// node/task-server.ts serves them to other tasks.

import { USER_REFERENCES_MAX } from "../base/limits.ts";
import {
  KERN_INVALID_CAPABILITY,
  KERN_INVALID_TASK,
  KERN_INVALID_VALUE,
  KERN_NAME_EXISTS,
  KERN_NO_SPACE,
  KERN_RIGHT_EXISTS,
  KERN_SUCCESS,
  KERN_UREFS_OVERFLOW,
} from "../base/status.ts";
import type { Out } from "./call-out.ts";
import type { IpcContext } from "./context.ts";
import { isOrdinaryName } from "./mach-port-names.ts";
import { NO_ENTRY } from "./name-table.ts";
import { notifyDetached } from "./notifications.ts";
import { PORT_DEAD, type Port } from "./port.ts";
import {
  type CarriedRight,
  carriedRight,
  isPortDisposition,
  MACH_PORT_NULL,
  PORT_RECEIVE,
  PORT_SEND,
  PORT_SEND_ONCE,
  type PortName,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "./rights.ts";
import type { Space } from "./space.ts";

/** Puts a right that the caller holds under a name: mach_port_insert_right. `leaving`: an entry of this
 *  space that the right is about to leave with its last reference, or NO_ENTRY.
 *  KERN_INVALID_VALUE, KERN_INVALID_CAPABILITY, KERN_NAME_EXISTS, KERN_RIGHT_EXISTS, KERN_UREFS_OVERFLOW,
 *  KERN_NO_SPACE. */
export const checkInsert = (
  space: Space,
  name: PortName,
  port: Port | null,
  right: number,
  leaving: number,
): number => {
  if (!isOrdinaryName(name) || !isPortDisposition(right)) return KERN_INVALID_VALUE;
  if (port === null || (port.state === PORT_DEAD && right !== PORT_RECEIVE)) {
    return KERN_INVALID_CAPABILITY;
  }
  if (!space.active) return KERN_INVALID_TASK;
  const found = space.find(name);
  const taken = found !== NO_ENTRY && found !== leaving;
  if (right !== PORT_SEND_ONCE) {
    const knownName = space.nameOf(port);
    const known = knownName === MACH_PORT_NULL ? NO_ENTRY : space.find(knownName);
    if (known !== NO_ENTRY && known !== leaving) {
      if (known !== found) return KERN_RIGHT_EXISTS;
      const send = right === PORT_SEND && (space.typeAt(known) & TYPE_SEND) !== 0;
      const full = space.referencesAt(known) >= USER_REFERENCES_MAX - 1;
      return send && full ? KERN_UREFS_OVERFLOW : KERN_SUCCESS;
    }
  }
  if (taken) return KERN_NAME_EXISTS;
  return leaving === NO_ENTRY && !space.hasRoom ? KERN_NO_SPACE : KERN_SUCCESS;
};

/** The same, after checkInsert() has found nothing against it. */
export const insertChecked = (
  space: Space,
  name: PortName,
  port: Port,
  right: CarriedRight,
): void => {
  if (right === PORT_SEND_ONCE) space.insertAs(name, port, TYPE_SEND_ONCE, 1);
  else if (space.nameOf(port) !== MACH_PORT_NULL) space.copyoutRight(port, right);
  else if (right === PORT_SEND) space.insertAs(name, port, TYPE_SEND, 1);
  else space.insertReceiveAs(name, port);
};

/** mach_port_extract_right: takes a right out of the space as a message would; `out.right` is its port, and
 *  `out.value` which right it is. KERN_INVALID_VALUE, KERN_INVALID_NAME, KERN_INVALID_RIGHT. */
export const portExtractRight = (
  ipc: IpcContext,
  space: Space,
  name: PortName,
  disposition: number,
  out: Out,
): number => {
  if (!isPortDisposition(disposition)) return KERN_INVALID_VALUE;
  const status = space.copyinRight(name, disposition);
  if (status !== KERN_SUCCESS) return status;
  out.right = space.copied;
  out.value = carriedRight(disposition);
  notifyDetached(ipc, space);
  return KERN_SUCCESS;
};
