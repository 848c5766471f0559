// The software part of a packet: words 6 to 15 of the 64, after the hardware's (packet-layout.ts).
//
//   6     7          8     9         10         11     12       13      14    15
//  |KIND |SEQUENCE  |ACK  |CONTROL  |CHECKSUM  |BITS  |REMOTE  |LOCAL  |ID   |SIZE |
//   `-- transport, every packet ------------'   `-- message ---'
//
// Written by the sending node alone [S]; reserved bits are written zero and checked zero.

import { PACKET_SOFTWARE } from "../hardware/packet-layout.ts";

export const WIRE_KIND = PACKET_SOFTWARE; // u32 [S] KIND_CONTROL, KIND_MESSAGE, ... (wire-values.ts) | tenure << 8 of a message
export const WIRE_SEQUENCE = PACKET_SOFTWARE + 1; // u32 [S] per ordered pair of nodes, from 1; SYNC: its number; other controls: number of the SYNC answered, or 0
export const WIRE_ACK = PACKET_SOFTWARE + 2; // u32 [S] all packets up to this one have been stored
export const WIRE_CONTROL = PACKET_SOFTWARE + 3; // u32 [S] CONTROL_NONE, CONTROL_ACK, CONTROL_NACK, CONTROL_SYNC, CONTROL_QUENCH
export const WIRE_CHECKSUM = PACKET_SOFTWARE + 4; // u32 [S] of all carried words but this; 0 = not used
export const WIRE_BITS = PACKET_SOFTWARE + 5; // u32 [S] remote right | local right << 8 | flags
export const WIRE_LAST = WIRE_BITS; // u32 [S] in place of it in a SYNC: sequence number sent last; in a NACK: NACK_WINDOW or NACK_ALONE
export const WIRE_REMOTE = PACKET_SOFTWARE + 6; // u32 [S] identifier of the destination
export const WIRE_LOCAL = PACKET_SOFTWARE + 7; // u32 [S] identifier of the reply port, 0, or -1 (dead)
export const WIRE_ID = PACKET_SOFTWARE + 8; // u32 [S] msgh_id
export const WIRE_SIZE = PACKET_SOFTWARE + 9; // u32 [S] bytes of the body
