// Workload hot-spot: everybody sends to place 0, whose queue is short, which changes its limit now and then, and which is
// slow at times. All others have to wait, and none may wait for ever.

import { NS_PER_US } from "../../base/clock.ts";
import { Message } from "../../ipc/message.ts";
import { COPY_SEND, type PortName } from "../../ipc/rights.ts";
import type { Program } from "../../task/task.ts";
import { sendDone } from "../done-message.ts";
import { Ledger, PAYLOAD_BYTES_MIN } from "../payload.ts";
import { takeAll } from "../take-all.ts";
import { Place, type WorkloadArgs, type WorkloadResult } from "../workload.ts";

const LETTER_ID = 1003;
const BYTES_MAX = 5000;
const CHANNEL = 0;
const LIMIT_MAX = 3;
/** One of so many messages changes the limit, or makes the receiver sleep. */
const CHANGE_EVERY = 16;
const SLEEP_US_MAX = 50;

const crowd: Program<WorkloadArgs, WorkloadResult> = async (task, args) => {
  const place = new Place(task, args);
  const giving = give(place);
  if (place.place === 0) await Promise.all([giving, take(place)]);
  else await giving;
  return place.result();
};

const take = async (place: Place): Promise<void> => {
  const { task, random } = place;
  const port = task.ports.allocate();
  task.ports.setQlimit(port, 1);
  await place.publish("spot", port);
  await takeAll(place, port, CHANNEL, BYTES_MAX, async () => {
    if (random.below(CHANGE_EVERY) === 0) task.ports.setQlimit(port, 1 + random.below(LIMIT_MAX));
    if (random.below(CHANGE_EVERY) === 0) await task.sleep(random.below(SLEEP_US_MAX) * NS_PER_US);
  });
};

const give = async (place: Place): Promise<void> => {
  const { task, random } = place;
  const spot: PortName = await place.find("spot", 0);
  const said = new Ledger(place.place);
  const message = new Message(BYTES_MAX);
  while (place.goesOn()) {
    message.remote = spot;
    message.remoteDisposition = COPY_SEND;
    message.id = LETTER_ID;
    message.size = PAYLOAD_BYTES_MIN + random.below(BYTES_MAX >> random.below(7));
    message.size = Math.min(message.size, BYTES_MAX);
    said.write(message, message.size, 0, CHANNEL);
    await task.send(message);
    place.stepDone();
  }
  await sendDone(place, [spot], said, CHANNEL);
};

export default crowd;
