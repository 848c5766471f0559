// Fills a node with ports and send rights: one task owns the ports, others hold a send right for each of
// them, which they got by messages. The census of the node before and after says that it is so; a fill
// that is not there is an error, because everything measured beside it would mean nothing.

import { setTimeout as sleep } from "node:timers/promises";
import type { Machine, NodeCensus } from "../../src/index.ts";
import {
  COUNT_STRIDE_WORDS,
  countWordOf,
  type Fill,
  type FillArgs,
  type HolderArgs,
} from "../programs/rights-args.ts";

/** How often fillNode() calls `onStep`. */
export const FILL_STEPS = 20;

const POLL_MS = 20;

/** What a node had before it was filled; checkFill() compares with it. */
export type Before = Pick<NodeCensus, "ports" | "sendRights">;

export const sendRightsOf = ({ ports, holders }: Fill): number => ports * holders;

/** Resolves when `fill` is on the node and was counted; it stays until the machine is halted. */
export async function fillNode(
  machine: Machine,
  node: number,
  fill: Fill,
  onStep: () => void = () => {},
): Promise<Before> {
  const before = await machine.census(node);
  const wordCount = fill.holders * COUNT_STRIDE_WORDS;
  const words = new Int32Array(new SharedArrayBuffer(wordCount * Int32Array.BYTES_PER_ELEMENT));
  const ends: Promise<unknown>[] = [];
  const spawn = async (program: string, args: FillArgs | HolderArgs) => {
    const url = new URL(`../programs/${program}.js`, import.meta.url);
    ends.push((await machine.spawn(node, url, { args })).exited);
  };
  for (let holder = 0; holder < fill.holders; holder++) {
    await spawn("rights-holder", { ...fill, words, holder });
  }
  await spawn("rights-owner", { ...fill, words });
  const failure = new AbortController();
  const ended = Promise.race(ends).then(() => {
    throw new Error("a task of the fill ended");
  });
  try {
    await Promise.race([ended, waitForRights(words, fill, onStep, failure.signal)]);
  } finally {
    failure.abort();
    ended.catch(() => {}); // halt() ends them all
  }
  checkFill(await machine.census(node), before, fill);
  return before;
}

/** Throws unless the node has at least `fill` more than it had `before`. */
export function checkFill(now: Before & { readonly node: number }, before: Before, fill: Fill) {
  const ports = now.ports - before.ports;
  const sendRights = now.sendRights - before.sendRights;
  if (ports >= fill.ports && sendRights >= sendRightsOf(fill)) return;
  throw new Error(
    `node ${now.node} was filled with ${ports} ports and ${sendRights} send rights, ` +
      `not with ${fill.ports} and ${sendRightsOf(fill)}`,
  );
}

async function waitForRights(
  words: Int32Array<SharedArrayBuffer>,
  fill: Fill,
  onStep: () => void,
  signal: AbortSignal,
): Promise<void> {
  const wanted = sendRightsOf(fill);
  for (let steps = 0; !signal.aborted; ) {
    const held = heldRights(words, fill.holders);
    for (; steps < Math.floor((held / wanted) * FILL_STEPS); steps++) onStep();
    if (held === wanted) return;
    await sleep(POLL_MS);
  }
}

function heldRights(words: Int32Array<SharedArrayBuffer>, holders: number): number {
  let held = 0;
  for (let holder = 0; holder < holders; holder++) {
    // Pairs with the store in rights-holder.ts; a message that is missed is seen at the next look.
    held += Atomics.load(words, countWordOf(holder));
  }
  return held;
}
