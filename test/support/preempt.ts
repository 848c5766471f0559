// Preemption tests for code in shared memory, without hooks in that code: Atomics' own functions are
// replaced, operations counted, and at the k-th one the *other* party runs to completion, before or
// after it, for every k. With three parties each is preempted by the next, for all pairs of k.
//   const schedules = explore(() => ({ parties: [() => …, () => …], check: () => … }));
//   const operations = recordAtomics(() => …);     the order of stores, for those tests
//
// A party that would block in Atomics.wait goes to sleep: it ends there. When every party has run, and
// `last` after them, each sleeper must have been notified, or the error is "lost wake-up"; then its
// `woken` goes on. It checks logic; what plain accesses see is for the tests with threads.
// The code under test must call Atomics.store(…), never a saved reference.

type AtomicsName = "add" | "and" | "compareExchange" | "exchange" | "load" | "or" | "store" | "sub";
const NAMES: readonly AtomicsName[] = [
  "add",
  "and",
  "compareExchange",
  "exchange",
  "load",
  "or",
  "store",
  "sub",
];

type Operate = (words: Int32Array, index: number, ...values: number[]) => number;
const atomics = Atomics as unknown as Record<AtomicsName, Operate>;

export interface Scenario {
  /** Each is preempted by the next. */
  readonly parties: readonly (() => void)[];
  /** What a party does when it is woken from Atomics.wait, by index; default nothing. */
  readonly woken?: readonly (() => void)[];
  /** What happens last, when every party has run or sleeps; default nothing. */
  readonly last?: () => void;
  /** Throws if the outcome is wrong. */
  check(): void;
}

/** Party i is preempted around its k-th operation (from 0). */
interface Preemption {
  readonly k: number;
  readonly side: "before" | "after";
}

/** Runs every schedule of the scenario. Returns how many. Throws what the first bad one threw, with the
 *  schedule in its message. */
export const explore = (build: () => Scenario): number => {
  const inner = build().parties.length - 1;
  let schedules = 0;
  const visit = (prefix: readonly Preemption[]): boolean => {
    const level = prefix.length;
    for (let k = 0; ; k++) {
      for (const side of ["before", "after"] as const) {
        const preemptions = [...prefix, { k, side }];
        if (level < inner - 1) {
          if (!visit(preemptions)) return true;
          continue;
        }
        schedules += 1;
        const reached = new Schedule(build(), preemptions).run();
        if (!reached[level]!) return reached[level - 1] ?? true;
      }
    }
  };
  visit([]);
  return schedules;
};

class Sleep extends Error {}

class Schedule {
  private readonly scenario: Scenario;
  private readonly preemptions: readonly Preemption[];
  private readonly reached: boolean[];
  private readonly counts: number[];
  private readonly sleepers: { party: number; at: number; notified: boolean }[] = [];
  private started = -1;
  private running = -1;

  constructor(scenario: Scenario, preemptions: readonly Preemption[]) {
    this.scenario = scenario;
    this.preemptions = preemptions;
    this.reached = preemptions.map(() => false);
    this.counts = scenario.parties.map(() => 0);
  }

  /** Returns, for each preemption, whether its operation was ever reached. */
  run(): readonly boolean[] {
    try {
      withAtomics(
        (name, real, words, index, values) => this.operate(name, real, words, index, values),
        () => {
          this.start(0);
          this.scenario.last?.();
        },
        (words, index, value) => this.wait(words, index, value),
        (words, index) => this.notify(words, index),
      );
      for (const { party, notified } of this.sleepers) {
        if (!notified) throw new Error(`lost wake-up: nobody wakes party ${party}`);
        this.scenario.woken?.[party]?.();
      }
      this.scenario.check();
    } catch (error) {
      const where = this.preemptions.map(({ k, side }) => `${side} operation ${k}`).join(", then ");
      throw new Error(`schedule "${where}": ${(error as Error).message}`, { cause: error });
    }
    return this.reached;
  }

  private start(party: number): void {
    const preempted = this.running;
    this.started = party;
    this.running = party;
    try {
      this.scenario.parties[party]!();
    } catch (error) {
      if (!(error instanceof Sleep)) throw error;
    }
    // Never preempted: the next one runs after it.
    if (this.started === party && party + 1 < this.scenario.parties.length) this.start(party + 1);
    this.running = preempted;
  }

  private operate(
    _name: AtomicsName,
    real: Operate,
    words: Int32Array,
    index: number,
    values: number[],
  ): number {
    const side = this.preempts();
    if (side === "before") this.start(this.running + 1);
    const result = real(words, index, ...values);
    if (side === "after") this.start(this.running + 1);
    return result;
  }

  /** Counts an operation of the running party; on which side of it the next party runs, if any. */
  private preempts(): "before" | "after" | "not" {
    const party = this.running;
    const preemption = this.preemptions[party];
    const k = this.counts[party]!++;
    if (preemption === undefined || preemption.k !== k || this.started !== party) return "not";
    this.reached[party] = true;
    return preemption.side;
  }

  private wait(words: Int32Array, index: number, value: number): "not-equal" {
    if (this.preempts() !== "not") this.start(this.running + 1); // blocking, it has only one side
    if (words[index] !== value) return "not-equal";
    const at = words.byteOffset + index * 4;
    this.sleepers.push({ party: this.running, at, notified: false });
    throw new Sleep();
  }

  private notify(words: Int32Array, index: number): number {
    if (this.preempts() !== "not") this.start(this.running + 1);
    const at = words.byteOffset + index * 4;
    const sleeper = this.sleepers.find((entry) => entry.at === at && !entry.notified);
    if (sleeper === undefined) return 0;
    sleeper.notified = true;
    return 1;
  }
}

/** One call of an Atomics function, as it was made. */
export interface AtomicsCall {
  readonly name: AtomicsName;
  /** Word of the whole memory. */
  readonly at: number;
  readonly value: number | undefined;
}

/** Records the calls that `run` makes, in order; `onCall` may look at memory just before each. */
export const recordAtomics = (
  run: () => void,
  onCall: (call: AtomicsCall) => void = () => {},
): AtomicsCall[] => {
  const calls: AtomicsCall[] = [];
  withAtomics(
    (name, real, words, index, values) => {
      const call = { name, at: words.byteOffset / 4 + index, value: values.at(-1) };
      onCall(call);
      calls.push(call);
      return real(words, index, ...values);
    },
    run,
    () => "not-equal",
    () => 0,
  );
  return calls;
};

const withAtomics = (
  operate: (
    name: AtomicsName,
    real: Operate,
    words: Int32Array,
    index: number,
    values: number[],
  ) => number,
  run: () => void,
  wait: (words: Int32Array, index: number, value: number) => "not-equal",
  notify: (words: Int32Array, index: number) => number,
): void => {
  const saved = { ...Object.fromEntries(NAMES.map((name) => [name, atomics[name]])) };
  const { wait: savedWait, notify: savedNotify } = Atomics;
  for (const name of NAMES) {
    const real = saved[name]!;
    atomics[name] = (words, index, ...values) => operate(name, real, words, index, values);
  }
  Atomics.wait = wait as typeof Atomics.wait;
  Atomics.notify = notify as typeof Atomics.notify;
  try {
    run();
  } finally {
    for (const name of NAMES) atomics[name] = saved[name]!;
    Atomics.wait = savedWait;
    Atomics.notify = savedNotify;
  }
};
