// The ring that the token goes round on: the nodes of the hypercube in Gray-code order, so that every step, the
// last one included, is one hop.

/** The node after `node` on the ring of `nodes` nodes, a power of two. */
export const ringSuccessor = (node: number, nodes: number): number => {
  const next = (rankOf(node) + 1) & (nodes - 1);
  return next ^ (next >>> 1);
};

/** The place of a node on the ring: the inverse of the Gray code. */
const rankOf = (node: number): number => {
  let rank = node;
  for (let shift = 1; shift < 32; shift *= 2) rank ^= rank >>> shift;
  return rank;
};
