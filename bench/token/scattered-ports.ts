// Ports of one node whose receivers want to hear of no senders, each with its only send right on another node. When
// the rights go, as many questions are open at once.

import { Message } from "../../src/ipc/message.ts";
import { COPY_SEND, MAKE_SEND, NOTIFY_NO_SENDERS, type PortName } from "../../src/ipc/rights.ts";
import { TOKEN_HEADER_WORDS } from "../../src/norma/token-records.ts";
import type { Task } from "../../src/task/task.ts";
import { RIGHTS_BODY_BYTES, RIGHTS_PER_MESSAGE } from "../programs/rights-args.ts";
import type { Cube } from "./cube.ts";

export class ScatteredPorts {
  private readonly cube: Cube;
  private readonly home: Task;
  private readonly holder: Task;
  private readonly sends: PortName[] = [];
  private readonly notify: PortName;
  private readonly into = new Message(64);
  /** No-senders notifications that have come. */
  told = 0;

  /** `count` ports of a task on node 0, their rights at a task on node `holder`. Nothing is open yet. */
  static async make(cube: Cube, holder: number, count: number): Promise<ScatteredPorts> {
    const ports = new ScatteredPorts(cube, holder);
    await ports.scatter(count);
    return ports;
  }

  private constructor(cube: Cube, holder: number) {
    this.cube = cube;
    this.home = cube.task(0);
    this.holder = cube.task(holder);
    this.notify = this.home.ports.allocate();
    void this.listen();
  }

  private async scatter(count: number): Promise<void> {
    const { cube, home, holder } = this;
    const inbox = holder.ports.allocate();
    const label = `bench token ${inbox}`;
    await cube.run(holder.names.checkIn(label, inbox));
    const way = await cube.run(home.names.lookUp(label, { host: holder.node }));
    await cube.run(holder.names.checkOut(label));
    const message = new Message(RIGHTS_BODY_BYTES);
    const received = new Message(RIGHTS_BODY_BYTES);
    for (let first = 0; first < count; first += RIGHTS_PER_MESSAGE) {
      const names = Array.from({ length: Math.min(RIGHTS_PER_MESSAGE, count - first) }, () =>
        home.ports.allocate(),
      );
      for (const name of names) {
        home.ports.requestNotification(name, NOTIFY_NO_SENDERS, 1, this.notify);
      }
      message.clear().addRights(names, MAKE_SEND);
      message.remote = way;
      message.remoteDisposition = COPY_SEND;
      await cube.run(Promise.all([home.send(message), holder.receive(inbox, { into: received })]));
      this.sends.push(...received.takeRights().names);
    }
  }

  /** Sends the token round until every port has been asked about and its right been found: from then on the holder's
   *  node watches, and the token has nothing to do. */
  async settle(): Promise<void> {
    while (!(await this.isIdlePeriod()));
  }

  /** Runs a period; true if the token carried nothing in it. */
  async isIdlePeriod(): Promise<boolean> {
    const { cube } = this;
    const before = cube.count("tokenBytes");
    await cube.runTokenPeriods(1);
    return cube.count("tokenBytes") - before === emptyPeriodBytes(cube.kernels.length);
  }

  /** The holder's rights go: `count` of them, all by default. */
  drop(count = this.sends.length): void {
    for (const name of this.sends.splice(0, count)) this.holder.ports.deallocate(name);
  }

  private async listen(): Promise<void> {
    for (;;) {
      await this.home.receive(this.notify, { into: this.into });
      if (this.into.id !== NOTIFY_NO_SENDERS) throw new Error(`notification ${this.into.id}`);
      this.told += 1;
    }
  }
}

/** Bytes of the messages of a period in which the token carries no records. */
export const emptyPeriodBytes = (nodes: number): number => 3 * nodes * TOKEN_HEADER_WORDS * 4;
