// The quantum of a node's tasks.

import { expect, test } from "@jest/globals";
import { Quantum } from "../../src/node/quantum.ts";
import type { Task } from "../../src/task/task.ts";

const task = {} as Task;

test("quantum: so many receives, then who ends one waits for the next quantum", async () => {
  const quantum = new Quantum();
  let receives = 0;
  while (!quantum.receiveEnds()) receives += 1;
  expect(receives).toBe(256);
  const went: number[] = [];
  const waits = [0, 1].map((i) => quantum.next(task).then(() => went.push(i)));
  await null;
  expect([quantum.isWaitedFor, quantum.takeBegan(), went]).toEqual([true, false, []]);
  const resumed: Task[] = [];
  expect(quantum.begin((each) => resumed.push(each))).toBe(2);
  await Promise.all(waits);
  expect([resumed.length, went]).toEqual([2, [0, 1]]);
  expect([quantum.takeBegan(), quantum.takeBegan(), quantum.isWaitedFor]).toEqual([
    true,
    false,
    false,
  ]);
  expect(quantum.receiveEnds()).toBe(false);
});

test("quantum: one that nobody waited for begins unseen, and who need not wait does not", async () => {
  const quantum = new Quantum();
  for (let i = 0; i < 200; i++) quantum.receiveEnds();
  expect(quantum.begin(() => {})).toBe(0);
  expect(quantum.takeBegan()).toBe(false);
  for (let i = 0; i < 200; i++) expect(quantum.receiveEnds()).toBe(false);
  await quantum.next(task);
  expect(quantum.isWaitedFor).toBe(false);
});
