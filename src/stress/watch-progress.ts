// Watches the programs of a run until they have ended, one has failed, or none comes forward any more. Progress is
// what programs report themselves: steps done and messages received that were right. Packets that are sent again, tokens
// that go round and look-ups that are repeated are none.

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

export type WatchEnd = "ended" | "failed" | "stuck";

/** Looks after the first failure, in which the others may say what they have found. */
const LOOKS_AFTER_FAILURE = 3;
/** A simulation that is at rest so many looks in a row will not go on. */
const LOOKS_AT_REST = 3;

export class ProgressWatch {
  readonly failures: Failure[] = [];
  private readonly words: Int32Array;
  private readonly programs: readonly StartedProgram[];
  private readonly ended = new Set<number>();

  constructor(words: Int32Array, programs: readonly StartedProgram[]) {
    this.words = words;
    this.programs = programs;
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

  /** Until all have ended, or one has failed, or nobody comes forward. `look` is called at every look. */
  async untilEnd(time: HostTime, look: () => Promise<void>): Promise<WatchEnd> {
    let seen = -1;
    let seenNs = time.nowNs();
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
      const sum = this.steps() + this.received() + this.ended.size;
      if (sum !== seen) {
        seen = sum;
        seenNs = now;
      }
      rests = time.atRest() ? rests + 1 : 0;
      if (this.failures.length > 0) continue;
      if (now - seenNs > time.patienceNs || rests >= LOOKS_AT_REST) return "stuck";
    }
  }
}
