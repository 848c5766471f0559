// What stands behind a kernel-owned port: a message to it is executed at once instead of queued
// (paper 2.4: the check that the one for remote ports runs beside).

import type { KernelMessage } from "./kernel-message.ts";

export interface KernelServer {
  /** It hands out-of-line data to a device: it wants page lists (paper 2.3.2); default: copies on write. */
  readonly wantsPageLists?: boolean;
  /** Executes a request and sends its reply. Takes the message; must not block. */
  serve(request: KernelMessage): void;
}
