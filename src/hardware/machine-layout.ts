// Where everything is in the machine's shared memory. Numbers only; the code that uses them is elsewhere.
//
//   machine   | header | worker blocks | medium | (page) | node 0 | node 1 | ... | node n-1 |
//   node      | registers | ejection | channels | counters | trace | receive ring | channel slots |
//             | wire buffers | reassembly table | reassembly slots | packet buffers | frame table | (page) |
//             | frames ... |
//
// Every node's region has the same shape, so an offset inside a region holds for all of them.
// Writers: [H] host, [=] constant after boot, [W] the worker, [N] the node (its worker, stepping it),
// [x] handed over by the value of another word, [A] anybody, by an atomic operation.

import { assert } from "../base/assert.ts";
import { COUNTERS_MAX } from "../base/counters.ts";
import { alignUp, CACHE_LINE_WORDS, WORD_BYTES } from "../base/words.ts";

// --- machine header, words from 0 -------------------------------------------------------------
export const MACHINE_MAGIC = 0; // u32 [=] MACHINE_MAGIC_VALUE
export const MACHINE_NODES = 1; // u32 [=] number of nodes
export const MACHINE_AWAKE = CACHE_LINE_WORDS; // u32 [A] workers that are not parked
export const MACHINE_HEADER_WORDS = 2 * CACHE_LINE_WORDS;
export const MACHINE_MAGIC_VALUE = 0x4e434231; // "NCB1", what MACHINE_MAGIC holds [=]

// --- one block per worker, after the header ----------------------------------------------------
export const WORKER_BELL = 0; // u32 [A] BELL_AWAKE, BELL_PARKED: the futex word of the doorbell
export const WORKER_CONTROL_POSTED = CACHE_LINE_WORDS; // u32 [H] control messages ever posted
export const WORKER_CONTROL_TAKEN = CACHE_LINE_WORDS + 1; // u32 [W] control messages ever taken
export const WORKER_HALT = CACHE_LINE_WORDS + 2; // u32 [H] 1 = stop stepping
export const WORKER_PARKS = 2 * CACHE_LINE_WORDS; // u32 [W] times parked
export const WORKER_WORDS = 3 * CACHE_LINE_WORDS;

// --- the medium that all nodes share: an ethernet's cable, a token ring ---------------------------
export const MEDIUM_HOLDER = 0; // u32 [A] CHANNEL_FREE, or the holder's node number + 1 and bits of ethernet-cable.ts
export const MEDIUM_WAITING = 1; // u32 [A] 1 = some node has left its bit in the waiter set
export const MEDIUM_LAST = 2; // u32 [x] token ring: who sent last; whoever holds MEDIUM_HOLDER
export const MEDIUM_WORDS = CACHE_LINE_WORDS; // followed by the waiter set

// --- node registers, words from the region's start ----------------------------------------------
export const REG_WORKER = 0; // u32 [=] the worker that steps this node
export const REG_STATE = CACHE_LINE_WORDS; // u32 [N] 0 off, NODE_RUNNING, NODE_HALTED
export const REG_OFFER = 2 * CACHE_LINE_WORDS; // u32 [A] token ring: the packet to be sent; the node sets it, the ring 0
export const REG_RETURNS = 2 * CACHE_LINE_WORDS + 1; // u32 [x] token ring: times it came back; whoever holds MEDIUM_HOLDER
export const REGISTERS_WORDS = 3 * CACHE_LINE_WORDS;

// --- ejection: the last channel of every circuit, into the node ---------------------------------
// Where there is a medium nobody holds an ejection channel: whoever has the medium stands for its holder.
export const EJECT_HOLDER = 0; // u32 [A] CHANNEL_FREE, or the holder's node number + 1
export const EJECT_WAITING = 1; // u32 [A] 1 = some node has left its bit in the waiter set
export const EJECT_TAIL = 2; // u32 [x] position of the next descriptor to fill; whoever holds EJECT_HOLDER
export const EJECT_ARMED_SEEN = 3; // u32 [x] EJECT_ARMED as last read; whoever holds EJECT_HOLDER
export const EJECT_ARMED = CACHE_LINE_WORDS; // u32 [N] descriptors ever armed
export const EJECT_STARVED = CACHE_LINE_WORDS + 1; // u32 [A] node + 1 of a filler that found nothing armed
export const EJECT_WORDS = 2 * CACHE_LINE_WORDS; // followed by the waiter set

