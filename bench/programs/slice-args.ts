// What a contender tells its two programs, and the message numbers that they agree on.

/** Where clients run; servers run at the distance that was asked for. */
export const CLIENT_NODE = 0;

export interface SliceArgs {
  /** The service's name with the name server. */
  readonly name: string;
  /** Payload each way. */
  readonly bytes: number;
  readonly samples: number;
  readonly batch: number;
  readonly sync: boolean;
  readonly serverNode: number;
}

/** What a server needs to know of it. */
export type ServerArgs = Pick<SliceArgs, "name" | "sync">;

/** Message ids (Mach) and types (NX). */
export const CALL = 0x0ca11;
/** The last call of a slice: the server answers and goes back to waiting asynchronously. */
export const LAST_CALL = 0x0ca12;
export const REPLY = 0x0ca75;

/** How long a client waits for its server to check in. */
export const START_NS = 10e9;

/** The largest payload of any point; servers have room for it. */
export const PAYLOAD_MAX = 1024;

/** A payload that says where each byte belongs. */
export function fillPayload(bytes: Uint8Array, length: number): void {
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + 1) & 0xff;
}

/** A benchmark that moves garbage is fast: every slice checks what came back. */
export function checkPayload(bytes: Uint8Array, length: number, expectedLength: number): void {
  if (length !== expectedLength) throw new Error(`${length} bytes came back of ${expectedLength}`);
  for (let i = 0; i < length; i++) {
    if (bytes[i] !== ((i * 7 + 1) & 0xff))
      throw new Error(`byte ${i} of ${length} came back wrong`);
  }
}
