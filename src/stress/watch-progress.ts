// Watches the programs of a run until they have ended, one has failed, or those of a workload do not come forward any more, whatever
// others do: programs that need nobody else go on for ever on a machine that is stuck. Progress is what programs report
// themselves: steps done and messages received that were right. Packets that are sent again, tokens that go round and look-ups
// that are repeated are none.

import type { MachineTask } from "../node/machine-interface.ts";
import type { HostTime } from "./pace-maker.ts";
import { PLACE_RECEIVED, PLACE_STEPS, placeWord } from "./progress-layout.ts";

/** One program of a run. */
export interface StartedProgram {
  readonly workload: string;
  readonly place: number;
  /** Number among all programs of the run: which words of the progress it writes. */
  readonly number: number;
  readonly task: MachineTask;
}

export interface Failure {
  readonly program: StartedProgram;
  readonly error: unknown;
}

interface WatchedWorkload {
  readonly name: string;
  readonly programs: readonly StartedProgram[];
  /** Sum of its progress, and when that was last another one. */
  seen: number;
  seenNs: number;
}

export type WatchEnd = "ended" | "failed" | "stuck";

/** Looks after the first failure, in which the others may say what they have found. */
const LOOKS_AFTER_FAILURE = 3;
/** A simulation that is at rest so many looks in a row will not go on. */
const LOOKS_AT_REST = 3;

export class ProgressWatch {
  readonly failures: Failure[] = [];
  /** Programs that stood still when the run was found to be stuck. */
  standing: readonly StartedProgram[] = [];
  private readonly words: Int32Array;
  private readonly programs: readonly StartedProgram[];
  private readonly ended = new Set<number>();
  private readonly workloads: readonly WatchedWorkload[];

  constructor(words: Int32Array, programs: readonly StartedProgram[]) {
    this.words = words;
    this.programs = programs;
    const names = new Set(programs.map(({ workload }) => workload));
    this.workloads = [...names].map((name) => ({
      name,
      programs: programs.filter(({ workload }) => workload === name),
      seen: -1,
      seenNs: 0,
    }));
    for (const program of programs) {
      program.task.exited.then(
        () => this.ended.add(program.number),
        (error: unknown) => {
          this.ended.add(program.number);
          this.failures.push({ program, error });
        },
      );
    }
  }

  /** Programs that have not ended. */
  get running(): StartedProgram[] {
    return this.programs.filter(({ number }) => !this.ended.has(number));
  }

  stepsOf(program: StartedProgram): number {
    return this.words[placeWord(program.number) + PLACE_STEPS]!;
  }

  receivedOf(program: StartedProgram): number {
    return this.words[placeWord(program.number) + PLACE_RECEIVED]!;
  }

  steps(): number {
    return this.programs.reduce((sum, program) => sum + this.stepsOf(program), 0);
  }

  received(): number {
    return this.programs.reduce((sum, program) => sum + this.receivedOf(program), 0);
  }

  /** Until all have ended, or one has failed, or a workload stands still. `look` is called at every look. */
  async untilEnd(time: HostTime, look: () => Promise<void>): Promise<WatchEnd> {
    let looksLeft = LOOKS_AFTER_FAILURE;
    let rests = 0;
    for (;;) {
      await time.pause();
      if (this.failures.length > 0 && looksLeft-- === 0) return "failed";
      if (this.ended.size === this.programs.length) {
        return this.failures.length > 0 ? "failed" : "ended";
      }
      await look();
      const now = time.nowNs();
      for (const workload of this.workloads) this.lookAt(workload, now);
      rests = time.atRest() ? rests + 1 : 0;
      if (this.failures.length > 0) continue;
      const isAtRest = rests >= LOOKS_AT_REST;
      const still = this.workloads.filter(({ seenNs }) => now - seenNs > time.patienceNs);
      const names = still.map(({ name }) => name);
      this.standing = this.running.filter(({ workload }) => isAtRest || names.includes(workload));
      if (this.standing.length > 0) return "stuck";
    }
  }

  /** The end of a program is progress, too. */
  private lookAt(workload: WatchedWorkload, nowNs: number): void {
    let sum = 0;
    for (const program of workload.programs) {
      sum += this.stepsOf(program) + this.receivedOf(program);
      if (this.ended.has(program.number)) sum += 1;
    }
    if (sum === workload.seen) return;
    workload.seen = sum;
    workload.seenNs = nowNs;
  }
}