// --- one block per channel (node, dimension) -----------------------------------------------------
export const CHANNEL_HOLDER = 0; // u32 [A] CHANNEL_FREE, or the holder's node number + 1
export const CHANNEL_WAITING = 1; // u32 [A] 1 = some node has left its bit in the waiter set
export const CHANNEL_TAIL = 2; // u32 [x] store-and-forward: packets ever put in; the channel's node writes
// The three counters: in store-and-forward, where nobody holds a channel, its node writes them.
export const CHANNEL_PACKETS = 4; // f64 [x] packets carried; whoever holds CHANNEL_HOLDER
export const CHANNEL_BYTES = 6; // f64 [x] bytes carried; whoever holds CHANNEL_HOLDER
export const CHANNEL_BLOCKED_NS = 8; // f64 [x] time it was waited for; whoever holds CHANNEL_HOLDER
export const CHANNEL_HEAD = CACHE_LINE_WORDS; // u32 [N] store-and-forward: packets ever taken out; far node
export const CHANNEL_WORDS = 2 * CACHE_LINE_WORDS; // followed by the waiter set

// --- one entry of the reassembly table: a packet that an ethernet has brought in part -----------
export const REASSEMBLY_SOURCE = 0; // u32 [x] 0 = unused, or the source's node number + 1; whoever holds MEDIUM_HOLDER
export const REASSEMBLY_ID = 1; // u32 [x] the packet's fragment id; whoever holds MEDIUM_HOLDER
export const REASSEMBLY_RECEIVED = 2; // u32 [x] bytes that are here, without a gap; whoever holds MEDIUM_HOLDER
export const REASSEMBLY_TIME = 4; // f64 [x] when the last fragment came, ns; whoever holds MEDIUM_HOLDER
export const REASSEMBLY_WORDS = 8;

// --- one trace entry ------------------------------------------------------------------------------
export const TRACE_TIME = 0; // f64 [N] ns since boot
export const TRACE_EVENT = 2; // u32 [N] TRACE_SEND, TRACE_RECEIVE
export const TRACE_PEER = 3; // u32 [N] the other node
export const TRACE_NUMBER = 4; // u32 [N] the packet's number and attempt
export const TRACE_SIZE = 5; // u32 [N] inline bytes | page bytes << 12
export const TRACE_MARK = 6; // u32 [N] position + 1 of the entry; 0 while it is being written
export const TRACE_WORDS = 8;

// --- one frame-table entry -------------------------------------------------------------------------
export const FRAME_STATE = 0; // u32 [N] FRAME_FREE, FRAME_ARMED, FRAME_MESSAGE, FRAME_WIRE, ...
export const FRAME_BUSY = 1; // u32 [N] transfers that read the page, which nobody may change meanwhile
export const FRAME_WIRED = 2; // u32 [N] how many need the page where it is; it is not paged out
export const FRAME_PARKED = 3; // u32 [N] of FRAME_BUSY, for messages that still wait for room
export const FRAME_WORDS = 4;

/** What a board is built from. Sizes are checked by the machine's options before they come here. */
export interface BoardShape {
  readonly nodes: number;
  readonly dimension: number;
  readonly workers: number;
  readonly pageBytes: number;
  readonly memoryBytes: number;
  readonly ringLength: number;
  readonly packetBuffers: number;
  readonly traceEntries: number;
  /** Channels out of each node: its dimension, or 0 where all nodes share a medium. */
  readonly channels: number;
  readonly channelSlots: number;
  readonly wireBuffers: number;
  /** Packets that an ethernet interface can put together at once. */
  readonly reassemblies: number;
}

/** Byte and word offsets of a machine of one shape. Offsets named `…At` are words inside a region. */
export interface MachineLayout extends BoardShape {
  readonly workersAt: number;
  /** Word of the whole memory. */
  readonly mediumAt: number;
  readonly nodesByte: number;
  readonly totalBytes: number;
  readonly regionWords: number;
  readonly waiterWords: number;
  readonly ejectionAt: number;
  readonly channelsAt: number;
  readonly channelStride: number;
  readonly countersAt: number;
  readonly traceAt: number;
  readonly ringAt: number;
  readonly channelSlotsAt: number;
  /** Words of a packet with its page: a channel slot, a reassembly slot. */
  readonly channelSlotStride: number;
  readonly wireAt: number;
  readonly reassemblyTableAt: number;
  readonly reassemblySlotsAt: number;
  readonly packetsAt: number;
  readonly frameTableAt: number;
  readonly framesAt: number;
  readonly frameCount: number;
}

