// The lists of waiting receivers and senders of a port.

import { expect, test } from "@jest/globals";
import { MessageQueue } from "../../src/ipc/message-queue.ts";
import { PORT_IN_SPACE, PortTable } from "../../src/ipc/port.ts";
import {
  appendReceiver,
  appendSender,
  completeReceive,
  type ReceiveSink,
  ReceiveWait,
  removeReceiver,
  type SendSink,
  SendWait,
  takeReceiver,
  takeSender,
} from "../../src/ipc/waits.ts";

const told: [string, number][] = [];
const sink: ReceiveSink & SendSink = {
  receiveCompleted: (wait) => told.push(["receive", wait.status]),
  sendCompleted: (wait) => told.push(["send", wait.status]),
};

test.each([0, 1, 2])(
  "waits: receiver %d of three is taken out, the others keep their order",
  (which) => {
    const queue = new MessageQueue();
    const waits = [0, 1, 2].map(() => new ReceiveWait(sink));
    for (const wait of waits) appendReceiver(queue, wait);
    expect(removeReceiver(waits[which]!)).toBe(true);
    expect(removeReceiver(waits[which]!)).toBe(false);
    const late = new ReceiveWait(sink);
    appendReceiver(queue, late);
    const left = [...waits.filter((_, i) => i !== which), late];
    for (const wait of left) expect(takeReceiver(queue)).toBe(wait);
    expect(takeReceiver(queue)).toBe(null);
    expect([queue.receiverFirst, queue.receiverLast]).toEqual([null, null]);
  },
);

test("waits: the only receiver is taken out, and another can come", () => {
  const queue = new MessageQueue();
  const [first, second] = [new ReceiveWait(sink), new ReceiveWait(sink)];
  appendReceiver(queue, first);
  removeReceiver(first);
  appendReceiver(queue, second);
  expect(takeReceiver(queue)).toBe(second);
});

test("waits: senders are taken first in, first out", () => {
  const port = new PortTable().create(PORT_IN_SPACE);
  const waits = [0, 1, 2].map(() => new SendWait(sink));
  for (const wait of waits) appendSender(port, wait);
  for (const wait of waits) expect(takeSender(port)).toBe(wait);
  expect([takeSender(port), port.senderLast]).toEqual([null, null]);
});

test("waits: the sink is told once, with the status", () => {
  told.length = 0;
  const wait = new ReceiveWait(sink);
  wait.waiting = true;
  completeReceive(wait, 0x10004003);
  expect(told).toEqual([["receive", 0x10004003]]);
  expect(wait.waiting).toBe(false);
});
