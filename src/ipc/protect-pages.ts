// The second method of paper 2.3.2: a message is handed to an interface, its sender goes on, and its pages are busy
// until the interface is done with them. While a message still waits for room its pages are parked: nobody reads them yet,
// and nobody knows when, so a store does not wait but gets a copy.

import { PageList } from "../vm/page-list.ts";
import type { IpcContext } from "./context.ts";
import type { KernelMessage } from "./kernel-message.ts";

/** Makes the pages that the message borrows busy, unless its sender waits for them (protection "hold"). */
export const protectPages = (ipc: IpcContext, message: KernelMessage): void => {
  if (message.hold !== null) return;
  const { regions } = message.overflow!;
  for (let i = 0; i < regions.length; i++) {
    const region = regions[i];
    if (region instanceof PageList) ipc.vm.protectList(region);
  }
};

/** The same of a message that waits for room. */
export const parkPages = (ipc: IpcContext, message: KernelMessage): void => {
  if (message.hold !== null) return;
  for (const region of message.overflow!.regions) {
    if (region instanceof PageList) ipc.vm.parkList(region);
  }
};
