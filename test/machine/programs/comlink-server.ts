// Exposes an account by Comlink under the name "account", until the machine is halted.

import * as Comlink from "comlink";
import {
  comlinkOverPorts,
  MachError,
  NETNAME_NOT_YOURS,
  type Program,
} from "../../../src/index.ts";

export class Account {
  balance = 0;

  deposit(amount: number): number {
    this.balance += amount;
    return this.balance;
  }
  refuse(): number {
    throw new MachError(NETNAME_NOT_YOURS, "refused");
  }
  length(bytes: Uint8Array): number {
    return bytes.length;
  }
  async each(count: number, callback: Comlink.Remote<(i: number) => number>): Promise<number> {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += await callback(i);
    callback[Comlink.releaseProxy]();
    return sum;
  }
}

const server: Program<undefined, string> = async (task) => {
  const port = task.ports.allocate();
  await task.names.checkIn("account", port);
  await comlinkOverPorts(Comlink).expose(new Account(), task, port);
  return "ended";
};

export default server;
