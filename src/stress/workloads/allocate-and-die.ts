// Workload allocate-and-die: tasks are made on any node, get ports and messages that nobody ever reads, and end. Everybody
// who asked is told, once and of the right thing: dead names, send-once rights that were not used, ports without
// senders, requests whose name was given up.
//   A child task has port R. In R's queue, unread: a send right for P and a send-once right of the parent's, the receive
//   right of Q, and a send-once right of a mourner at another place. The child ends.

import { Message } from "../../ipc/message.ts";
import {
  COPY_SEND,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  NOTIFY_DEAD_NAME,
  NOTIFY_NO_SENDERS,
  NOTIFY_PORT_DELETED,
  NOTIFY_SEND_ONCE,
  type PortName,
  RIGHT_DEAD_NAME,
  RIGHT_RECEIVE,
  TYPE_DEAD_NAME,
} from "../../ipc/rights.ts";
import { mach, machPort } from "../../task/kernel-interfaces.ts";
import type { Program } from "../../task/task.ts";
import { DONE_ID, sendDone } from "../done-message.ts";
import { Ledger } from "../payload.ts";
import { Place, type WorkloadArgs, type WorkloadResult } from "../workload.ts";

const MOURN_ID = 1008;
const READY_ID = 1009;
const LETTER_ID = 1010;
const CHANNEL = 0;

const allocateAndDie: Program<WorkloadArgs, WorkloadResult> = async (task, args) => {
  const place = new Place(task, args);
  const inbox = task.ports.allocate();
  await place.publish("inbox", inbox);
  await Promise.all([new Parent(place).run(), new Mourner(place).run(inbox)]);
  return place.result();
};

/** Makes children and ends them. */
class Parent {
  private readonly place: Place;
  private readonly notify: PortName;
  private readonly ready: PortName;

  constructor(place: Place) {
    const { ports } = place.task;
    this.place = place;
    this.notify = ports.allocate();
    this.ready = ports.allocate();
  }

  async run(): Promise<void> {
    const { place } = this;
    const inboxes = await place.findAll("inbox");
    while (place.goesOn()) {
      await this.oneLife(inboxes[place.anotherPlace()]!);
      place.stepDone();
    }
    await sendDone(place, inboxes, new Ledger(place.place), CHANNEL);
  }

  private async oneLife(mourner: PortName): Promise<void> {
    const { task, random } = this.place;
    const { ports } = task;
    const child = await task.norma.taskCreate({ node: random.below(task.nodes) });
    const names = machPort.client(task, child);
    const { name } = await names.allocate({ right: RIGHT_RECEIVE });
    const { poly } = await names.extractRight({ name, disposition: MAKE_SEND });
    const r = poly.right;
    ports.requestNotification(r, NOTIFY_DEAD_NAME, 0, this.notify);

    const p = ports.allocate();
    const first = this.letter(r, LETTER_ID).addRight(p, MAKE_SEND);
    await task.send(first.addRight(this.notify, MAKE_SEND_ONCE));
    ports.requestNotification(p, NOTIFY_NO_SENDERS, 0, this.notify);
    const q = ports.allocate();
    ports.insertRight(q, q, MAKE_SEND);
    await task.send(this.letter(r, LETTER_ID).addRight(q, MOVE_RECEIVE));
    ports.requestNotification(q, NOTIFY_DEAD_NAME, 0, this.notify);

    const mourn = this.letter(mourner, MOURN_ID).addRight(r, COPY_SEND);
    await task.send(mourn.addRight(this.ready, MAKE_SEND_ONCE));
    await this.expect(this.ready, READY_ID);
    this.requestAndGiveUp();
    await mach.client(task, child).taskTerminate();

    await this.notices([r, q], p);
    for (const dead of [r, q]) giveUpDead(this.place, dead);
    ports.destroy(p);
    ports.destroy(child);
  }

  private letter(to: PortName, id: number): Message {
    const message = new Message(64);
    message.remote = to;
    message.remoteDisposition = COPY_SEND;
    message.id = id;
    return message;
  }

  /** A request about a name that goes away is answered with port-deleted. */
  private requestAndGiveUp(): void {
    const { ports } = this.place.task;
    const name = ports.allocate();
    ports.requestNotification(name, NOTIFY_DEAD_NAME, 0, this.notify);
    ports.destroy(name);
  }

