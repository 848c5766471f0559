// Types of arguments and results: how a value of a program becomes an item, and comes back from one.
// An argument that its type does not allow is the caller's mistake: put() throws RangeError or TypeError.

import { type CarriedRight, carriedRight, type Disposition } from "../ipc/rights.ts";
import type { ItemReader, ItemWriter, Region } from "./items.ts";

/** A value that is the same for tasks and kernels. */
export interface DataField<Value, Result = Value> {
  readonly kind: "data";
  put(writer: ItemWriter<unknown>, value: Value): void;
  take(reader: ItemReader<unknown>): Result;
}

/** A right: the sender's name goes in, the receiver's name comes out. */
export interface RightField {
  readonly kind: "right";
  put<Right>(writer: ItemWriter<Right>, value: Right): void;
  take<Right>(reader: ItemReader<Right>): Right;
}

/** Rights of one kind. */
export interface RightsField {
  readonly kind: "rights";
  put<Right>(writer: ItemWriter<Right>, value: readonly Right[]): void;
  take<Right>(reader: ItemReader<Right>): Right[];
}

/** A right whose sender says each time what becomes of it. */
export interface PolymorphicField {
  readonly kind: "polymorphic";
  put<Right>(writer: ItemWriter<Right>, value: Disposed<Right>): void;
  take<Right>(reader: ItemReader<Right>): Right;
}

/** A right with what is to become of it. */
export interface Disposed<Right> {
  readonly right: Right;
  readonly disposition: Disposition;
}

/** A right of any kind: its sender says what becomes of it, its receiver sees which one it is. */
export interface AnyRightField {
  readonly kind: "any right";
  put<Right>(writer: ItemWriter<Right>, value: Disposed<Right>): void;
  take<Right>(reader: ItemReader<Right>): Carried<Right>;
}

/** A right that has arrived, and which one it is. */
export interface Carried<Right> {
  readonly right: Right;
  readonly kind: CarriedRight;
  /** It was dead; a null right is not. */
  readonly dead: boolean;
}

/** Memory out of line: the receiver gets a copy in new memory of its own. */
export interface RegionField {
  readonly kind: "region";
  put<Memory>(writer: ItemWriter<unknown, Memory>, value: Memory): void;
  take<Memory>(reader: ItemReader<unknown, Memory>): Memory;
}

/** Any number of them: an integer that counts them, and an item for each. */
export interface RegionsField {
  readonly kind: "regions";
  put<Memory>(writer: ItemWriter<unknown, Memory>, value: readonly Memory[]): void;
  take<Memory>(reader: ItemReader<unknown, Memory>): Memory[];
}

export type Field =
  | DataField<never, unknown>
  | RightField
  | RightsField
  | PolymorphicField
  | AnyRightField
  | RegionField
  | RegionsField;

/** What a field takes from whoever sends it. */
export type Given<F, Right, Memory = Region> = F extends RightField
  ? Right
  : F extends RightsField
    ? readonly Right[]
    : F extends PolymorphicField
      ? Disposed<Right>
      : F extends AnyRightField
        ? Disposed<Right>
        : F extends RegionField
          ? Memory
          : F extends RegionsField
            ? readonly Memory[]
            : F extends DataField<infer Value, unknown>
              ? Value
              : never;

/** What a field gives to whoever receives it. */
export type Taken<F, Right, Memory = Region> = F extends RightField
  ? Right
  : F extends RightsField
    ? Right[]
    : F extends PolymorphicField
      ? Right
      : F extends AnyRightField
        ? Carried<Right>
        : F extends RegionField
          ? Memory
          : F extends RegionsField
            ? Memory[]
            : F extends DataField<never, infer Result>
              ? Result
              : never;

const data = <Value, Result = Value>(
  put: (writer: ItemWriter<unknown>, value: Value) => void,
  take: (reader: ItemReader<unknown>) => Result,
): DataField<Value, Result> => ({ kind: "data", put, take });

/** -2^31 to 2^31 - 1. */
export const int32 = data<number>(
  (writer, value) => {
    if (value !== (value | 0)) throw new RangeError(`${value} is no integer of 32 bits`);
    writer.integer(value);
  },
  (reader) => reader.integer(),
);

/** 0 to 2^32 - 1: addresses and sizes. */
export const uint32 = data<number>(
  (writer, value) => {
    if (value !== value >>> 0) throw new RangeError(`${value} is no number of 32 bits`);
    writer.integer(value | 0);
  },
  (reader) => reader.integer() >>> 0,
);

