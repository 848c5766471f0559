// What goes with a receive right to another node, beside its identifier in the message's body: MOVED_RIGHT_WORDS words
// for each receive right of the body in turn, of null ones too, in one region of words behind those that the body's
// items speak of. Messages that have it say WIRE_MOVES.
//
//   word   0       1       2            3           4        5              6       7
//          limit   onces   no senders   destroyed   newest   newest moves   moves   unreceived

// Written by the node that the right leaves [S].

export const MOVED_LIMIT = 0; // u32 [S] queue limit
export const MOVED_ONCES = 1; // u32 [S] send-once rights to the port, on all nodes and on their way
export const MOVED_NO_SENDERS = 2; // u32 [S] identifier of the send-once right to notify of no senders, 0 for none
export const MOVED_DESTROYED = 3; // u32 [S] the same, of the port's destruction
export const MOVED_NEWEST = 4; // u32 [S] the port's newest identifier that has been put on the token
export const MOVED_NEWEST_MOVES = 5; // u32 [S] how often the receive right had moved then
export const MOVED_MOVES = 6; // u32 [S] how often it has moved, this time included
export const MOVED_UNRECEIVED = 7; // u32 [S] how often lately only to be sent on

export const MOVED_RIGHT_WORDS = 8;
