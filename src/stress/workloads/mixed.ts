// Workload mixed: messages of any size with any rights: bytes in line and out of line, send and send-once rights in line
// and out of line, receive rights with letters in their queues. Whoever gets a right uses it or gives it up, and the
// sender counts what comes back: so a right that leads elsewhere, or nowhere, is found.

import { Message } from "../../ipc/message.ts";
import {
  COPY_SEND,
  type Disposition,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  NOTIFY_SEND_ONCE,
  type PortName,
} from "../../ipc/rights.ts";
import type { Program } from "../../task/task.ts";
import { DONE_ID, sendDone, takeDone } from "../done-message.ts";
import { carrierOf, carrierOver, Ledger, PAYLOAD_BYTES_MIN } from "../payload.ts";
import { Place, type WorkloadArgs, type WorkloadResult } from "../workload.ts";

const PARCEL_ID = 1005;
const RETURN_ID = 1006;
const LETTER_ID = 1007;

/** What a parcel has: bits of its first word. */
const HAS_BYTES = 1;
const HAS_REGION = 2;
const HAS_SENDS = 4;
const HAS_ONCES = 8;
const HAS_RIGHTS_REGION = 16;
const HAS_RECEIVE = 32;
const KINDS = 6;

/** Each has an order of its own. */
const PARCELS = 0;
const REGIONS = 1;
const RETURNS = 2;
const LETTERS = 3;

const INLINE_BYTES_MAX = 7000;
const REGION_BYTES_MAX = 30_000;
const RIGHTS_MAX = 3;
const LETTERS_MAX = 2;
const RETURN_BYTES = 100;

const mixed: Program<WorkloadArgs, WorkloadResult> = async (task, args) => {
  const place = new Place(task, args);
  const inbox = task.ports.allocate();
  await place.publish("inbox", inbox);
  const sender = new Sender(place);
  await Promise.all([sender.run(), sender.collect(), new Receiver(place).run(inbox)]);
  return place.result();
};

/** Sends parcels, and takes what comes back by their rights. */
class Sender {
  private readonly place: Place;
  private readonly said: Ledger;
  /** Where all rights that it gives away lead to. */
  private readonly returns: PortName;
  private readonly region = carrierOf(REGION_BYTES_MAX);
  private readonly inline = carrierOf(INLINE_BYTES_MAX);
  private readonly letter = new Message(RETURN_BYTES);
  private readonly regionAt: number;
  private readonly namesAt: number;
  private expected = 0;
  private over = false;

  constructor(place: Place) {
    const { vm, ports } = place.task;
    this.place = place;
    this.said = new Ledger(place.place);
    this.returns = ports.allocate();
    this.regionAt = vm.allocate(REGION_BYTES_MAX);
    this.namesAt = vm.allocate(vm.pageBytes);
  }

  async run(): Promise<void> {
    const { place } = this;
    const inboxes = await place.findAll("inbox");
    while (place.goesOn()) {
      const to = place.anotherPlace();
      await this.send(to, inboxes[to]!);
      place.stepDone();
    }
    await sendDone(place, inboxes, this.said, PARCELS);
    this.over = true;
    const end = new Message(0);
    end.remote = this.returns;
    end.remoteDisposition = MAKE_SEND;
    end.id = DONE_ID;
    await place.task.send(end);
  }

  private async send(to: number, inbox: PortName): Promise<void> {
    const { random, task } = this.place;
    const has = 1 + random.below((1 << KINDS) - 1);
    const parcel = new Message(INLINE_BYTES_MAX + 256);
    parcel.addIntegers([has, this.place.place]);
    if (has & HAS_BYTES) {
      const bytes = PAYLOAD_BYTES_MIN + random.below(INLINE_BYTES_MAX - PAYLOAD_BYTES_MIN);
      this.said.write(this.inline, bytes, to, PARCELS);
      parcel.addBytes(this.inline.bytes.subarray(0, bytes));
    }
    if (has & HAS_REGION) await this.addRegion(parcel, to);
    if (has & HAS_SENDS) parcel.addRights(this.rights(), MAKE_SEND);
    if (has & HAS_ONCES) parcel.addRights(this.rights(), MAKE_SEND_ONCE);
    if (has & HAS_RIGHTS_REGION) await this.addRightsRegion(parcel);
    const port = has & HAS_RECEIVE ? await this.addReceive(parcel, to) : 0;
    parcel.remote = inbox;
    parcel.remoteDisposition = COPY_SEND;
    parcel.id = PARCEL_ID;
    await task.send(parcel);
    if (port === 0) return;
    await this.write(port, to); // it follows the right
    task.ports.deallocate(port);
  }

  private rights(): PortName[] {
    const count = 1 + this.place.random.below(RIGHTS_MAX);
    this.expected += count;
    return new Array<PortName>(count).fill(this.returns);
  }

  private async addRegion(parcel: Message, to: number): Promise<void> {
    const { random, task } = this.place;
    const bytes = PAYLOAD_BYTES_MIN + random.below(REGION_BYTES_MAX - PAYLOAD_BYTES_MIN);
    this.said.write(this.region, bytes, to, REGIONS);
    await task.memory.whenWritable(this.regionAt, bytes);
    task.memory.write(this.regionAt, this.region.bytes.subarray(0, bytes));
    parcel.addRegion(this.regionAt, bytes);
  }

  private async addRightsRegion(parcel: Message): Promise<void> {
    const { memory } = this.place.task;
    const names = this.rights();
    await memory.whenWritable(this.namesAt, names.length * 4);
    for (const [i, name] of names.entries()) memory.store32(this.namesAt + i * 4, name);
    parcel.addRightsRegion(this.namesAt, names.length, MAKE_SEND);
  }

