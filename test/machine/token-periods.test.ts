// Periods of the token that the host asks for, in threads and in simulation.

import { describe, expect, test } from "@jest/globals";
import { Machine, type MachineOptionsInput, OptionError } from "../../src/index.ts";
import { NOTIFY_NO_SENDERS } from "../../src/ipc/rights.ts";
import { inline, MODULE_URL, within } from "../support/machines.ts";

/** Owns a port that the holder gets a right to; returns the notification that there are no senders any more. */
const OWNER = inline(`
  import { NOTIFY_NO_SENDERS } from ${JSON.stringify(MODULE_URL)};
  export default async (task) => {
    const port = task.ports.allocate();
    const notify = task.ports.allocate();
    await task.names.checkIn("thing", port);
    await task.receive(port); // the holder has it
    await task.names.checkOut("thing");
    task.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
    await task.names.checkIn("asked", task.ports.allocate());
    return (await task.receive(notify)).id;
  };
`);

/** Takes a send right and goes with it. */
const HOLDER = inline(`
  import { COPY_SEND, Message } from ${JSON.stringify(MODULE_URL)};
  export default async (task, owner) => {
    const thing = await task.names.lookUp("thing", { host: owner, waitNs: 10e9 });
    const message = new Message();
    message.remote = thing;
    message.remoteDisposition = COPY_SEND;
    await task.send(message);
    await task.names.lookUp("asked", { host: owner, waitNs: 10e9 });
  };
`);

const boot = (driver: string, options: MachineOptionsInput): Promise<Machine> =>
  driver === "threads"
    ? Machine.boot({ ...options, processors: { workers: 2 }, log: () => {} })
    : Machine.simulate({ ...options, log: () => {} });

const tokenCounts = (machine: Machine) => {
  const { tokenPeriods, tokenMessages } = machine.stats().total;
  return { tokenPeriods, tokenMessages };
};

/** A right goes to another node and is gone again; the owner's program waits to hear of it. */
const loseSender = async (machine: Machine) => {
  const owner = await machine.spawn(1, OWNER);
  const holder = await machine.spawn(2, HOLDER, { args: 1 });
  await within(20_000, "holder", holder.exited);
  return owner;
};

describe.each(["threads", "simulation"])("token periods in %s", (driver) => {
  test("token periods: with a manual pause, no-senders comes when the host has sent the token round twice", async () => {
    await using machine = await boot(driver, {
      dimension: 2,
      kernel: { tokenPauseNs: "manual" },
    });
    const owner = await loseSender(machine);
    expect(tokenCounts(machine)).toEqual({ tokenPeriods: 0, tokenMessages: 0 });
    await within(10_000, "a period", machine.runTokenPeriods());
    expect(tokenCounts(machine)).toEqual({ tokenPeriods: 1, tokenMessages: 12 });
    await within(10_000, "a period", machine.runTokenPeriods(1));
    expect(await within(10_000, "owner", owner.exited)).toBe(NOTIFY_NO_SENDERS);
    await within(10_000, "ten periods", machine.runTokenPeriods(10));
    expect(tokenCounts(machine)).toEqual({ tokenPeriods: 12, tokenMessages: 144 });
  });

  test("token periods: a machine that pauses by itself can be asked for a period as well", async () => {
    await using machine = await boot(driver, { dimension: 2, kernel: { tokenPauseNs: 1e10 } });
    const owner = await loseSender(machine);
    await within(9000, "two periods", machine.runTokenPeriods(2));
    expect(await within(9000, "owner", owner.exited)).toBe(NOTIFY_NO_SENDERS);
  });

  test("token periods: a number that is none is refused, and so is a machine that was halted", async () => {
    const machine = await boot(driver, { dimension: 1 });
    for (const periods of [0, -1, 1.5, Number.NaN, "2" as unknown as number]) {
      await expect(machine.runTokenPeriods(periods)).rejects.toThrow(OptionError);
    }
    const under = machine.runTokenPeriods(1e9);
    const outcome = expect(under).rejects.toThrow("halted");
    await machine.halt();
    await within(10_000, "the periods under way", outcome);
    await expect(machine.runTokenPeriods()).rejects.toThrow("halted");
  });
});

test("token periods: two simulations with one seed that are asked for periods send the same packets", async () => {
  const run = async () => {
    await using machine = await Machine.simulate({
      dimension: 2,
      seed: 7,
      kernel: { tokenPauseNs: "manual" },
      log: () => {},
    });
    const owner = await loseSender(machine);
    await machine.runTokenPeriods(2);
    await owner.exited;
    return { ...machine.packets(), endNs: machine.now() };
  };
  expect(await run()).toEqual(await run());
});
