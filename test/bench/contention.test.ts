// The circuits of suite contention share what their names say, on the routes that the machine really takes.

import { expect, test } from "@jest/globals";
import type { PagePair } from "../../bench/contenders/page-streams.ts";
import { FIRST, SITUATIONS } from "../../bench/suites/contention.ts";
import { nextDimension } from "../../src/hardware/ecube-route.ts";

/** Nodes of a circuit in order, and its edges as "node>node". */
function route({ from, to }: PagePair) {
  const nodes = [from];
  for (let here = from; here !== to; nodes.push(here)) here ^= 1 << nextDimension(here ^ to);
  return { nodes, edges: nodes.slice(1).map((node, i) => `${nodes[i]}>${node}`) };
}

const back = ({ from, to }: PagePair): PagePair => ({ from: to, to: from });
const common = <T>(a: readonly T[], b: readonly T[]) => a.filter((one) => b.includes(one));

const second = (situation: string): PagePair => SITUATIONS[situation]![0]!;
const first = route(FIRST);

test("contention: alone is alone, and nobody shares an end", () => {
  expect(SITUATIONS.alone).toEqual([]);
  for (const pairs of Object.values(SITUATIONS)) {
    const ends = [FIRST, ...pairs].flatMap(({ from, to }) => [from, to]);
    expect(new Set(ends).size).toBe(ends.length);
  }
});

test("contention: what is shared is what the name says", () => {
  const shared = (situation: string) => {
    const { nodes, edges } = route(second(situation));
    return { nodes: common(nodes, first.nodes), edges: common(edges, first.edges) };
  };
  expect(shared("disjoint")).toEqual({ nodes: [], edges: [] });
  expect(shared("shared-node")).toEqual({ nodes: [3, 1], edges: [] });
  expect(shared("shared-edge").edges).toEqual(["1>3"]);
});

test("contention: acknowledgements go over edges of their own", () => {
  for (const pairs of Object.values(SITUATIONS)) {
    const all = [FIRST, ...pairs];
    const data = all.flatMap((pair) => route(pair).edges);
    const answers = all.flatMap((pair) => route(back(pair)).edges);
    expect(common(answers, data)).toEqual([]);
    expect(new Set(answers).size).toBe(answers.length);
  }
});
