// The program of a conformance test's peer: does what it is ordered to until it is ordered to end. Orders
// come by a broadcast channel, or, where test and task share a thread, straight from the test.

import { BroadcastChannel } from "node:worker_threads";
import type { Program } from "../../../src/index.ts";
import { type Order, Puppet, puppets } from "../../support/puppet.ts";

export interface PuppetArgs {
  /** Name of the puppet, and of its channel. */
  readonly name: string;
  readonly sameThread: boolean;
}

/** What comes by the channel; end: no more orders. */
export type OrderPacket = { readonly id: number; readonly order: Order } | { readonly end: true };

const puppetProgram: Program<PuppetArgs, void> = async (task, { name, sameThread }) => {
  const puppet = new Puppet(task);
  if (sameThread) {
    puppets.set(name, puppet);
    await puppet.done;
    puppets.delete(name);
    return;
  }
  const channel = new BroadcastChannel(`${name} orders`);
  const answers = new BroadcastChannel(`${name} answers`);
  channel.onmessage = async (event: unknown) => {
    const packet = (event as { data: OrderPacket }).data;
    if ("end" in packet) return puppet.end();
    answers.postMessage({ id: packet.id, answer: await puppet.obey(packet.order) });
  };
  await puppet.done;
  channel.close();
  answers.close();
};

export default puppetProgram;
