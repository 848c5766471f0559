// A workload that finds something wrong: one payload is changed in one bit before it is sent.

import { COPY_SEND, Message, type Program } from "../../../src/index.ts";
import { sendDone } from "../../../src/stress/done-message.ts";
import { Ledger } from "../../../src/stress/payload.ts";
import { takeAll } from "../../../src/stress/take-all.ts";
import { Place, type WorkloadArgs } from "../../../src/stress/workload.ts";

const wrongPayload: Program<WorkloadArgs> = async (task, args) => {
  const place = new Place(task, args);
  const port = task.ports.allocate();
  await place.publish("box", port);
  await Promise.all([takeAll(place, port, 0, 64), give(place)]);
};

const give = async (place: Place): Promise<void> => {
  const { task } = place;
  const boxes = await place.findAll("box");
  const said = new Ledger(place.place);
  const message = new Message(64);
  while (place.goesOn()) {
    const to = place.anotherPlace();
    message.remote = boxes[to]!;
    message.remoteDisposition = COPY_SEND;
    message.id = 1000;
    message.size = 64;
    said.write(message, 64, to, 0);
    if (place.place === 1) message.words[12]! ^= 1 << 4;
    await task.send(message);
    place.stepDone();
  }
  await sendDone(place, boxes, said, 0);
};

export default wrongPayload;