export const boolean = data<boolean>(
  (writer, value) => {
    if (typeof value !== "boolean") throw new TypeError(`${String(value)} is no boolean`);
    writer.boolean(value);
  },
  (reader) => reader.boolean(),
);

export const float64 = data<number>(
  (writer, value) => {
    if (typeof value !== "number") throw new TypeError(`${String(value)} is no number`);
    writer.float64(value);
  },
  (reader) => reader.float64(),
);

/** Any string; what is no Unicode text (a lone surrogate) arrives as U+FFFD. */
export const text = data<string>(
  (writer, value) => {
    if (typeof value !== "string") throw new TypeError(`${String(value)} is no string`);
    writer.text(value);
  },
  (reader) => reader.text(),
);

export const bytes = data<Uint8Array>(
  (writer, value) => {
    if (!isUint8Array(value)) throw new TypeError("it is no Uint8Array");
    writer.bytes(value);
  },
  (reader) => reader.bytes(),
);

/** Integers of 32 bits, as one item. */
export const int32s = data<ArrayLike<number>, Int32Array<ArrayBuffer>>(
  (writer, value) => {
    for (let i = 0; i < value.length; i++) {
      const element = value[i]!;
      if (element === (element | 0)) continue;
      throw new RangeError(`element ${i}, ${element}, is no integer of 32 bits`);
    }
    writer.integers(value);
  },
  (reader) => reader.integers(),
);

/** A name as a bare number: no right goes with it. */
export const portName = data<number>(
  (writer, value) => {
    if (value !== value >>> 0) throw new RangeError(`${value} is no name`);
    writer.portName(value);
  },
  (reader) => reader.portName(),
);

/** Bytes out of line: a region of the sender's memory goes in, one of the receiver's comes out. */
export const region: RegionField = {
  kind: "region",
  put: (writer, value) => writer.region(value),
  take: (reader) => reader.region(),
};

/** Any number of regions. */
export const regions: RegionsField = {
  kind: "regions",
  put: (writer, value) => {
    writer.integer(value.length);
    for (const memory of value) writer.region(memory);
  },
  take: <Memory>(reader: ItemReader<unknown, Memory>) => {
    const taken: Memory[] = [];
    const count = reader.integer();
    if (count < 0) reader.fail();
    while (taken.length < count && !reader.failed) taken.push(reader.region());
    return taken;
  },
};

/** Whatever JSON can say, as text. The receiver takes the sender's word that it is a `Value`. */
export const json = <Value>(): DataField<Value> =>
  data<Value>(
    (writer, value) => {
      const written = JSON.stringify(value);
      if (written === undefined) throw new TypeError(`JSON has no word for ${String(value)}`);
      writer.text(written);
    },
    (reader) => {
      const written = reader.text();
      try {
        if (!reader.failed) return JSON.parse(written) as Value;
      } catch {
        reader.fail();
      }
      return null as Value;
    },
  );

/** A right; `disposition` says what becomes of the sender's: MAKE_SEND, COPY_SEND, MOVE_RECEIVE, ... */
export const port = (disposition: Disposition): RightField => {
  const kind = checkedRight(disposition);
  return {
    kind: "right",
    put: (writer, value) => writer.right(value, disposition),
    take: (reader) => reader.right(kind),
  };
};

/** Any number of rights, as one item. */
export const ports = (disposition: Disposition): RightsField => {
  const kind = checkedRight(disposition);
  return {
    kind: "rights",
    put: (writer, value) => writer.rights(value, disposition),
    take: (reader) => reader.rights(kind),
  };
};

/** A right of one kind, PORT_SEND say, of which the sender each time gives the disposition too (MIG's
 *  polymorphic types). */
export const polymorphic = (kind: CarriedRight): PolymorphicField => ({
  kind: "polymorphic",
  put: (writer, { right, disposition }) => {
    if (carriedRight(disposition) !== kind) {
      throw new RangeError(`disposition ${disposition} does not make a right of kind ${kind}`);
    }
    writer.right(right, disposition);
  },
  take: (reader) => reader.right(kind),
});

/** A right of any kind (MIG's polymorphic port, both ways). */
export const anyRight: AnyRightField = {
  kind: "any right",
  put: (writer, { right, disposition }) => writer.right(right, disposition),
  take: (reader) => reader.anyRight(),
};

/** Of whatever realm it is. */
const isUint8Array = (value: unknown): boolean =>
  Object.prototype.toString.call(value) === "[object Uint8Array]";

const checkedRight = (disposition: Disposition): CarriedRight => {
  if (disposition !== 0) return carriedRight(disposition);
  throw new RangeError("disposition is 0, which carries no right");
};
