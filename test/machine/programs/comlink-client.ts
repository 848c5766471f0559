// Uses the account of comlink-server by every kind of call; returns what it got.

import * as Comlink from "comlink";
import { comlinkOverPorts, type MachError, type Program } from "../../../src/index.ts";
import type { Account } from "./comlink-server.ts";

const client: Program<undefined, unknown[]> = async (task) => {
  const port = await task.names.lookUp("account", { waitNs: 30e9 });
  const account = await comlinkOverPorts(Comlink).wrap<Account>(task, port);
  const results: unknown[] = [];
  for (let i = 1; i <= 10; i++) results.push(await account.deposit(i));
  results.push(await account.balance);
  results.push(await account.length(new Uint8Array(100_000)));
  results.push(await account.refuse().catch(({ code, status }: MachError) => [code, status]));
  const callback = Comlink.proxy((i: number) => i * 10);
  const each = account.each as unknown as (n: number, f: typeof callback) => Promise<number>;
  results.push(await each(4, callback));
  account[Comlink.releaseProxy]();
  await task.sleep(1e6);
  return results;
};

export default client;
