// How a task gives somebody a send right for a port that it has any right to.

import { NO_ENTRY } from "../ipc/name-table.ts";
import { COPY_SEND, MAKE_SEND, type PortName, TYPE_RECEIVE } from "../ipc/rights.ts";
import type { Space } from "../ipc/space.ts";
import type { Disposed } from "../mig/fields.ts";

/** A send right made of a receive right, or a copy of a send right; null as it is. */
export const sendRightFor = (space: Space, name: PortName): Disposed<PortName> => {
  const index = space.find(name);
  const receives = index !== NO_ENTRY && (space.typeAt(index) & TYPE_RECEIVE) !== 0;
  return { right: name, disposition: receives ? MAKE_SEND : COPY_SEND };
};
