// The cable of an ethernet whose time is modelled: carrier sense and collisions (CSMA/CD). One word,
// MEDIUM_HOLDER, changed by compare-and-swap alone. `n` is the number of the node that has it, plus 1.
//
//   free                CHANNEL_FREE
//   contended by n      n | CONTENDED   n has begun to send; not every node hears it yet
//   jammed for n        n | JAMMED      somebody else has begun meanwhile: n's frame is lost, and his
//   sent on by n        n               the slot time is over: everybody hears n and waits
//
//   free -> contended   tryCable(), by n          contended -> jammed     tryCable(), by another
//   contended -> sent   keepCable(), by n         jammed, sent -> free    release() of channel.ts, by n
//
// Whoever finds the cable busy leaves word (channel.ts) and tries once more; release() rings all who
// did, and they begin at once: 1-persistent, so that two who waited collide.

import { CHANNEL_FREE } from "./channel.ts";
import { MEDIUM_HOLDER } from "./machine-layout.ts";

const CONTENDED = 1 << 16;
const JAMMED = 1 << 17;

/** The cable is ours, for as long as nobody jams it. */
export const CABLE_TAKEN = 0;
/** Somebody else had begun just before: his frame and ours are lost. */
export const CABLE_COLLIDED = 1;
/** Somebody is sending. */
export const CABLE_BUSY = 2;
export type CableStatus = typeof CABLE_TAKEN | typeof CABLE_COLLIDED | typeof CABLE_BUSY;

/** Listens to the cable at word `at` and begins to send if nobody is heard. */
export const tryCable = (words: Int32Array, at: number, node: number): CableStatus => {
  const holderAt = at + MEDIUM_HOLDER;
  // acquire: pairs with the store in release().
  const found = Atomics.compareExchange(words, holderAt, CHANNEL_FREE, (node + 1) | CONTENDED);
  if (found === CHANNEL_FREE) return CABLE_TAKEN;
  if ((found & JAMMED) !== 0) return CABLE_COLLIDED;
  if ((found & CONTENDED) === 0) return CABLE_BUSY;
  // Pairs with the compareExchange in keepCable(): one of the two comes first.
  const jammed = (found & ~CONTENDED) | JAMMED;
  const before = Atomics.compareExchange(words, holderAt, found, jammed);
  return before === found || (before & JAMMED) !== 0 ? CABLE_COLLIDED : CABLE_BUSY;
};

/** At the end of the slot time: true if nobody has jammed the cable that `node` contends for. Either
 *  way it is the node that releases it. */
export const keepCable = (words: Int32Array, at: number, node: number): boolean => {
  const contended = (node + 1) | CONTENDED;
  const holderAt = at + MEDIUM_HOLDER;
  return Atomics.compareExchange(words, holderAt, contended, node + 1) === contended;
};
