// Makes the kernels of its worker fail at their next step, as an assertion would.

import type { Program } from "../../../src/index.ts";
import { Transport } from "../../../src/norma/transport.ts";

const breakKernel: Program = () => {
  Transport.prototype.poll = () => {
    throw new Error("the kernel was broken on purpose");
  };
  return new Promise(() => {});
};
export default breakKernel;
