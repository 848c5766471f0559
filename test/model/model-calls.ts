// The mach_port calls on the model of ipc-model.ts. Each returns the code that the kernel should return, and
// changes the model accordingly. Names that the kernel chooses are arguments: it is asked first.

import type { PortName } from "../../src/ipc/rights.ts";
import {
  carried,
  type Entry,
  IpcModel,
  type ModelPort,
  type ModelRight,
  ModelSet,
  type ModelTask,
  ONCE,
  RECEIVE,
  SEND,
} from "./ipc-model.ts";

export const DONE = "done";

export type Kind = "receive" | "port-set" | "dead-name";

export class ModelCalls {
  readonly model: IpcModel;

  constructor(model: IpcModel) {
    this.model = model;
  }

  allocate(task: ModelTask, name: PortName, kind: Kind): string {
    if (task.find(name) !== undefined) return "KERN_NAME_EXISTS";
    if (kind === "receive") task.add({ name, receive: true, port: this.model.newPort(task.node) });
    else if (kind === "port-set") task.add({ name, set: new ModelSet() });
    else task.add({ name, dead: 1 });
    return DONE;
  }

  rename(task: ModelTask, entry: Entry, name: PortName): string {
    if (task.find(name) !== undefined) return "KERN_NAME_EXISTS";
    entry.name = name;
    return DONE;
  }

  deallocate(task: ModelTask, entry: Entry): string {
    if (entry.set !== null || (entry.receive && entry.send === 0)) return "KERN_INVALID_RIGHT";
    if (entry.once) this.dropOnce(task, entry);
    else if (entry.port === null) this.dropDead(task, entry, 1);
    else this.dropSend(task, entry, 1);
    this.model.reportDeleted();
    return DONE;
  }

  destroy(task: ModelTask, entry: Entry): string {
    if (entry.set !== null) this.dropSet(task, entry);
    if (entry.dead > 0) this.dropDead(task, entry, entry.dead);
    if (entry.once) this.dropOnce(task, entry);
    if (entry.send > 0) {
      this.dropSend(task, entry, entry.send);
      this.model.later();
    }
    if (entry.receive) this.dropReceive(task, entry);
    this.model.reportDeleted();
    return DONE;
  }

  /** `right`: 0 send, 1 receive, 2 send-once, 3 set, 4 dead name. */
  modRefs(task: ModelTask, entry: Entry, right: number, delta: number): string {
    const has = references(entry, right);
    if (has === 0) return "KERN_INVALID_RIGHT";
    const counted = right === 0 || right === 4;
    if (counted ? has + delta < 0 : delta !== 0 && delta !== -1) return "KERN_INVALID_VALUE";
    if (counted && delta > 0) entry[right === 0 ? "send" : "dead"] += delta;
    else if (right === 0) this.dropSend(task, entry, -delta);
    else if (right === 4) this.dropDead(task, entry, -delta);
    else if (delta === 0) return DONE;
    else if (right === 1) this.dropReceive(task, entry);
    else if (right === 2) this.dropOnce(task, entry);
    else this.dropSet(task, entry);
    this.model.reportDeleted();
    return DONE;
  }

  private dropSend(task: ModelTask, entry: Entry, count: number): void {
    const port = entry.port!;
    entry.send -= count;
    this.model.tidy(task, entry);
    if (entry.send === 0) this.model.senderGone(port);
  }

  private dropDead(task: ModelTask, entry: Entry, count: number): void {
    entry.dead -= count;
    this.model.tidy(task, entry);
  }

  private dropOnce(task: ModelTask, entry: Entry): void {
    entry.once = false;
    this.model.tidy(task, entry);
    this.model.release({ right: ONCE, port: entry.port });
  }

  private dropReceive(task: ModelTask, entry: Entry): void {
    const port = entry.port!;
    this.model.takeReceive(entry, port);
    this.model.tidy(task, entry);
    this.model.release({ right: RECEIVE, port });
  }

  private dropSet(task: ModelTask, entry: Entry): void {
    for (const port of [...entry.set!.members]) entry.set!.leave(port);
    entry.set = null;
    this.model.tidy(task, entry);
  }

