// A port travels round the machine: each task in turn receives some letters from it and hands its receive right on, while
// every task goes on sending to it. The last one, which is the first again, receives what is left and waits until there
// are no senders.

import {
  COPY_SEND,
  MACH_PORT_NULL,
  Message,
  MOVE_RECEIVE,
  NOTIFY_NO_SENDERS,
  type PortName,
  type Program,
  type Task,
} from "../../../src/index.ts";

export interface TravellerArgs {
  readonly place: number;
  readonly places: number;
  /** How often the right is handed on: a multiple of `places`. */
  readonly stages: number;
  /** Letters that each task sends. */
  readonly letters: number;
}

/** What one stage received: pairs of writer and number, one after the other. */
export interface Stage {
  readonly stage: number;
  readonly got: readonly number[];
}

const PORT = "travelling port";
const LOOK_UP_NS = 60e9;

const travel: Program<TravellerArgs, Stage[]> = async (task, args) => {
  const { place, places, stages, letters } = args;
  const inbox = task.ports.allocate();
  const made = place === 0 ? await publish(task) : MACH_PORT_NULL;
  // Before anybody can hand the port on to this task, and so before its name is given up.
  const target = await task.names.lookUp(PORT, { host: 0, waitNs: LOOK_UP_NS });
  await task.names.checkIn(`place ${place}`, inbox);
  const writing = write(task, target, place, letters);
  const done: Stage[] = [];
  for (let stage = place; stage < stages; stage += places) {
    const port = stage === 0 ? made : await arrival(task, inbox);
    done.push({ stage, got: await take(task, port, Math.ceil((places * letters) / (2 * stages))) });
    await handOn(task, port, (place + 1) % places);
  }
  if (place === 0) {
    const port = await arrival(task, inbox);
    await task.names.checkOut(PORT);
    const notify = task.ports.allocate();
    task.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
    done.push({ stage: stages, got: await takeUntil(task, port, notify) });
  }
  await writing;
  return done;
};

const publish = async (task: Task): Promise<PortName> => {
  const port = task.ports.allocate();
  await task.names.checkIn(PORT, port);
  return port;
};

const arrival = async (task: Task, inbox: PortName): Promise<PortName> =>
  (await task.receive(inbox)).takeRight().name;

const handOn = async (task: Task, port: PortName, to: number): Promise<void> => {
  const message = new Message();
  message.remote = await task.names.lookUp(`place ${to}`, { host: to, waitNs: LOOK_UP_NS });
  message.remoteDisposition = COPY_SEND;
  await task.send(message.addRight(port, MOVE_RECEIVE));
  task.ports.deallocate(message.remote);
};

const write = async (task: Task, port: PortName, place: number, letters: number): Promise<void> => {
  for (let number = 1; number <= letters; number++) {
    const message = new Message();
    message.remote = port;
    message.remoteDisposition = COPY_SEND;
    await task.send(message.addIntegers([place, number]));
  }
  task.ports.deallocate(port);
};

const take = async (task: Task, port: PortName, count: number): Promise<number[]> => {
  const got: number[] = [];
  for (let i = 0; i < count; i++) got.push(...(await task.receive(port)).takeIntegers());
  return got;
};

/** Letters of the port until it has no senders any more. */
const takeUntil = async (task: Task, port: PortName, notify: PortName): Promise<number[]> => {
  const set = task.ports.allocate("port-set");
  for (const member of [port, notify]) task.ports.moveMember(member, set);
  const got: number[] = [];
  for (;;) {
    const message = await task.receive(set);
    if (message.local === notify) return got;
    got.push(...message.takeIntegers());
  }
};
export default travel;
