// Progress of a stress run, on stderr only: a bar with rates and faults on a terminal, else one line per round.

import { Presets, SingleBar } from "cli-progress";
import type { MachineStats } from "../node/machine-interface.ts";
import type { StressPlan } from "../stress/plan.ts";
import type { StressProgress } from "../stress/run-plan.ts";
import { countFaults } from "../stress/stress-report.ts";

export interface RoundsProgress {
  begins(round: number, plan: StressPlan): void;
  look(progress: StressProgress, stats: MachineStats): void;
  stop(): void;
}

export const stressProgressOn = (stream: NodeJS.WriteStream): RoundsProgress =>
  stream.isTTY ? new Bar(stream) : new Lines(stream);

const describeRound = (round: number, { workloads, machine }: StressPlan): string => {
  const names = workloads.map(({ name }) => name).join(" ");
  const { dimension = 3, interconnect, faults } = machine;
  const kind = interconnect?.kind ?? "direct-connect";
  return `round ${round}: ${names}, ${2 ** dimension} nodes, ${kind}, ${faults === undefined ? "no faults" : "faults"}`;
};

class Bar implements RoundsProgress {
  private readonly bar: SingleBar;
  private startMs = 0;

  constructor(stream: NodeJS.WriteStream) {
    const format = "{what} {bar} {value}/{total} steps  {rate} messages/s  {faults}";
    const options = { stream, format, hideCursor: true, clearOnComplete: true };
    this.bar = new SingleBar(options, Presets.shades_classic);
  }

  begins(round: number, plan: StressPlan): void {
    this.startMs = performance.now();
    this.bar.start(1, 0, { what: describeRound(round, plan), rate: 0, faults: "" });
  }

  look({ steps, stepsPlanned, received }: StressProgress, { total }: MachineStats): void {
    const seconds = (performance.now() - this.startMs) / 1000;
    this.bar.setTotal(stepsPlanned);
    this.bar.update(steps, { rate: Math.round(received / seconds), faults: countFaults(total) });
  }

  stop(): void {
    this.bar.stop();
  }
}

class Lines implements RoundsProgress {
  private readonly stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream;
  }

  begins(round: number, plan: StressPlan): void {
    this.stream.write(`stress: ${describeRound(round, plan)}\n`);
  }

  look(): void {}

  stop(): void {}
}
