// Out-of-line data of a message inside the kernel, one for each item that has some:
//   PageList     pages that are handed to an interface, or came from one (paper 2.3.2, 2.3.3)
//   MapCopy      a copy-on-write copy of a piece of an address space: for a receiver on this node, and what is
//                longer than a page list may be
//   Int32Array   rights, one word each, in memory of the kernel

import { MapCopy } from "../vm/map-copy.ts";
import { PageList } from "../vm/page-list.ts";

export type Region = PageList | MapCopy | Int32Array;

/** True of data, which lies in pages; false of rights. */
export const isPaged = (region: Region): region is PageList | MapCopy =>
  region instanceof PageList || region instanceof MapCopy;

/** Pages that data of `bytes` bytes touches. */
export const regionPages = (offset: number, bytes: number, pageBytes: number): number =>
  Math.ceil((offset + bytes) / pageBytes);
