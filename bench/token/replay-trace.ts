// Lets a history of rights happen on a cube, a period of the token after each part of it, and counts the token's
// messages. Homes ask for no-senders all the time, as servers do that keep their objects only as long as they are used. That
// nothing is wrong shows in the end: when the last right is dropped, every port's home has heard that there are no senders.

import { Message } from "../../src/ipc/message.ts";
import {
  COPY_SEND,
  MAKE_SEND,
  MOVE_SEND,
  NOTIFY_NO_SENDERS,
  type PortName,
} from "../../src/ipc/rights.ts";
import type { Task } from "../../src/task/task.ts";
import type { Cube } from "./cube.ts";
import type { RightMovement, RightTrace } from "./right-trace.ts";

interface Resident {
  readonly task: Task;
  readonly inbox: PortName;
  /** Its ways to the inboxes of all nodes. */
  readonly ways: PortName[];
  /** Its names for the ports of the trace; 0 without a right. */
  readonly names: PortName[];
}

/** Messages of the token in each period of the trace. The cube's pause is "manual". */
export async function replayTrace(cube: Cube, trace: RightTrace): Promise<number[]> {
  const replay = new Replay(cube, trace);
  await replay.begin();
  const messages: number[] = [];
  for (const movements of trace.periods) {
    for (const movement of movements) await replay.happen(movement);
    const before = cube.count("tokenMessages");
    await cube.runTokenPeriods(1);
    messages.push(cube.count("tokenMessages") - before);
  }
  await replay.end();
  return messages;
}

class Replay {
  private readonly cube: Cube;
  private readonly trace: RightTrace;
  private readonly residents: Resident[] = [];
  /** The receive rights' names at their homes. */
  private readonly receives: PortName[] = [];
  /** Where the homes hear of no senders. */
  private readonly notifies: PortName[] = [];
  /** How often a right of each port was made, and whether its home is to hear when there are none. */
  private readonly makes: number[] = [];
  private readonly asked: boolean[] = [];
  private readonly parcel = new Message(64);
  private readonly into = new Message(64);

  constructor(cube: Cube, trace: RightTrace) {
    this.cube = cube;
    this.trace = trace;
  }

  async begin(): Promise<void> {
    const { cube, trace, residents } = this;
    for (let node = 0; node < trace.nodes; node++) {
      const task = cube.task(node);
      const inbox = task.ports.allocate();
      await cube.run(task.names.checkIn("inbox", inbox));
      residents.push({ task, inbox, ways: [], names: trace.homes.map(() => 0) });
    }
    for (const { task, ways } of residents) {
      for (let node = 0; node < trace.nodes; node++) {
        ways.push(await cube.run(task.names.lookUp("inbox", { host: node })));
      }
    }
    for (const [port, home] of trace.homes.entries()) {
      const { task } = residents[home]!;
      this.receives.push(task.ports.allocate());
      this.notifies.push(task.ports.allocate());
      this.makes.push(0);
      this.asked.push(false);
      void this.listen(port);
    }
  }

  async happen(movement: RightMovement): Promise<void> {
    const { port } = movement;
    const home = this.trace.homes[port]!;
    if (movement.kind === "make") {
      await this.send(home, movement.to, port, this.receives[port]!, MAKE_SEND);
      this.makes[port]! += 1;
      this.ask(port);
      return;
    }
    const { task, names } = this.residents[movement.from]!;
    const name = names[port]!;
    if (movement.kind !== "copy") names[port] = 0;
    if (movement.kind === "drop") task.ports.deallocate(name);
    else {
      const disposition = movement.kind === "move" ? MOVE_SEND : COPY_SEND;
      await this.send(movement.from, movement.to, port, name, disposition);
    }
  }

  private async send(
    from: number,
    to: number,
    port: number,
    name: PortName,
    disposition: typeof MAKE_SEND | typeof COPY_SEND | typeof MOVE_SEND,
  ): Promise<void> {
    const { cube, parcel, into } = this;
    const sender = this.residents[from]!;
    const heir = this.residents[to]!;
    parcel.clear().addRight(name, disposition);
    parcel.remote = sender.ways[to]!;
    parcel.remoteDisposition = COPY_SEND;
    await cube.run(
      Promise.all([sender.task.send(parcel), heir.task.receive(heir.inbox, { into })]),
    );
    const arrived = into.takeRight().name;
    const isMerged = heir.names[port] === arrived;
    if (isMerged || to === this.trace.homes[port]) heir.task.ports.deallocate(arrived);
    else heir.names[port] = arrived;
  }

  /** Asks for the next notification of no senders, if none is to come. */
  private ask(port: number): void {
    if (this.asked[port]) return;
    this.asked[port] = true;
    const { ports } = this.residents[this.trace.homes[port]!]!.task;
    const [receive, notify] = [this.receives[port]!, this.notifies[port]!];
    ports.requestNotification(receive, NOTIFY_NO_SENDERS, this.makes[port]!, notify);
  }

  private async listen(port: number): Promise<void> {
    const { task } = this.residents[this.trace.homes[port]!]!;
    const into = new Message(64);
    for (;;) {
      await task.receive(this.notifies[port]!, { into });
      this.asked[port] = false;
    }
  }

  /** The trace is over and nobody has a right any more: every home has heard of it, or does now. */
  async end(): Promise<void> {
    await this.cube.runTokenPeriods(3);
    const left = this.asked.filter((asked) => asked).length;
    if (left > 0) throw new Error(`no-senders has not come at ${left} ports`);
  }
}
