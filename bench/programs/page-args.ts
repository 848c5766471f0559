// What the contenders of the large-message suites tell their programs, the message numbers that both
// sides agree on, and the bytes by which a page is known again.
//
//   client                                   server
//   SET_UP (reply bytes, salt, flags)   ->   makes the data that it will answer with
//   CALL, without a reply right         ->   takes the data in
//   CALL, with a reply right            ->   takes the data in, answers with its own
//   LAST (request bytes, salt)          ->   checks what the last CALL brought, gives all memory up

/** What a client does for one sample, and how large its messages are. */
export interface PageShape {
  /** Data of a request and of a reply, bytes: below a page inline, else whole pages out of line. */
  readonly requestBytes: number;
  readonly replyBytes: number;
  /** Requests of a round; only the last of them is answered. */
  readonly window: number;
  /** Rounds behind one sample. */
  readonly batch: number;
  /** Messages that a round counts for: the window of a stream, two of a ping-pong, one of an RPC. */
  readonly messagesPerRound: number;
}

export interface PageSlice extends PageShape {
  /** The service's name with the name server. */
  readonly name: string;
  readonly serverNode: number;
  readonly samples: number;
  /** Both sides wait synchronously. */
  readonly sync: boolean;
  /** Data is sent from memory that goes with the message (MACH_MSG_TYPE deallocate), new each time. */
  readonly deallocate: boolean;
  /** Every page is written to before it is sent again. */
  readonly rewrite: boolean;
  /** Differs from slice to slice, so that data of an earlier one is not taken for this one's. */
  readonly salt: number;
  /** The clients of the slice start their clocks together: words of start-gate.ts. */
  readonly gate: Int32Array<SharedArrayBuffer>;
  readonly clients: number;
}

export const SET_UP = 0x0da01;
export const CALL = 0x0da02;
export const LAST = 0x0da03;

/** Words of the bodies of SET_UP and LAST. */
export const SET_UP_REPLY_BYTES = 0;
export const SET_UP_SALT = 1;
export const SET_UP_FLAGS = 2;
export const SET_UP_WORDS = 3;
export const LAST_REQUEST_BYTES = 0;
export const LAST_SALT = 1;
export const LAST_WORDS = 2;

/** In SET_UP_FLAGS. */
export const FLAG_DEALLOCATE = 1;
export const FLAG_REWRITE = 2;

/** What the server's data is salted with, against the client's. */
export const REPLY_SALT = 0x55;

/** First and last byte of page number `page` of a region. */
export const firstByteOf = (page: number, salt: number): number => (page * 7 + salt) & 0xff;
export const lastByteOf = (page: number, salt: number): number => (page * 13 + salt + 1) & 0xff;
