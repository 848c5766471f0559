// Workload migration: receive rights wander from place to place while everybody goes on sending to them. Whoever has one
// receives some letters and hands it on, with the state of its account: so every letter is checked for its turn
// wherever it is received. Each right ends where the last place says that it is done.

import { Message } from "../../ipc/message.ts";
import { COPY_SEND, MOVE_RECEIVE, type PortName, RIGHT_RECEIVE } from "../../ipc/rights.ts";
import type { Program } from "../../task/task.ts";
import { DONE_ID, sendDone, takeDone } from "../done-message.ts";
import { Ledger, PAYLOAD_BYTES_MIN } from "../payload.ts";
import { Place, type WorkloadArgs, type WorkloadResult } from "../workload.ts";

const LETTER_ID = 1004;
const ARRIVAL_ID = 2;
const OVER_ID = 3;
const BYTES_MAX = 1500;
/** Rights that wander at the same time. */
const WANDERERS = 2;
/** Letters that one stage receives, at most. */
const STAGE_LETTERS_MAX = 12;
/** Payloads to a wanderer are addressed to nobody's place. */
const ADDRESS = 0x7000;

const migration: Program<WorkloadArgs, WorkloadResult> = async (task, args) => {
  const place = new Place(task, args);
  const inbox = task.ports.allocate();
  await place.publish("inbox", inbox);
  const own: PortName[] = [];
  for (let wanderer = 0; wanderer < WANDERERS; wanderer++) {
    own.push(0);
    if (wanderer % place.places !== place.place) continue;
    own[wanderer] = task.ports.allocate();
    await place.publish(`wanderer ${wanderer}`, own[wanderer]!);
  }
  const targets: PortName[] = [];
  for (let wanderer = 0; wanderer < WANDERERS; wanderer++) {
    targets.push(await place.find(`wanderer ${wanderer}`, wanderer % place.places));
  }
  const inboxes = await place.findAll("inbox");
  const writers = targets.map((target, wanderer) => write(place, target, wanderer));
  const stages = new Stages(place, inboxes);
  for (const [wanderer, port] of own.entries()) {
    if (port !== 0) stages.begin(wanderer, port, []);
  }
  await Promise.all([...writers, stages.run(inbox)]);
  return place.result();
};

const write = async (place: Place, target: PortName, wanderer: number): Promise<void> => {
  const { task, random } = place;
  const said = new Ledger(place.place);
  const message = new Message(BYTES_MAX);
  while (place.goesOn()) {
    message.remote = target;
    message.remoteDisposition = COPY_SEND;
    message.id = LETTER_ID;
    message.size = PAYLOAD_BYTES_MIN + random.below(BYTES_MAX - PAYLOAD_BYTES_MIN);
    said.write(message, message.size, ADDRESS, wanderer);
    await task.send(message);
    place.stepDone();
  }
  await sendDone(place, [target], said, wanderer, ADDRESS);
  task.ports.deallocate(target);
};

/** What comes to a place: rights, and the news that one has ended. */
class Stages {
  private readonly place: Place;
  private readonly inboxes: readonly PortName[];
  private readonly failed: Promise<never>;
  private fail: (error: unknown) => void = () => {};
  private readonly under: Promise<void>[] = [];

  constructor(place: Place, inboxes: readonly PortName[]) {
    this.place = place;
    this.inboxes = inboxes;
    this.failed = new Promise((_resolve, reject) => {
      this.fail = reject;
    });
    this.failed.catch(() => {});
  }

  /** Until all wanderers have ended, and every place has been told of those that ended here. */
  async run(inbox: PortName): Promise<void> {
    await Promise.race([this.takeArrivals(inbox), this.failed]);
    await Promise.all(this.under);
  }

  private async takeArrivals(inbox: PortName): Promise<void> {
    const { task } = this.place;
    for (let alive = WANDERERS; alive > 0; ) {
      const message = await task.receive(inbox);
      if (message.id === OVER_ID) {
        alive -= 1;
        continue;
      }
      const { name } = message.takeRight();
      const wanderer = message.takeInteger();
      this.begin(wanderer, name, [...message.takeIntegers()]);
    }
  }

  /** Each right is seen to by itself: one that nobody sends to must not keep the others. */
  begin(wanderer: number, port: PortName, account: readonly number[]): void {
    const stage = this.stage(wanderer, port, account);
    stage.catch((error: unknown) => this.fail(error));
    this.under.push(stage);
  }

  /** `account`: of each place the letters received, or ~letters once it is done. */
  private async stage(wanderer: number, port: PortName, account: readonly number[]): Promise<void> {
    const { task, random, places } = this.place;
    const heard = new Ledger(ADDRESS);
    const done = new Array<boolean>(places).fill(false);
    for (const [from, count] of account.entries()) {
      done[from] = count < 0;
      heard.begin(from, wanderer, count < 0 ? ~count : count);
    }
    const message = new Message(BYTES_MAX);
    for (let left = 1 + random.below(STAGE_LETTERS_MAX); left > 0 && done.includes(false); left--) {
      await task.receive(port, { into: message });
      if (message.id === DONE_ID) {
        takeDone(message, heard, wanderer);
        done[message.words[0]!] = true;
        continue;
      }
      heard.accept(message, message.size, wanderer);
      this.place.messageGood();
    }
    if (!done.includes(false)) return this.over(port);
    const counts = done.map((isDone, from) => {
      const count = heard.count(from, wanderer);
      return isDone ? ~count : count;
    });
    const onward = new Message(64 + places * 4);
    onward.addRight(port, MOVE_RECEIVE).addInteger(wanderer).addIntegers(counts);
    onward.remote = this.inboxes[this.place.anotherPlace()]!;
    onward.remoteDisposition = COPY_SEND;
    onward.id = ARRIVAL_ID;
    await task.send(onward);
  }

  /** Nobody sends to the wanderer any more: it ends, and every place hears of it. */
  private async over(port: PortName): Promise<void> {
    const { task } = this.place;
    task.ports.modRefs(port, RIGHT_RECEIVE, -1); // the place's own send right is its writer's
    for (const inbox of this.inboxes) {
      const message = new Message(0);
      message.remote = inbox;
      message.remoteDisposition = COPY_SEND;
      message.id = OVER_ID;
      await task.send(message);
    }
  }
}

export default migration;
