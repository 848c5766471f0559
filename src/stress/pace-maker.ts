// Time as the host of a run sees it. In threads that is real time, looked at every few milliseconds; in simulation it is
// virtual time, so that the same run is watched at the same moments every time.

import { setTimeout as wait } from "node:timers/promises";
import { NS_PER_MS, NS_PER_US } from "../base/clock.ts";
import type { Machine, Simulation } from "../node/machine-interface.ts";
import type { StressPlan } from "./plan.ts";

/** How often a machine in threads is looked at, ms. */
const LOOK_MS = 20;
/** How often a simulation is looked at, ns of virtual time. */
const LOOK_NS = 200 * NS_PER_US;
/** How long a simulation at rest must stay so to be believed, ms of real time; virtual time stands still. */
const REST_LOOK_MS = 10;

export interface HostTime {
  nowNs(): number;
  /** Until the next look. */
  pause(): Promise<void>;
  /** Nothing will happen any more by itself. Only a simulation can tell. */
  atRest(): boolean;
  /** How long nothing may come forward, ns. */
  readonly patienceNs: number;
}

export const isSimulation = (machine: Machine): machine is Simulation => "drained" in machine;

export const hostTimeOf = (machine: Machine, plan: StressPlan): HostTime =>
  isSimulation(machine)
    ? new VirtualTime(machine, plan.stuckAfterNs)
    : {
        nowNs: () => performance.now() * NS_PER_MS,
        pause: () => wait(LOOK_MS),
        atRest: () => false,
        patienceNs: plan.stuckAfterMs * NS_PER_MS,
      };

class VirtualTime implements HostTime {
  readonly patienceNs: number;
  private readonly machine: Simulation;
  private resting = false;

  constructor(machine: Simulation, patienceNs: number) {
    this.machine = machine;
    this.patienceNs = patienceNs;
  }

  nowNs(): number {
    return this.machine.now();
  }

  async pause(): Promise<void> {
    this.resting = !(await this.machine.after(LOOK_NS));
    if (this.resting) await wait(REST_LOOK_MS); // a program may wait for I/O of its own
  }

  atRest(): boolean {
    return this.resting;
  }
}
