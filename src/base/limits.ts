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

/** Packet buffers of each node that pages of messages travel under, beside those of option kernel.messages: two
 *  default windows. */
export const STREAM_PACKETS = 16;

/** What bodies beyond a page and out-of-line rights may take up in a node's kernel: sent ones and arrived ones
 *  have as much each. */
export const LARGE_BYTES_MAX = 64 * 1024 * 1024;

/** Page frames of a node, at most: all of the largest machine in the smallest pages. */
export const FRAMES_MAX = MACHINE_BYTES_MAX / PAGE_BYTES_MIN;

/** A node's room in the swap file: more than its tasks' addresses lead to, and its slots have 24 bits. */
export const SWAP_BYTES_MAX = 16 * 1024 * 1024 * 1024;

/** Disks: bytes of a record, as Mach's disks have, and of the largest disk, so that the number of a record is
 *  an integer. A device's name is a dev_name_t (Mach 3.0 device/device_types.h). */
export const DISK_RECORD_BYTES = 512;
export const DISK_BYTES_MAX = 2 ** 30 * DISK_RECORD_BYTES;
export const DEVICE_NAME_MAX = 127;