  /** One of each kind that the child's end brings about, in any order. */
  private async notices(dead: readonly PortName[], withoutSenders: PortName): Promise<void> {
    const due = new Set([
      ...dead.map((name) => `${NOTIFY_DEAD_NAME} ${name}`),
      `${NOTIFY_NO_SENDERS}`,
      `${NOTIFY_SEND_ONCE}`,
      `${NOTIFY_PORT_DELETED}`,
    ]);
    while (due.size > 0) {
      const notice = await this.place.task.receive(this.notify);
      const isDead = notice.id === NOTIFY_DEAD_NAME;
      const what = isDead ? `${notice.id} ${notice.takePortName()}` : `${notice.id}`;
      if (!due.delete(what)) {
        throw new Error(
          `place ${this.place.place}: notification ${what} is not due; due: ${[...due].join(", ")}`,
        );
      }
      this.place.messageGood();
    }
    const { srights } = this.place.task.ports.getReceiveStatus(withoutSenders);
    if (srights)
      throw new Error(`place ${this.place.place}: a port without senders has send rights`);
  }

  private async expect(port: PortName, id: number): Promise<void> {
    const message = await this.place.task.receive(port);
    if (message.id !== id) throw new Error(`message ${message.id} came where ${id} was due`);
    this.place.messageGood();
  }
}

/** Gets rights for ports of children, sends to them, and waits until they have died. */
class Mourner {
  private readonly place: Place;
  private readonly notify: PortName;
  /** Names that are to die. */
  private readonly watched = new Set<PortName>();
  /** Send-once rights that are to come back unused. */
  private onces = 0;
  private over = false;

  constructor(place: Place) {
    this.place = place;
    this.notify = place.task.ports.allocate();
  }

  async run(inbox: PortName): Promise<void> {
    await Promise.all([this.takeRequests(inbox), this.mourn()]);
  }

  private async takeRequests(inbox: PortName): Promise<void> {
    const { task } = this.place;
    for (let open = this.place.places; open > 0; ) {
      const request = await task.receive(inbox);
      if (request.id === DONE_ID) {
        open -= 1;
        continue;
      }
      const { name } = request.takeRight();
      const ready = request.takeRight();
      this.watched.add(name);
      this.onces += 1;
      task.ports.requestNotification(name, NOTIFY_DEAD_NAME, 0, this.notify);
      const letter = new Message(64).addRight(this.notify, MAKE_SEND_ONCE);
      letter.remote = name;
      letter.remoteDisposition = COPY_SEND;
      letter.id = LETTER_ID;
      await task.send(letter);
      const answer = new Message(0);
      answer.remote = ready.name;
      answer.remoteDisposition = ready.right;
      answer.id = READY_ID;
      await task.send(answer);
    }
    this.over = true;
    const end = new Message(0);
    end.remote = this.notify;
    end.remoteDisposition = MAKE_SEND;
    end.id = DONE_ID;
    await task.send(end);
  }

  private async mourn(): Promise<void> {
    const { place } = this;
    while (!this.over || this.watched.size > 0 || this.onces > 0) {
      const notice = await place.task.receive(this.notify);
      if (notice.id === DONE_ID) continue;
      if (notice.id === NOTIFY_SEND_ONCE && this.onces > 0) {
        this.onces -= 1;
      } else {
        const name = notice.id === NOTIFY_DEAD_NAME ? notice.takePortName() : 0;
        if (!this.watched.delete(name)) {
          throw new Error(`place ${place.place}: notification ${notice.id} of ${name} is not due`);
        }
        giveUpDead(place, name);
      }
      place.messageGood();
    }
  }
}

/** The name's own reference, and the one that came with the notification. */
const giveUpDead = ({ place, task: { ports } }: Place, name: PortName): void => {
  const type = ports.type(name);
  const references = ports.getRefs(name, RIGHT_DEAD_NAME);
  if (type !== TYPE_DEAD_NAME || references !== 2) {
    throw new Error(
      `place ${place}: name ${name} of a dead port has type ${type.toString(16)} and ${references} references`,
    );
  }
  ports.destroy(name);
};

export default allocateAndDie;
