// Moves one packet from a buffer to a descriptor or slot by DMA: header words and inline bytes in one
// go, then the page straight from frame to frame. Shared by every interconnect. Addresses are words
// of the whole memory.

import { WORD_SHIFT } from "../base/words.ts";
import type { Board } from "./board.ts";
import {
  PACKET_CARRIED_BYTES,
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_PAGE,
  PACKET_ROUTE,
} from "./packet-layout.ts";

/** Word of a frame of the region at `regionAt`. */
export const frameWordOf = (board: Board, regionAt: number, frame: number): number =>
  regionAt + board.layout.framesAt + frame * (board.layout.pageBytes >> WORD_SHIFT);

/** Moves header and inline bytes. Returns bytes moved. */
export const moveHeader = (board: Board, to: number, from: number): number => {
  const bytes = PACKET_CARRIED_BYTES + board.words[from + PACKET_INLINE]!;
  board.dma.copy((to + PACKET_ROUTE) * 4, (from + PACKET_ROUTE) * 4, bytes);
  return bytes;
};

/** Moves a packet's page between two page-sized places. Returns bytes moved. */
export const movePage = (board: Board, toPage: number, fromPage: number, bytes: number): number => {
  board.dma.copy(toPage * 4, fromPage * 4, bytes);
  return bytes;
};

/** Moves the packet in buffer `from` of region `fromRegion` into descriptor `to` of `toRegion`. */
export const movePacket = (
  board: Board,
  toRegion: number,
  to: number,
  fromRegion: number,
  from: number,
): number => {
  const { words } = board;
  let bytes = moveHeader(board, to, from);
  const pageBytes = words[from + PACKET_PAGE]!;
  if (pageBytes !== 0) {
    const toPage = frameWordOf(board, toRegion, words[to + PACKET_FRAME]!);
    const fromPage = frameWordOf(board, fromRegion, words[from + PACKET_FRAME]!);
    bytes += movePage(board, toPage, fromPage, pageBytes);
  }
  return bytes;
};