/** Words of a receive descriptor, a packet buffer and a channel slot's header area. */
export const PACKET_WORDS = 64;

/** Offsets for a shape; frameCount may come out as 0 or less when memory is too small. */
export const layoutMachine = (shape: BoardShape): MachineLayout => {
  const pageWords = shape.pageBytes / WORD_BYTES;
  const waiterWords = alignUp(Math.ceil(shape.nodes / 32), CACHE_LINE_WORDS);
  const channelSlotStride = PACKET_WORDS + pageWords;
  const channelStride = CHANNEL_WORDS + waiterWords;

  const ejectionAt = REGISTERS_WORDS;
  const channelsAt = ejectionAt + EJECT_WORDS + waiterWords;
  const countersAt = channelsAt + shape.channels * channelStride;
  const traceAt = countersAt + COUNTERS_MAX * 2 + CACHE_LINE_WORDS;
  const ringAt = alignUp(traceAt + shape.traceEntries * TRACE_WORDS, CACHE_LINE_WORDS);
  const channelSlotsAt = ringAt + shape.ringLength * PACKET_WORDS;
  const wireAt = channelSlotsAt + shape.channels * shape.channelSlots * channelSlotStride;
  const reassemblyTableAt = wireAt + shape.wireBuffers * PACKET_WORDS;
  const reassemblyTableWords = alignUp(shape.reassemblies * REASSEMBLY_WORDS, CACHE_LINE_WORDS);
  const reassemblySlotsAt = reassemblyTableAt + reassemblyTableWords;
  const packetsAt = reassemblySlotsAt + shape.reassemblies * channelSlotStride;
  const frameTableAt = packetsAt + shape.packetBuffers * PACKET_WORDS;

  // The frame table and the frames share what is left: each frame costs its page and its entry.
  const regionWords = shape.memoryBytes / WORD_BYTES;
  const leftWords = regionWords - frameTableAt - pageWords;
  const frameCount = Math.floor(leftWords / (pageWords + FRAME_WORDS));
  const framesAt = alignUp(frameTableAt + Math.max(0, frameCount) * FRAME_WORDS, pageWords);

  const mediumAt = MACHINE_HEADER_WORDS + shape.workers * WORKER_WORDS;
  const nodesByte = alignUp((mediumAt + MEDIUM_WORDS + waiterWords) * WORD_BYTES, shape.pageBytes);
  assert(frameCount <= 0 || framesAt + frameCount * pageWords <= regionWords, "frames overflow");
  return {
    ...shape,
    workersAt: MACHINE_HEADER_WORDS,
    mediumAt,
    nodesByte,
    totalBytes: nodesByte + shape.nodes * shape.memoryBytes,
    regionWords,
    waiterWords,
    ejectionAt,
    channelsAt,
    channelStride,
    countersAt,
    traceAt,
    ringAt,
    channelSlotsAt,
    channelSlotStride,
    wireAt,
    reassemblyTableAt,
    reassemblySlotsAt,
    packetsAt,
    frameTableAt,
    framesAt,
    frameCount,
  };
};

/** Word offset, in the whole memory, of a node's region. */
export const regionWord = (layout: MachineLayout, node: number): number =>
  layout.nodesByte / WORD_BYTES + node * layout.regionWords;

/** Word offset, in the whole memory, of a worker's block. */
export const workerWord = (layout: MachineLayout, worker: number): number =>
  layout.workersAt + worker * WORKER_WORDS;

assert(WORKER_WORDS % CACHE_LINE_WORDS === 0 && REGISTERS_WORDS % CACHE_LINE_WORDS === 0);
assert(EJECT_WORDS % CACHE_LINE_WORDS === 0 && CHANNEL_WORDS % CACHE_LINE_WORDS === 0);
assert(PACKET_WORDS % CACHE_LINE_WORDS === 0);
assert(REASSEMBLY_TIME % 2 === 0 && REASSEMBLY_WORDS % 2 === 0);
assert(CHANNEL_PACKETS % 2 === 0 && CHANNEL_BYTES % 2 === 0 && CHANNEL_BLOCKED_NS % 2 === 0);
