// What every workload is given, and what its programs have in common: a place among others, a pace, names by which the
// places find each other.
//   A workload runs as one program per place. A program goes on while pace.goesOn(), then tells all whom it has sent to
//   that it is done, and ends when all who may send to it have said so: so that nothing is under way when it ends.

import { NS_PER_S } from "../base/clock.ts";
import { hashWords, Random } from "../base/random.ts";
import type { PortName } from "../ipc/rights.ts";
import type { Task } from "../task/task.ts";
import { PLACE_RECEIVED, PLACE_STEPS, PROGRESS_STOP } from "./progress-layout.ts";

/** What a program of a workload gets. Structured-cloneable. */
export interface WorkloadArgs {
  /** Of this run of the workload: distinguishes its names from those of others. */
  readonly label: string;
  readonly place: number;
  readonly places: number;
  /** Steps that each place is to do. */
  readonly steps: number;
  /** Machine time at which no further step is begun, ns; Infinity: none. */
  readonly untilNs: number;
  readonly seed: number;
  /** progress-layout.ts; shared with the host. */
  readonly progress: Int32Array;
  /** Word of this place in it. */
  readonly progressAt: number;
}

/** What a program of a workload returns. */
export interface WorkloadResult {
  readonly steps: number;
  readonly received: number;
}

/** How long the places wait for each other to appear, ns. */
const LOOK_UP_NS = 600 * NS_PER_S;

/** A program's place in its workload. */
export class Place {
  readonly task: Task;
  readonly place: number;
  readonly places: number;
  readonly random: Random;
  private readonly args: WorkloadArgs;
  private begun = 0;

  constructor(task: Task, args: WorkloadArgs) {
    this.task = task;
    this.args = args;
    this.place = args.place;
    this.places = args.places;
    this.random = new Random(hashWords(args.seed, args.place, 0, 0, 0)).fork(args.label);
  }

  /** True if another step is to be begun; counts it. */
  goesOn(): boolean {
    const { steps, untilNs, progress } = this.args;
    if (this.begun >= steps || Atomics.load(progress, PROGRESS_STOP) !== 0) return false;
    if (untilNs !== Number.POSITIVE_INFINITY && this.task.now() >= untilNs) return false;
    this.begun += 1;
    return true;
  }

  /** A step is done. */
  stepDone(): void {
    this.args.progress[this.args.progressAt + PLACE_STEPS]! += 1; // this program alone writes it
  }

  /** A message has come and is good. */
  messageGood(): void {
    this.args.progress[this.args.progressAt + PLACE_RECEIVED]! += 1; // as above
  }

  /** Any place but this one; this one if it is alone. */
  anotherPlace(): number {
    if (this.places === 1) return 0;
    const step = 1 + this.random.below(this.places - 1);
    return (this.place + step) % this.places;
  }

  nodeOf(place: number): number {
    return place % this.task.nodes;
  }

  /** Makes a port of this place known under a name that the places of this run alone use. */
  async publish(what: string, port: PortName, place = this.place): Promise<void> {
    await this.task.names.checkIn(this.nameOf(what, place), port);
  }

  /** A send right for what a place has published; waits until it has. */
  async find(what: string, place: number): Promise<PortName> {
    const host = this.nodeOf(place);
    return this.task.names.lookUp(this.nameOf(what, place), { host, waitNs: LOOK_UP_NS });
  }

  /** The same of every place, in turn. */
  async findAll(what: string): Promise<PortName[]> {
    const ports: PortName[] = [];
    for (let place = 0; place < this.places; place++) ports.push(await this.find(what, place));
    return ports;
  }

  /** What the program returns. */
  result(): WorkloadResult {
    const { progress, progressAt } = this.args;
    return {
      steps: progress[progressAt + PLACE_STEPS]!,
      received: progress[progressAt + PLACE_RECEIVED]!,
    };
  }

  private nameOf(what: string, place: number): string {
    return `${this.args.label} ${what} ${place}`;
  }
}
