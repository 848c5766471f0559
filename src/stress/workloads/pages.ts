// Workload pages: memory of 1 to 64 pages sent out of line by page list. The sender stores to its pages as soon as the send
// has returned: what is on its way must not change (I-2). Some regions do not begin at a page, some are given up.

import { Message } from "../../ipc/message.ts";
import { COPY_SEND, type PortName } from "../../ipc/rights.ts";
import type { Program } from "../../task/task.ts";
import { DONE_ID, sendDone, takeDone } from "../done-message.ts";
import { type Carrier, carrierOf, carrierOver, Ledger, PAYLOAD_BYTES_MIN } from "../payload.ts";
import { Place, type WorkloadArgs, type WorkloadResult } from "../workload.ts";

const PAGES_ID = 1001;
/** 2^0 to 2^6 pages, each as likely. */
const PAGES_SHIFT_MAX = 6;
const PAGES_MAX = 1 << PAGES_SHIFT_MAX;
const CHANNEL = 0;
/** Few messages may wait: they hold memory. */
const QUEUE_LIMIT = 2;

const pages: Program<WorkloadArgs, WorkloadResult> = async (task, args) => {
  const place = new Place(task, args);
  const port = task.ports.allocate();
  task.ports.setQlimit(port, QUEUE_LIMIT);
  await place.publish("sink", port);
  await Promise.all([take(place, port), give(place)]);
  return place.result();
};

const take = async (place: Place, port: PortName): Promise<void> => {
  const { task } = place;
  const heard = new Ledger(place.place);
  for (let open = place.places; open > 0; ) {
    const message = await task.receive(port);
    if (message.id === DONE_ID) {
      takeDone(message, heard, CHANNEL);
      open -= 1;
      continue;
    }
    const { address, bytes } = message.takeRegion();
    if (address === 0) throw new Error(`place ${place.place}: ${bytes} bytes found no memory`);
    heard.accept(carrierOver(task.memory.read(address, bytes)), bytes, CHANNEL);
    task.vm.deallocate(address, bytes);
    place.messageGood();
  }
};

const give = async (place: Place): Promise<void> => {
  const { task, random } = place;
  const sinks = await place.findAll("sink");
  const said = new Ledger(place.place);
  const { pageBytes } = task.vm;
  const carrier = carrierOf(PAGES_MAX * pageBytes);
  const message = new Message(64);
  let room = 0;
  while (place.goesOn()) {
    if (room === 0) room = task.vm.allocate((PAGES_MAX + 1) * pageBytes);
    const to = place.anotherPlace();
    const most = pageBytes << random.below(PAGES_SHIFT_MAX + 1);
    const bytes = random.chance(0.5) ? most : PAYLOAD_BYTES_MIN + random.below(most / 2);
    const start = room + (random.chance(0.25) ? 4 * random.below(pageBytes / 4) : 0);
    const gives = random.chance(0.2);
    said.write(carrier, bytes, to, CHANNEL);
    await place.task.memory.whenWritable(start, bytes);
    task.memory.write(start, carrier.bytes.subarray(0, bytes));
    message.clear().addRegion(start, bytes, gives);
    message.remote = sinks[to]!;
    message.remoteDisposition = COPY_SEND;
    message.id = PAGES_ID;
    await task.send(message);
    if (gives) {
      room = forget(place, room, start, bytes);
    } else {
      await overwrite(place, carrier, start, bytes);
    }
    place.stepDone();
  }
  await sendDone(place, sinks, said, CHANNEL);
};

/** What the message has taken is gone, page by page; the rest goes too. */
const forget = (place: Place, room: number, start: number, bytes: number): number => {
  const { vm } = place.task;
  const end = room + (PAGES_MAX + 1) * vm.pageBytes;
  const first = start - (start % vm.pageBytes);
  const last = Math.ceil((start + bytes) / vm.pageBytes) * vm.pageBytes;
  if (first > room) vm.deallocate(room, first - room);
  if (last < end) vm.deallocate(last, end - last);
  return 0;
};

/** Stores over what has just been sent: some words at once, or all when it may be done without waiting. */
const overwrite = async (
  place: Place,
  carrier: Carrier,
  start: number,
  bytes: number,
): Promise<void> => {
  const { task, random } = place;
  if (random.chance(0.5)) {
    for (let i = 0; i < 4; i++) task.memory.store8(start + random.below(bytes), random.below(256));
    return;
  }
  await task.memory.whenWritable(start, bytes);
  carrier.bytes.fill(0xee, 0, bytes);
  task.memory.write(start, carrier.bytes.subarray(0, bytes));
};

export default pages;
