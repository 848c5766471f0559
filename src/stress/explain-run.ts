// Explains a run that has come to a standstill, or has left something behind: which programs have not ended and how far they are,
// the channels that are held, then node by node what the node says of itself. A worker whose loop is dead does not answer: then the host
// says that, and what the counters in shared memory tell.

import { setTimeout as wait } from "node:timers/promises";
import type { Machine } from "../node/machine-interface.ts";
import type { ProgressWatch } from "./watch-progress.ts";

/** How long a node may take to answer, ms. */
const ANSWER_MS = 2000;

export const explainRun = async (
  machine: Machine,
  watch: ProgressWatch,
  answerMs = ANSWER_MS,
): Promise<string[]> => {
  const lines = watch.running.map((program) => {
    const { workload, place, task } = program;
    const far = `${watch.stepsOf(program)} steps, ${watch.receivedOf(program)} messages`;
    return `task ${task.node}.${task.id} is ${workload}, place ${place}: ${far}`;
  });
  lines.push(...machine.describeChannels());
  const nodes = Array.from({ length: machine.nodes }, (_, node) => node);
  const answers = await Promise.all(nodes.map((node) => ask(machine, node, answerMs)));
  return lines.concat(answers.flat());
};

const ask = async (machine: Machine, node: number, answerMs: number): Promise<string[]> => {
  const { counters } = machine.stats().nodes[node]!;
  const late = new AbortController();
  const silence = wait(answerMs, null, { signal: late.signal }).catch(() => null);
  const answer = machine
    .describeNode(node)
    .catch((error: Error) => [`does not answer: ${error.message}`]);
  const lines = await Promise.race([answer, silence]);
  late.abort();
  if (lines !== null) return lines.map((line) => `node ${node}: ${line}`);
  return [
    `node ${node}: does not answer within ${answerMs} ms: the loop of its worker is dead, or a program keeps it; ` +
      `${counters.packetsSent} packets sent, ${counters.packetsReceived} received`,
  ];
};
