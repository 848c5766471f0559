// A request to be told when the port behind a name dies, or when the name goes away before that (MACH 3.0
// ipc_port_dnrequest). It holds a send-once right to the port that is told. The port and the name's
// entry both know it; when the port has died, the entry keeps it until it is touched, which is when the
// dead name gets the reference that came with the notification.

import type { Port } from "./port.ts";
import type { PortName } from "./rights.ts";

export class DeadNameRequest {
  /** The port that may die. */
  readonly port: Port;
  /** Holds a send-once right to it, until the request is used up. */
  notify: Port;
  name: PortName;

  constructor(port: Port, name: PortName, notify: Port) {
    this.port = port;
    this.name = name;
    this.notify = notify;
    port.deadNameRequests ??= new Set();
    port.deadNameRequests.add(this);
  }

  /** The port forgets it; false if the port's death has used it up. */
  withdraw(): boolean {
    return this.port.deadNameRequests?.delete(this) ?? false;
  }
}
