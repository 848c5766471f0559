// Letting tasks run: they go on in microtasks of their thread.

import { nextTick } from "node:process";

/** Resolves when every microtask there is, and those that they make, have run: Node runs its next-tick
 *  queue only then. */
export const microtasksDrained = (): Promise<void> => new Promise((resolve) => nextTick(resolve));
