// The netname protocol (CMU netname.defs, subsystem 1040), as the name server and task.names share it.
// A signature is a port that its owner shows again to replace or remove a name; null is one too.

import { COPY_SEND, PORT_SEND } from "../ipc/rights.ts";
import { polymorphic, port, text } from "../mig/fields.ts";
import { routine, subsystem } from "../mig/subsystem.ts";

export const netname = subsystem("netname", 1040, {
  checkIn: routine(
    { name: text, signature: polymorphic(PORT_SEND), port: polymorphic(PORT_SEND) },
    {},
  ),
  lookUp: routine({ name: text }, { port: port(COPY_SEND) }),
  checkOut: routine({ name: text, signature: polymorphic(PORT_SEND) }, {}),
  version: routine({}, { version: text }),
});

/** netname_name_t is 80 characters. */
export const NAME_BYTES_MAX = 80;

/** Local id of every node's name server (NORMA_NAMESERVER_PORT). */
export const NAME_SERVER_SPECIAL_PORT = 4;
