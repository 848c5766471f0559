// The words that the host of a stress run and its programs share: how far each place is, and the host's wish to stop.
// They are not part of the machine; programs get them as an argument.
//
//   | stop | place 0: steps, received | place 1: ... |

import { CACHE_LINE_WORDS } from "../base/words.ts";

export const PROGRESS_STOP = 0; // u32 [H] 1 = begin no further step
export const PROGRESS_PLACES_AT = CACHE_LINE_WORDS; // [=] where the places begin
export const PLACE_STEPS = 0; // u32 [N] steps that the place has done; its program writes
export const PLACE_RECEIVED = 1; // u32 [N] messages that it has received and found good; its program writes
export const PLACE_WORDS = CACHE_LINE_WORDS;

/** Word of a place's block. */
export const placeWord = (place: number): number => PROGRESS_PLACES_AT + place * PLACE_WORDS;

/** Zeroed words for so many places. */
export const makeProgressWords = (places: number): Int32Array<SharedArrayBuffer> =>
  new Int32Array(new SharedArrayBuffer(placeWord(places) * 4));
