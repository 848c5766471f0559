// The worker thread of a processor: a piscina task that lasts as long as the machine.

import type { ProcessorBoot } from "../src/machine/control-plane.ts";
import { runProcessor } from "../src/machine/processor-main.ts";

export const processor = (boot: ProcessorBoot): Promise<number> => runProcessor(boot);
