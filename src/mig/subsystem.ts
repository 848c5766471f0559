// A subsystem: the routines of an interface, numbered, as in a MIG definition file. This is the part
// that clients and servers share, whoever they are; src/task makes calls of it, src/node serves it.
//   subsystem("greeter", 5000, { greet: routine({ name: text }, { greeting: text }), ... })
// Ids are base + index in the order written; skip leaves a hole, at(id, ...) goes on from there. A reply's
// id is its request's + 100.
//   request   the request fields as items, in order
//   reply     INTEGER_32 return code; on success the reply fields

import { KERN_SUCCESS } from "../base/status.ts";
import type { Field, Given, Taken } from "./fields.ts";
import type { ItemReader, ItemWriter, Region } from "./items.ts";

/** A reply's id is its request's and this. */
export const REPLY_ID_OFFSET = 100;
/** Requests end where replies begin. */
const ROUTINES_MAX = REPLY_ID_OFFSET;
const BASE_MIN = 100;
const BASE_MAX = 0x7fffffff - 2 * REPLY_ID_OFFSET;

export type Fields = Readonly<Record<string, Field>>;

/** Arguments as their sender gives them; results as a server does. */
export type GivenOf<F extends Fields, Right, Memory = Region> = {
  readonly [K in keyof F]: Given<F[K], Right, Memory>;
};
/** The same as their receiver takes them. */
export type TakenOf<F extends Fields, Right, Memory = Region> = {
  [K in keyof F]: Taken<F[K], Right, Memory>;
};

/** A routine with a reply. */
export interface RoutineShape<Request extends Fields, Reply extends Fields> {
  readonly kind: "routine";
  readonly request: Request;
  readonly reply: Reply;
  readonly id?: number;
}

/** A routine without one (MIG's simpleroutine). */
export interface OnewayShape<Request extends Fields> {
  readonly kind: "oneway";
  readonly request: Request;
  readonly id?: number;
}

/** A number that is not in use. */
export interface SkippedShape {
  readonly kind: "skip";
}

export type Shape = RoutineShape<Fields, Fields> | OnewayShape<Fields> | SkippedShape;
export type Shapes = Readonly<Record<string, Shape>>;

export const routine = <const Request extends Fields, const Reply extends Fields>(
  request: Request,
  reply: Reply,
): RoutineShape<Request, Reply> => ({ kind: "routine", request, reply });

export const oneway = <const Request extends Fields>(request: Request): OnewayShape<Request> => ({
  kind: "oneway",
  request,
});

export const skip: SkippedShape = { kind: "skip" };

/** Gives a routine its id, after which those that follow are counted. */
export const at = <S extends Exclude<Shape, SkippedShape>>(id: number, shape: S): S => ({
  ...shape,
  id,
});

/** Values by field name, as the codec sees them. */
export type Values = Record<string, unknown>;

/** A field list, compiled: keys and fields side by side. */
class Codec {
  readonly count: number;
  private readonly keys: readonly string[];
  private readonly fields: readonly DataLike[];
  private readonly where: string;

  constructor(where: string, fields: Fields) {
    this.where = where;
    this.keys = Object.keys(fields);
    this.fields = Object.values(fields) as DataLike[];
    this.count = this.keys.length;
    for (const [i, field] of this.fields.entries()) {
      if (typeof field?.put === "function") continue;
      throw new TypeError(`${where}: field ${this.keys[i]} has no type`);
    }
  }

  /** Writes all fields. RangeError or TypeError with the field's name when a value cannot be sent. */
  encode(writer: ItemWriter<unknown>, values: Values | undefined): void {
    const { keys, fields } = this;
    let i = 0;
    try {
      for (; i < keys.length; i++) fields[i]!.put(writer, values![keys[i]!]);
    } catch (error) {
      throw this.explain(error, keys[i]!, values);
    }
  }

  /** All fields, or null when the items are others; every item must have been asked for. */
  decode(reader: ItemReader<unknown>): Values | null {
    const values: Values = {};
    for (let i = 0; i < this.keys.length; i++) values[this.keys[i]!] = this.fields[i]!.take(reader);
    return reader.failed || !reader.atEnd ? null : values;
  }