  /** A new port with letters in its queue: its receive right. Returns the sender's name, with a send right. */
  private async addReceive(parcel: Message, to: number): Promise<PortName> {
    const { random, task } = this.place;
    const port = task.ports.allocate();
    task.ports.insertRight(port, port, MAKE_SEND);
    const letters = random.below(LETTERS_MAX + 1);
    for (let i = 0; i < letters; i++) await this.write(port, to);
    parcel.addRight(port, MOVE_RECEIVE).addInteger(letters + 1);
    return port;
  }

  private async write(port: PortName, to: number): Promise<void> {
    const { letter } = this;
    letter.remote = port;
    letter.remoteDisposition = COPY_SEND;
    letter.id = LETTER_ID;
    letter.size = RETURN_BYTES;
    this.said.write(letter, RETURN_BYTES, to, LETTERS);
    await this.place.task.send(letter);
  }

  /** Until every right that was given away has been used or given up. */
  async collect(): Promise<void> {
    const { task } = this.place;
    const heard = new Ledger(this.place.place);
    const message = new Message(RETURN_BYTES);
    for (let got = 0; !this.over || got < this.expected; ) {
      await task.receive(this.returns, { into: message });
      if (message.id === DONE_ID) continue;
      got += 1;
      if (got > this.expected) throw new Error(`${got} returns of ${this.expected} rights`);
      if (message.id === NOTIFY_SEND_ONCE) continue;
      heard.accept(message, message.size, RETURNS);
      this.place.messageGood();
    }
  }
}

/** Takes parcels, uses the rights in them, or gives them up. */
class Receiver {
  private readonly place: Place;
  private readonly heard: Ledger;
  private readonly said: Ledger;
  private readonly back = new Message(RETURN_BYTES);

  constructor(place: Place) {
    this.place = place;
    this.heard = new Ledger(place.place);
    this.said = new Ledger(place.place);
  }

  async run(inbox: PortName): Promise<void> {
    const { task } = this.place;
    for (let open = this.place.places; open > 0; ) {
      const message = await task.receive(inbox);
      if (message.id === DONE_ID) {
        takeDone(message, this.heard, PARCELS);
        open -= 1;
        continue;
      }
      await this.open(message);
      this.place.messageGood();
    }
  }

  private async open(parcel: Message): Promise<void> {
    const [has, from] = parcel.takeIntegers() as unknown as [number, number];
    if (has & HAS_BYTES) {
      const bytes = parcel.takeBytes();
      this.sentBy(from, this.heard.accept(carrierOver(bytes), bytes.length, PARCELS));
    }
    if (has & HAS_REGION) this.sentBy(from, this.takeRegion(parcel));
    if (has & HAS_SENDS) await this.useSends(from, parcel.takeRights().names);
    if (has & HAS_ONCES) await this.useOnces(from, parcel.takeRights().names);
    if (has & HAS_RIGHTS_REGION) await this.useRightsRegion(from, parcel);
    if (has & HAS_RECEIVE) await this.readLetters(from, parcel);
  }

  private sentBy(from: number, sender: number): void {
    if (sender === from) return;
    throw new Error(
      `place ${this.place.place}: a parcel of place ${from} has a payload of place ${sender}`,
    );
  }

  private takeRegion(parcel: Message): number {
    const { task } = this.place;
    const { address, bytes } = parcel.takeRegion();
    if (address === 0) throw new Error(`place ${this.place.place}: ${bytes} bytes found no memory`);
    const from = this.heard.accept(carrierOver(task.memory.read(address, bytes)), bytes, REGIONS);
    task.vm.deallocate(address, bytes);
    return from;
  }

  private async useSends(from: number, names: readonly PortName[]): Promise<void> {
    for (const name of names) await this.giveBack(from, name, MOVE_SEND);
  }

  private async useOnces(from: number, names: readonly PortName[]): Promise<void> {
    const { random, task } = this.place;
    for (const name of names) {
      if (random.chance(0.5)) await this.giveBack(from, name, MOVE_SEND_ONCE);
      else task.ports.deallocate(name); // its sender gets a send-once notification
    }
  }

  private async useRightsRegion(from: number, parcel: Message): Promise<void> {
    const { memory, vm } = this.place.task;
    const { address, count } = parcel.takeRightsRegion();
    if (address === 0)
      throw new Error(`place ${this.place.place}: ${count} rights found no memory`);
    const names = Array.from({ length: count }, (_, i) => memory.load32(address + i * 4) >>> 0);
    vm.deallocate(address, count * 4);
    await this.useSends(from, names);
  }

  private async giveBack(from: number, name: PortName, disposition: Disposition): Promise<void> {
    const { back } = this;
    back.remote = name;
    back.remoteDisposition = disposition;
    back.id = RETURN_ID;
    back.size = RETURN_BYTES;
    this.said.write(back, RETURN_BYTES, from, RETURNS);
    await this.place.task.send(back);
  }

  /** The letters in the port's queue, and those that follow it. */
  private async readLetters(from: number, parcel: Message): Promise<void> {
    const { task } = this.place;
    const { name } = parcel.takeRight();
    for (let left = parcel.takeInteger(); left > 0; left--) {
      const letter = await task.receive(name);
      this.sentBy(from, this.heard.accept(letter, letter.size, LETTERS));
      this.place.messageGood();
    }
    task.ports.destroy(name);
  }
}

export default mixed;
