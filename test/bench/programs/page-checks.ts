// Sends pages to itself and returns what the check of a large-message suite says of them, for expectations that
// are right and for some that are not.

import { HeldRegion } from "../../../bench/programs/held-region.ts";
import { PageBuffer } from "../../../bench/programs/page-buffer.ts";
import { MAKE_SEND, Message, type Program } from "../../../src/index.ts";

const PAGES = 3;
const SALT = 7;

const check: Program<unknown, Record<string, string>> = async (task) => {
  const { pageBytes } = task.vm;
  const bytes = PAGES * pageBytes;
  const port = task.ports.allocate();
  const held = new HeldRegion(task);
  const deliver = async (damage: (address: number) => void) => {
    const message = new Message();
    message.remote = port;
    message.remoteDisposition = MAKE_SEND;
    new PageBuffer(task, bytes, SALT, false, false).writeBody(message);
    damage(message.words[(message.size >> 2) - 1]!);
    await task.send(message);
    held.take(await task.receive(port));
  };
  const said: Record<string, string> = {};
  const ask = (what: string, expectedBytes: number, salt: number) => {
    try {
      held.check(expectedBytes, salt, null);
      said[what] = "whole";
    } catch (error) {
      said[what] = String(error);
    }
  };
  await deliver(() => {});
  ask("right", bytes, SALT);
  ask("otherSalt", bytes, SALT + 1);
  ask("tooShort", bytes + pageBytes, SALT);
  await deliver((address) => task.memory.store8(address + 2 * pageBytes - 1, 0xee));
  ask("damaged", bytes, SALT);
  held.release();
  ask("released", bytes, SALT);
  return said;
};
export default check;
