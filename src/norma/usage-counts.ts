// What a node counts of a port when rights to it come and go (paper 2.5.2: a node's ordinary counts are its usage
// counts; 2.5.4: the transit counts and the export flag beside them).

import { PORT_PROXY, type Port } from "../ipc/port.ts";
import { type CarriedRight, PORT_SEND, PORT_SEND_ONCE } from "../ipc/rights.ts";
import type { Identifier } from "./identifier.ts";
import type { Lineage } from "./lineage.ts";

/** A right that a message held leaves this node's counts for the wire. */
export const leaveNode = (port: Port, right: CarriedRight): void => {
  if (right === PORT_SEND) {
    port.sendRights -= 1;
    port.transit += 1;
    port.exported = true;
  } else if (right === PORT_SEND_ONCE) {
    port.onceTransit += 1;
    if (port.state === PORT_PROXY) port.sendOnceRights -= 1;
    else port.oncesAbroad += 1;
  }
  if (port.lineage !== null) (port.lineage as Lineage).count(port.identifier, right, 1);
};

/** False for a right that arrived and cannot be: its port's home has no send-once right elsewhere. */
export const isAbroad = (port: Port, right: CarriedRight): boolean =>
  right === PORT_SEND || port.state === PORT_PROXY || port.oncesAbroad > 0;

/** A right arrived from the wire, by one of the port's identifiers, and is held by a message here. */
export const enterNode = (port: Port, right: CarriedRight, identifier: Identifier): void => {
  if (right === PORT_SEND) {
    port.sendRights += 1;
    port.transit -= 1;
  } else {
    port.onceTransit -= 1;
    if (port.state === PORT_PROXY) port.sendOnceRights += 1;
    else port.oncesAbroad -= 1;
  }
  if (port.lineage !== null) (port.lineage as Lineage).count(identifier, right, -1);
};
