// Typed items of a complex message's body, Mach 3.0 layout: a descriptor, then its data, padded to 4.
//
//   short   31      30      29      28      27 .. 16    15 .. 8      7 .. 0
//          |unused|dealloc|longform|inline| number    | size, bits | name |
//   long    first word as above with name, size and number 0, then  size << 16 | name,  then number
//
// Out of line (inline bit 0) the data is one word: in a task's message the address, in the kernel the number
// of a region (overflow.ts).
// Functions over (words, at): at is the word of the descriptor.

const INLINE_BIT = 1 << 28;
const LONG_FORM_BIT = 1 << 29;
const DEALLOCATE_BIT = 1 << 30;
const UNUSED_BIT = 1 << 31;

export const TYPE_BYTE = 9;
export const TYPE_INTEGER_32 = 2;
export const TYPE_STRING = 12;
/** A name as a bare number; no right goes with it. */
export const TYPE_PORT_NAME = 15;

/** Most elements that a short descriptor can tell. */
export const SHORT_NUMBER_MAX = 0xfff;
const PORT_NAME_BITS = 32;

export const isLongForm = (words: Int32Array, at: number): boolean =>
  (words[at]! & LONG_FORM_BIT) !== 0;

export const isInline = (words: Int32Array, at: number): boolean => (words[at]! & INLINE_BIT) !== 0;

export const itemType = (words: Int32Array, at: number): number =>
  isLongForm(words, at) ? words[at + 1]! & 0xffff : words[at]! & 0xff;

const itemElementBits = (words: Int32Array, at: number): number =>
  isLongForm(words, at) ? words[at + 1]! >>> 16 : (words[at]! >>> 8) & 0xff;

export const itemNumber = (words: Int32Array, at: number): number =>
  isLongForm(words, at) ? words[at + 2]! >>> 0 : (words[at]! >>> 16) & SHORT_NUMBER_MAX;

/** Word of the item's data. */
export const itemData = (words: Int32Array, at: number): number =>
  at + (isLongForm(words, at) ? 3 : 1);

/** Bytes of the item's data, unpadded. */
export const itemBytes = (words: Int32Array, at: number): number =>
  Math.ceil((itemElementBits(words, at) * itemNumber(words, at)) / 8);

/** Word after the item. */
export const itemEnd = (words: Int32Array, at: number): number =>
  itemData(words, at) + (isInline(words, at) ? Math.ceil(itemBytes(words, at) / 4) : 1);

/** Of an item out of line: its memory is the sender's no longer, or has become the receiver's. */
export const hasDeallocate = (words: Int32Array, at: number): boolean =>
  (words[at]! & DEALLOCATE_BIT) !== 0;

export const setDeallocate = (words: Int32Array, at: number): void => {
  words[at]! |= DEALLOCATE_BIT;
};

/** Marks an item whose region found no room: at no address, of elements without size. */
export const clearRegion = (words: Int32Array, at: number): void => {
  words[itemData(words, at)] = 0;
  if (isLongForm(words, at)) words[at + 1]! &= 0xffff;
  else words[at]! &= ~0xff00;
};

export const ITEM_GOOD = 0;
export const ITEM_TRUNCATED = 1;
export const ITEM_MALFORMED = 2;

/** True of an item whose region found no room when it was received (clearRegion). */
export const isClearedRegion = (words: Int32Array, at: number): boolean =>
  !isInline(words, at) && words[itemData(words, at)] === 0 && itemElementBits(words, at) === 0;

/** Checks the descriptor at `at` of a body that ends before word `end`. After ITEM_GOOD the accessors
 *  cannot run outside it. `isPort` tells which types are rights, whose elements have 32 bits. */
export const checkItem = (
  words: Int32Array,
  at: number,
  end: number,
  isPort: (type: number) => boolean,
): number => {
  if (at >= end) return ITEM_TRUNCATED;
  const first = words[at]!;
  if ((first & LONG_FORM_BIT) !== 0) {
    if ((first & 0x0fffffff) !== 0) return ITEM_MALFORMED;
    if (at + 3 > end) return ITEM_TRUNCATED;
  }
  if ((first & UNUSED_BIT) !== 0) return ITEM_MALFORMED;
  if ((first & INLINE_BIT) !== 0 && (first & DEALLOCATE_BIT) !== 0) return ITEM_MALFORMED;
  if (isPort(itemType(words, at)) && itemElementBits(words, at) !== PORT_NAME_BITS) {
    return ITEM_MALFORMED;
  }
  return itemEnd(words, at) > end ? ITEM_TRUNCATED : ITEM_GOOD;
};

/** Writes an inline item's descriptor; returns the word of its data. */
export const writeItem = (
  words: Int32Array,
  at: number,
  type: number,
  elementBits: number,
  number: number,
): number => writeDescriptor(words, at, type, elementBits, number, INLINE_BIT);

/** Writes the descriptor of an item out of line; returns the word for its address. */
export const writeRegionItem = (
  words: Int32Array,
  at: number,
  type: number,
  elementBits: number,
  number: number,
  deallocate: boolean,
): number => writeDescriptor(words, at, type, elementBits, number, deallocate ? DEALLOCATE_BIT : 0);

const writeDescriptor = (
  words: Int32Array,
  at: number,
  type: number,
  elementBits: number,
  number: number,
  flags: number,
): number => {
  if (number <= SHORT_NUMBER_MAX) {
    words[at] = type | (elementBits << 8) | (number << 16) | flags;
    return at + 1;
  }
  words[at] = flags | LONG_FORM_BIT;
  words[at + 1] = (elementBits << 16) | type;
  words[at + 2] = number;
  return at + 3;
};

/** Replaces the type of an item, as the kernel does when it translates a disposition. */
export const setItemType = (words: Int32Array, at: number, type: number): void => {
  if (isLongForm(words, at)) words[at + 1] = (words[at + 1]! & ~0xffff) | type;
  else words[at] = (words[at]! & ~0xff) | type;
};
