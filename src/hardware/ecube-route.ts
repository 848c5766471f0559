// e-cube routing: a packet crosses the dimensions in which source and destination differ, in
// ascending order (the iPSC/2's route word was likewise destination XOR source). Every path uses
// channels in one global order, so circuits that wait for each other cannot form a ring.

/** Number of channels between two nodes. */
export const hopCount = (from: number, to: number): number => {
  let bits = from ^ to;
  let hops = 0;
  while (bits !== 0) {
    bits &= bits - 1;
    hops += 1;
  }
  return hops;
};

/** The dimension to cross next; `differing` = here XOR destination, not zero. */
export const nextDimension = (differing: number): number => 31 - Math.clz32(differing & -differing);

/** The nodes of the path, both ends included. */
export const routeNodes = (from: number, to: number): number[] => {
  const nodes = [from];
  let here = from;
  while (here !== to) {
    here ^= 1 << nextDimension(here ^ to);
    nodes.push(here);
  }
  return nodes;
};