  private explain(error: unknown, key: string, values: Values | undefined): unknown {
    const where = `${this.where}, ${key}`;
    if (values?.[key] === undefined) return new TypeError(`${where}: it is missing`);
    const { message } = error as Error;
    if (error instanceof RangeError) return new RangeError(`${where}: ${message}`);
    return error instanceof TypeError ? new TypeError(`${where}: ${message}`) : error;
  }
}

/** The codec does not ask which kind of field it has. */
interface DataLike {
  put(writer: ItemWriter<unknown>, value: unknown): void;
  take(reader: ItemReader<unknown>): unknown;
}

/** A numbered routine, ready for use. */
export class Routine {
  /** "greeter.greet", for sentences. */
  readonly name: string;
  readonly key: string;
  readonly id: number;
  readonly replyId: number;
  /** False for a oneway routine. */
  readonly hasReply: boolean;
  /** The reply has fields besides the return code. */
  readonly hasResults: boolean;
  private readonly request: Codec;
  private readonly reply: Codec;

  constructor(name: string, key: string, id: number, shape: Exclude<Shape, SkippedShape>) {
    this.name = name;
    this.key = key;
    this.id = id;
    this.replyId = id + REPLY_ID_OFFSET;
    this.hasReply = shape.kind === "routine";
    this.request = new Codec(name, shape.request);
    this.reply = new Codec(`${name}, reply`, shape.kind === "routine" ? shape.reply : {});
    this.hasResults = this.reply.count > 0;
  }

  encodeRequest<Right, Memory>(
    writer: ItemWriter<Right, Memory>,
    values: Values | undefined,
  ): void {
    this.request.encode(writer as ItemWriter<unknown>, values);
  }

  decodeRequest<Right, Memory>(reader: ItemReader<Right, Memory>): Values | null {
    return this.request.decode(reader);
  }

  /** Writes a reply of success. */
  encodeReply<Right, Memory>(writer: ItemWriter<Right, Memory>, values: Values | undefined): void {
    writer.integer(KERN_SUCCESS);
    this.reply.encode(writer as ItemWriter<unknown>, values);
  }

  /** The results; or the return code, if it is not success; or null when the items are others. */
  decodeReply<Right, Memory>(reader: ItemReader<Right, Memory>): Values | number | null {
    const status = reader.integer();
    if (reader.failed) return null;
    if (status !== KERN_SUCCESS) return reader.atEnd ? status : null;
    return this.reply.decode(reader);
  }
}

/** A numbered interface. */
export class Subsystem<S extends Shapes> {
  readonly name: string;
  readonly base: number;
  /** In order of their ids. */
  readonly routines: readonly Routine[];
  /** Carries the types. */
  declare readonly shapes?: S;
  private readonly byKey: ReadonlyMap<string, Routine>;

  constructor(name: string, base: number, shapes: S) {
    this.name = name;
    this.base = base;
    const routines: Routine[] = [];
    let id = base;
    for (const [key, shape] of Object.entries<Shape>(shapes)) {
      if (/^\d+$/.test(key)) throw new TypeError(`${name}: a routine is called ${key}, a number`);
      if (shape.kind !== "skip") {
        id = checkedId(name, key, shape.id ?? id, id);
        routines.push(new Routine(`${name}.${key}`, key, id, shape));
      }
      id += 1;
    }
    this.routines = routines;
    this.byKey = new Map(routines.map((one) => [one.key, one]));
  }

  routine(key: keyof S & string): Routine {
    const found = this.byKey.get(key);
    if (found === undefined) throw new TypeError(`${this.name} has no routine ${key}`);
    return found;
  }
}

const checkedId = (name: string, key: string, id: number, least: number): number => {
  if (Number.isInteger(id) && id >= least) return id;
  throw new RangeError(`${name}: id of ${key} is ${id}; ${least} or more`);
};

/** Numbers the routines of an interface from `base` on. RangeError if the numbers do not fit. */
export const subsystem = <const S extends Shapes>(
  name: string,
  base: number,
  shapes: S,
): Subsystem<S> => {
  if (!Number.isInteger(base) || base < BASE_MIN || base > BASE_MAX) {
    throw new RangeError(`${name}: base id is ${base}; ${BASE_MIN} to ${BASE_MAX}`);
  }
  const count = Object.keys(shapes).length;
  if (count > ROUTINES_MAX) {
    throw new RangeError(`${name} has ${count} routines; ${ROUTINES_MAX} fit below their replies`);
  }
  return new Subsystem(name, base, shapes);
};
