// What the suite rights tells the programs that fill a node, and the words through which they tell how
// far they are.

/** How much a node is filled with. Every holder gets a send right for each of the ports. */
export interface Fill {
  readonly ports: number;
  readonly holders: number;
}

/** Rights in one message: an array of 4,000 bytes and its descriptor, which fit a page. */
export const RIGHTS_PER_MESSAGE = 1000;

/** Room for that: a descriptor has three words. */
export const RIGHTS_BODY_BYTES = (RIGHTS_PER_MESSAGE + 3) * 4;

/** Words between two counts: every task has a cache line of its own. */
export const COUNT_STRIDE_WORDS = 16;

export interface FillArgs extends Fill {
  readonly words: Int32Array<SharedArrayBuffer>;
}

export interface HolderArgs extends FillArgs {
  readonly holder: number;
}

/** Where holder number `holder` counts its rights. */
export const countWordOf = (holder: number): number => holder * COUNT_STRIDE_WORDS;

/** The name under which a holder's port is checked in on its node. */
export const nameOfHolder = (holder: number): string => `bench rights ${holder}`;
