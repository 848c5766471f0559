// Network identifiers of ports: where the receive right lives, and which port it is there (paper
// 2.5.1). Users never see one. 32 bits:  node << 22 | local id.  0 is the null port.
//
// Local ids below FIRST_LOCAL_ID are special ports: kernel-owned, the same id on every node, so that
// any node can make a proxy for one without asking (CMU norma/ipc_special.c).

export type Identifier = number;

export const NULL_IDENTIFIER: Identifier = 0;
/** A right that is dead; never a real identifier. */
export const DEAD_IDENTIFIER: Identifier = -1;

/** False for what stands for no right: null or dead. */
export const isRight = (identifier: Identifier): boolean =>
  identifier !== NULL_IDENTIFIER && identifier !== DEAD_IDENTIFIER;

const LOCAL_ID_BITS = 22;
const LOCAL_ID_MASK = (1 << LOCAL_ID_BITS) - 1;
/** Local ids are handed out upwards, and used again long after they have come back; running out is an error, not a wrap. */
export const LOCAL_ID_MAX = LOCAL_ID_MASK - 1;

export const FIRST_LOCAL_ID = 32;

export const makeIdentifier = (node: number, localId: number): Identifier =>
  (node << LOCAL_ID_BITS) | localId;

export const identifierNode = (identifier: Identifier): number => identifier >>> LOCAL_ID_BITS;

export const identifierLocal = (identifier: Identifier): number => identifier & LOCAL_ID_MASK;
