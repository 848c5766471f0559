// Comlink over Mach ports: expose an object on one node, call it from another.
//   const { expose, wrap } = comlinkOverPorts(Comlink);   // the program's own import of comlink
//   await expose(counter, task, port);                    // server: until the port dies
//   const counter = await wrap(task, right);              // client
// Comlink's way to carry proxied objects (callbacks, instances of classes) is a MessageChannel, whose events
// need an event loop that a node's thread seldom turns. Here such an object gets a pair of Mach ports of
// its own. Where the endpoint is a real MessagePort, Comlink's way still works.

import type * as Comlink from "comlink";
import type { PortName } from "../ipc/rights.ts";
import { connect, listen, offers, PortEndpoint } from "./endpoint.ts";
import type { Task } from "./task.ts";

/** What is needed of the comlink module. */
export type ComlinkModule = Pick<typeof Comlink, "expose" | "wrap" | "transferHandlers">;

/** Comlink's two verbs, for tasks. */
export interface ComlinkOverPorts {
  /** Lets clients that wrap() a send right for `port`, a receive right of the task, use `object`.
   *  Resolves when the port dies or the machine is halted. */
  expose(object: unknown, task: Task, port: PortName): Promise<void>;
  /** A proxy of the object exposed behind `port`, a send right. Rejects as a call does. */
  wrap<Exposed>(task: Task, port: PortName): Promise<Comlink.Remote<Exposed>>;
}

/** A transfer handler, as far as it is used here. */
interface ProxyHandler {
  canHandle(value: unknown): boolean;
  serialize(value: unknown): [unknown, readonly object[]];
  deserialize(value: unknown): unknown;
}

const installed = new WeakSet<object>();

/** Teaches `comlink` to carry proxies over ports, once. */
export const comlinkOverPorts = (comlink: ComlinkModule): ComlinkOverPorts => {
  install(comlink);
  return {
    expose: (object, task, port) =>
      listen(task, port, (endpoint) => comlink.expose(object, endpoint)),
    wrap: async <Exposed>(task: Task, port: PortName) =>
      comlink.wrap<Exposed>(await connect(task, port)),
  };
};

const install = (comlink: ComlinkModule): void => {
  const handlers = comlink.transferHandlers as unknown as Map<string, ProxyHandler>;
  const original = handlers.get("proxy")!;
  if (installed.has(original)) return;
  const handler: ProxyHandler = {
    canHandle: (value) => original.canHandle(value),
    serialize: (value) => {
      const written = original.serialize(value);
      const port = written[1][0] as MessagePort;
      offers.set(port, {
        serve: (endpoint) => {
          port.close(); // it is not needed, and neither is its other end, which closes with it
          comlink.expose(value, endpoint);
        },
        drop: () => port.close(),
      });
      return written;
    },
    deserialize: (value) =>
      value instanceof PortEndpoint ? comlink.wrap(value) : original.deserialize(value),
  };
  installed.add(handler);
  handlers.set("proxy", handler);
};

interface MessagePort {
  close(): void;
}