  insertRight(task: ModelTask, name: PortName, from: Entry, disposition: number): string {
    const { port } = from;
    if (port === null) return "KERN_INVALID_CAPABILITY";
    if (!IpcModel.canTake(from, disposition)) return "KERN_INVALID_RIGHT";
    const right = carried(disposition);
    const again = disposition === SEND && name === from.name; // out of a name and into it again
    const leaves = again || this.wouldGo(from, disposition);
    const known = right === ONCE ? undefined : task.entryOf(port);
    if (known !== undefined && !(known === from && leaves)) {
      if (known.name !== name) return "KERN_RIGHT_EXISTS";
    } else {
      const there = task.find(name);
      if (there !== undefined && !(there === from && leaves)) return "KERN_NAME_EXISTS";
    }
    if (again) return DONE;
    this.put(task, this.model.take(task, from, disposition), name);
    this.model.reportDeleted();
    return DONE;
  }

  private wouldGo({ receive, send, once }: Entry, disposition: number): boolean {
    if (disposition === SEND) return !receive && send === 1;
    if (disposition === RECEIVE) return send === 0;
    return disposition === ONCE && once;
  }

  /** A right comes under the name that merges with it, or else under `name`. */
  put(task: ModelTask, { right, port }: ModelRight, name: PortName): Entry {
    const known = right === ONCE ? undefined : task.entryOf(port!);
    const entry = known ?? task.add({ name, port });
    if (right === SEND) entry.send += 1;
    if (right === ONCE) entry.once = true;
    if (right === RECEIVE) {
      entry.receive = true;
      port!.inside = null;
    }
    return entry;
  }

  moveMember(member: Entry, after: Entry | null): string {
    const { port } = member;
    if (port === null || !member.receive) return "KERN_INVALID_RIGHT";
    if (after === null) {
      if (port.set === null) return "KERN_NOT_IN_SET";
      port.set.leave(port);
      return DONE;
    }
    if (after.set === null) return "KERN_INVALID_RIGHT";
    if (port.set === after.set) return DONE;
    after.set.join(port);
    this.model.restamp(port);
    return DONE;
  }

  /** mach_port_request_notification: the code, and the send-once right that was registered before. The right to
   *  `notify` has been taken already (a port that lives), or it is null. */
  request(
    entry: Entry,
    id: number,
    sync: number,
    notify: ModelPort | null,
  ): { code: string; previous: ModelPort | null } {
    const failed = (code: string) => ({ code, previous: null });
    const { port } = entry;
    if (id === 72) {
      if (entry.set !== null) return failed("KERN_INVALID_RIGHT");
      if (port === null) {
        if (sync === 0 || notify === null) return failed("KERN_INVALID_ARGUMENT");
        entry.dead += 1;
        this.model.notify(notify, 72, { kind: "name", word: entry.name });
        return { code: DONE, previous: null };
      }
      const previous = entry.deadName;
      entry.deadName = notify;
      return { code: DONE, previous };
    }
    if (id === 69 && sync !== 0) return failed("KERN_INVALID_VALUE");
    if (port === null || !entry.receive) return failed("KERN_INVALID_RIGHT");
    if (id === 69) {
      const previous = port.destroyed;
      port.destroyed = notify;
      return { code: DONE, previous };
    }
    const previous = port.noSenders;
    port.noSenders = notify;
    if (notify !== null && sync >>> 0 <= port.mscount >>> 0) this.model.senderGone(port);
    return { code: DONE, previous };
  }

  /** The task ends; `names`: its names, in the order in which the kernel goes through them. */
  kill(task: ModelTask, names: readonly PortName[]): void {
    for (const name of names) {
      const entry = task.find(name);
      if (entry !== undefined) this.destroy(task, entry);
    }
    task.alive = false;
  }
}

export const references = (entry: Entry, right: number): number => {
  const { send, receive, once, set, dead } = entry;
  return [send, Number(receive), Number(once), Number(set !== null), dead][right]!;
};
