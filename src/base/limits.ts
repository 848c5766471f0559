// The compile-time bounds of the machine, each with its reason. Run-time limits are machine options.

/** Node numbers have 10 bits in an identifier; threads stop at 7, the iPSC's own size. */
export const DIMENSION_MAX = 10;
export const DIMENSION_THREADS_MAX = 7;

/** Page sizes that the frame arithmetic supports (powers of two). */
export const PAGE_BYTES_MIN = 1024;
export const PAGE_BYTES_MAX = 65536;

/** A WebAssembly.Memory, and a 32-bit byte address, end here. */
export const MACHINE_BYTES_MAX = 4 * 1024 * 1024 * 1024;

/** Default and maximum queue limit of a port (Mach 3.0 mach/port.h). */
export const PORT_QUEUE_LIMIT_DEFAULT = 5;
export const PORT_QUEUE_LIMIT_MAX = 16;

/** User references fit 16 bits (Mach 3.0 mach/port.h). */
export const USER_REFERENCES_MAX = 65535;

/** Names in a name space: an index has 24 bits in a name, the rest is generation. Index 0 is the null
 *  name's, the last one MACH_PORT_DEAD's. */
export const SPACE_ENTRIES_MAX = (1 << 24) - 2;

/** A task's memory: its 32-bit addresses end here. */
export const TASK_MEMORY_BYTES_MAX = 256 * 1024 * 1024;

/** The longest inline body, and the longest region that one item sends out of line. */
export const MESSAGE_BODY_BYTES_MAX = 1024 * 1024;
export const REGION_BYTES_MAX = 16 * 1024 * 1024;

/** What bodies beyond a page and out-of-line data may take up in a node's kernel: sent ones and arrived ones
 *  have as much each. */
export const LARGE_BYTES_MAX = 64 * 1024 * 1024;
