// Everybody sends numbered messages to one port of node 0, as fast as it goes. Node 0 receives them all, in the order of
// each sender, and returns how many it had of each when half of all were here.

import { COPY_SEND, Message, type Program } from "../../../src/index.ts";

export interface CrowdArgs {
  /** Messages of each sender. */
  readonly count: number;
  /** What node 0 does with each, ns. */
  readonly workNs?: number;
}

const crowd: Program<CrowdArgs, number[]> = async (task, { count, workNs = 0 }) => {
  if (task.node === 0) {
    const port = task.ports.allocate();
    task.ports.setQlimit(port, 16);
    await task.names.checkIn("crowd", port);
    return receiveAll(task, port, count, workNs);
  }
  const message = new Message();
  message.remote = await task.names.lookUp("crowd", { host: 0, waitNs: 60e9 });
  message.remoteDisposition = COPY_SEND;
  for (let number = 1; number <= count; number++) {
    message.clear();
    await task.send(message.addIntegers([task.node, number]));
  }
  return [];
};

const receiveAll = async (
  task: Parameters<Program>[0],
  port: number,
  count: number,
  workNs: number,
): Promise<number[]> => {
  const last = new Array<number>(task.nodes).fill(0);
  const all = count * (task.nodes - 1);
  let half: number[] = [];
  for (let received = 1; received <= all; received++) {
    const [from = 0, number = 0] = (await task.receive(port)).takeIntegers();
    if (number !== last[from]! + 1)
      throw new Error(`from node ${from}: ${number} after ${last[from]}`);
    last[from] = number;
    if (workNs > 0) await task.sleep(workNs);
    if (received === all >> 1) half = [...last];
  }
  return half;
};

export default crowd;
