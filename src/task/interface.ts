// Typed interfaces, for programs: a subsystem with its client stubs and its server loop.
//   const greeter = defineInterface("greeter", 5000, { greet: routine({ name: text }, { greeting: text }) });
//   await greeter.serve(task, port, { greet: ({ name }) => ({ greeting: `hello, ${name}` }) });
//   const { greeting } = await greeter.client(task, right).greet({ name: "node 5" });

import type { PortName } from "../ipc/rights.ts";
import { type Shapes, type Subsystem, subsystem } from "../mig/subsystem.ts";
import { demux, type Implementation, implement, type Served, type ServeOptions } from "./serve.ts";
import { type CallOptions, type Client, makeClient } from "./stubs.ts";
import type { Task } from "./task.ts";

export class Interface<S extends Shapes> {
  readonly subsystem: Subsystem<S>;

  constructor(definition: Subsystem<S>) {
    this.subsystem = definition;
  }

  /** Stubs that call the server behind `port`, a send right. `options` are the calls' defaults. */
  client(task: Task, port: PortName, options?: CallOptions): Client<S> {
    return makeClient(this.subsystem, task, port, options);
  }

  /** The interface with its functions, for demux(). */
  implement(functions: Implementation<S>): Served {
    return implement(this.subsystem, functions);
  }

  /** Serves this interface alone: see Demux.serve(). */
  serve(
    task: Task,
    port: PortName,
    functions: Implementation<S>,
    options?: ServeOptions,
  ): Promise<void> {
    return demux(this.implement(functions)).serve(task, port, options);
  }
}

/** Defines an interface. Ids are `base` + index in the order written; RangeError, TypeError when the
 *  definition cannot be. */
export const defineInterface = <const S extends Shapes>(
  name: string,
  base: number,
  shapes: S,
): Interface<S> => new Interface(subsystem(name, base, shapes));
