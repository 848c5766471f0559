// Makes a failing plan smaller while it goes on failing in the same way: fewer workloads, nodes, steps, kinds of fault; a
// plainer machine. Greedy: the first smaller plan that still fails is gone on with, until none does or the runs are used up.

import type { FaultOptionsInput } from "../config/fault-options.ts";
import type { StressPlan } from "./plan.ts";
import type { Verdict } from "./stress-result.ts";

export interface Minimised {
  readonly plan: StressPlan;
  /** Runs that it took. */
  readonly runs: number;
}

/** `run`: the verdict of a plan. `runsMax`: runs that may be spent. `onStep`: told of each smaller plan that still fails. */
export const minimise = async (
  plan: StressPlan,
  verdict: Verdict,
  run: (plan: StressPlan) => Promise<Verdict>,
  runsMax: number,
  onStep: (plan: StressPlan) => void = () => {},
): Promise<Minimised> => {
  let smallest = plan;
  let runs = 0;
  for (let found = true; found && runs < runsMax; ) {
    found = false;
    for (const candidate of smallerPlans(smallest)) {
      if (runs === runsMax) break;
      runs += 1;
      if ((await run(candidate)) !== verdict) continue;
      smallest = candidate;
      found = true;
      onStep(smallest);
      break;
    }
  }
  return { plan: smallest, runs };
};

/** Plans that are smaller in one thing, the largest steps first. */
export function* smallerPlans(plan: StressPlan): Generator<StressPlan> {
  const { workloads, machine } = plan;
  if (workloads.length > 1) {
    for (const kept of workloads) yield { ...plan, workloads: [kept] };
    for (const left of workloads)
      yield { ...plan, workloads: workloads.filter((one) => one !== left) };
  }
  const dimension = machine.dimension ?? 3;
  if (dimension > 1)
    yield withMachine(plan, withoutFarNodes({ ...machine, dimension: dimension - 1 }));
  yield* fewerSteps(plan);
  if (machine.faults !== undefined) yield* fewerFaults(plan, machine.faults);
  const { interconnect, transport, kernel } = machine;
  if ((interconnect?.kind ?? "direct-connect") !== "direct-connect") {
    yield withMachine(plan, {
      ...machine,
      interconnect: { ...interconnect, kind: "direct-connect" },
    });
  }
  if ((interconnect?.ringLength ?? 16) !== 16) {
    yield withMachine(plan, { ...machine, interconnect: { ...interconnect, ringLength: 16 } });
  }
  if ((transport?.windowPackets ?? 8) !== 8) {
    yield withMachine(plan, { ...machine, transport: { ...transport, windowPackets: 8 } });
  }
  if ((kernel?.messages ?? 256) !== 256) {
    yield withMachine(plan, { ...machine, kernel: { ...kernel, messages: 256 } });
  }
}

function* fewerSteps(plan: StressPlan): Generator<StressPlan> {
  for (const share of [0.5, 0.8]) {
    const workloads = plan.workloads.map((one) => ({
      ...one,
      steps: Math.max(1, Math.floor(one.steps * share)),
    }));
    if (workloads.some(({ steps }, i) => steps < plan.workloads[i]!.steps))
      yield { ...plan, workloads };
  }
}

function* fewerFaults(plan: StressPlan, faults: FaultOptionsInput): Generator<StressPlan> {
  const { faults: _all, ...clean } = plan.machine;
  yield { ...withMachine(plan, clean), healAfter: null };
  for (const kind of Object.keys(faults) as (keyof FaultOptionsInput)[]) {
    if (kind === "seed" || kind === "delayNs") continue;
    const { [kind]: _one, ...others } = faults;
    yield withMachine(plan, { ...plan.machine, faults: others });
  }
}

const withMachine = (plan: StressPlan, machine: StressPlan["machine"]): StressPlan => ({
  ...plan,
  machine,
});

/** What is said of nodes that a smaller machine does not have is left out. */
const withoutFarNodes = (machine: StressPlan["machine"]): StressPlan["machine"] => {
  const { faults, dimension = 3 } = machine;
  if (faults === undefined) return machine;
  const near = <T extends object>(list: readonly T[] | undefined): T[] | undefined =>
    list?.filter((entry) =>
      (["node", "from", "to"] as const).every(
        (key) => ((entry as Partial<Record<typeof key, number>>)[key] ?? 0) < 2 ** dimension,
      ),
    );
  const lists = {
    links: near(faults.links),
    cuts: near(faults.cuts),
    pauses: near(faults.pauses),
    starve: near(faults.starve),
    clocks: near(faults.clocks),
  };
  return { ...machine, faults: { ...faults, ...defined(lists) } as FaultOptionsInput };
};

const defined = (lists: object): object =>
  Object.fromEntries(Object.entries(lists).filter(([, value]) => value !== undefined));
