// Ports and send rights for a kernel in the benchmark's own thread, without messages: what fill-node.ts
// does on a machine.

import { PORT_IN_SPACE, type Port } from "../../src/ipc/port.ts";
import type { PortName } from "../../src/ipc/rights.ts";
import type { Space } from "../../src/ipc/space.ts";
import type { NodeKernel } from "../../src/node/kernel.ts";

/** New ports, whose receive rights are in a new space. */
export function addPorts(kernel: NodeKernel, count: number): Port[] {
  const owner = kernel.newSpace();
  return Array.from({ length: count }, () => {
    const port = kernel.ipc.ports.create(PORT_IN_SPACE);
    owner.insertReceive(port);
    return port;
  });
}

/** A send right for each of `ports`, in `space`; their names there. */
export function addSendRights(space: Space, ports: readonly Port[]): PortName[] {
  return ports.map((port) => {
    port.makeSendCount += 1;
    port.sendRights += 1; // the right that goes under a name next
    return space.insertSend(port);
  });
}
