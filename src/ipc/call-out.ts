// What the mach_port calls have in common: where they leave their results, and how they find a receive right.

import { KERN_INVALID_NAME, KERN_INVALID_RIGHT, KERN_SUCCESS } from "../base/status.ts";
import { NO_ENTRY } from "./name-table.ts";
import type { Port } from "./port.ts";
import { type PortName, TYPE_RECEIVE } from "./rights.ts";
import type { Space } from "./space.ts";

/** Where a call leaves a name, a number or a right. */
export interface Out {
  value: number;
  right: Port | null;
}

export const makeOut = (): Out => ({ value: 0, right: null });

/** The port of a receive right in `out.right`. KERN_INVALID_NAME, KERN_INVALID_RIGHT. */
export const receiver = (space: Space, name: PortName, out: Out): number => {
  const index = space.find(name);
  if (index === NO_ENTRY) return KERN_INVALID_NAME;
  if ((space.typeAt(index) & TYPE_RECEIVE) === 0) return KERN_INVALID_RIGHT;
  out.right = space.portAt(index);
  return KERN_SUCCESS;
};
