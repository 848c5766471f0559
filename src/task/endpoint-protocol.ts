// What endpoints over ports send each other: a typed interface like any other, and a serialisation of
// values in which ports have a place.
//   connect  asks a listening port for a pair: the client's send right goes, the server's comes back
//   meet     tells an endpoint whose send right was handed over where its peer is
//   post     one piece of a posted value; `left` bytes of it are still to come. Rights come with the first.

import { DefaultDeserializer, DefaultSerializer } from "node:v8";
import { MAKE_SEND } from "../ipc/rights.ts";
import { bytes, int32, port, ports } from "../mig/fields.ts";
import { oneway, routine, subsystem } from "../mig/subsystem.ts";
import { canonical } from "./canonical-values.ts";

export const endpointProtocol = subsystem("endpoint", 3900, {
  connect: routine({ client: port(MAKE_SEND) }, { server: port(MAKE_SEND) }),
  meet: oneway({ peer: port(MAKE_SEND) }),
  post: oneway({ rights: ports(MAKE_SEND), left: int32, piece: bytes }),
});

/** Bytes of a piece: with its descriptors and the rights of a value it fits a page of the default size. */
export const PIECE_BYTES = 3584;
/** Rights that go with one value. */
const RIGHTS_MAX = 64;

const TAG_VIEW = 0;
const TAG_PORT = 1;

/** Structured clone to bytes; objects of `places` are written as their index. DataCloneError for what
 *  cannot be cloned: functions, shared memory, other objects of the process. */
export const toBytes = (value: unknown, places: readonly object[]): Uint8Array => {
  if (places.length > RIGHTS_MAX) {
    throw new RangeError(`${places.length} ports in one message; ${RIGHTS_MAX} at most`);
  }
  const writer = new PortSerializer(places);
  writer.writeHeader();
  writer.writeValue(canonical(value, places));
  return writer.releaseBuffer();
};

/** The value again, with objects of `places` where indexes were. */
export const fromBytes = (written: Uint8Array, places: readonly object[]): unknown => {
  const reader = new PortDeserializer(written, places);
  reader.readHeader();
  return reader.readValue();
};

/** What Node's declarations leave out: the hooks for objects that V8 does not know. */
const Serializer = DefaultSerializer as unknown as new () => DefaultSerializer & {
  _writeHostObject(value: object): void;
};
const Deserializer = DefaultDeserializer as unknown as new (
  written: Uint8Array,
) => DefaultDeserializer & { _readHostObject(): object };

class PortSerializer extends Serializer {
  private readonly places: readonly object[];

  constructor(places: readonly object[]) {
    super();
    this.places = places;
  }

  /** Called for objects that V8 does not know: views of memory, and Node's own. */
  override _writeHostObject(value: object): void {
    const index = this.places.indexOf(value);
    this.writeUint32(index < 0 ? TAG_VIEW : TAG_PORT);
    if (index >= 0) this.writeUint32(index);
    else super._writeHostObject(value);
  }
}

class PortDeserializer extends Deserializer {
  private readonly places: readonly object[];

  constructor(written: Uint8Array, places: readonly object[]) {
    super(written);
    this.places = places;
  }

  override _readHostObject(): object {
    if (this.readUint32() === TAG_VIEW) return super._readHostObject();
    const place = this.places[this.readUint32()];
    if (place === undefined) throw new TypeError("a port is missing");
    return place;
  }
}
