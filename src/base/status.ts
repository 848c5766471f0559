// Status codes with Mach 3.0's own numbers (mach/message.h, mach/kern_return.h), and their names.
// The kernel returns them; only the task API turns one into a MachError.

export const KERN_SUCCESS = 0;
export const KERN_INVALID_ADDRESS = 1;
export const KERN_PROTECTION_FAILURE = 2;
export const KERN_NO_SPACE = 3;
export const KERN_INVALID_ARGUMENT = 4;
export const KERN_FAILURE = 5;
export const KERN_RESOURCE_SHORTAGE = 6;
export const KERN_MEMORY_ERROR = 10;
export const KERN_NOT_IN_SET = 12;
export const KERN_NAME_EXISTS = 13;
export const KERN_ABORTED = 14;
export const KERN_INVALID_NAME = 15;
export const KERN_INVALID_TASK = 16;
export const KERN_INVALID_RIGHT = 17;
export const KERN_INVALID_VALUE = 18;
export const KERN_UREFS_OVERFLOW = 19;
export const KERN_INVALID_CAPABILITY = 20;
export const KERN_RIGHT_EXISTS = 21;
export const KERN_INVALID_HOST = 22;

export const MACH_MSG_SUCCESS = 0;
export const MACH_SEND_INVALID_DATA = 0x10000002;
export const MACH_SEND_INVALID_DEST = 0x10000003;
export const MACH_SEND_TIMED_OUT = 0x10000004;
export const MACH_SEND_WILL_NOTIFY = 0x10000005;
export const MACH_SEND_NOTIFY_IN_PROGRESS = 0x10000006;
export const MACH_SEND_INTERRUPTED = 0x10000007;
export const MACH_SEND_MSG_TOO_SMALL = 0x10000008;
export const MACH_SEND_INVALID_REPLY = 0x10000009;
export const MACH_SEND_INVALID_RIGHT = 0x1000000a;
export const MACH_SEND_INVALID_NOTIFY = 0x1000000b;
export const MACH_SEND_INVALID_MEMORY = 0x1000000c;
export const MACH_SEND_NO_BUFFER = 0x1000000d;
export const MACH_SEND_NO_NOTIFY = 0x1000000e;
export const MACH_SEND_INVALID_TYPE = 0x1000000f;
export const MACH_SEND_INVALID_HEADER = 0x10000010;

export const MACH_RCV_INVALID_NAME = 0x10004002;
export const MACH_RCV_TIMED_OUT = 0x10004003;
export const MACH_RCV_TOO_LARGE = 0x10004004;
export const MACH_RCV_INTERRUPTED = 0x10004005;
export const MACH_RCV_PORT_CHANGED = 0x10004006;
export const MACH_RCV_INVALID_NOTIFY = 0x10004007;
export const MACH_RCV_INVALID_DATA = 0x10004008;
export const MACH_RCV_PORT_DIED = 0x10004009;
export const MACH_RCV_IN_SET = 0x1000400a;
export const MACH_RCV_HEADER_ERROR = 0x1000400b;
export const MACH_RCV_BODY_ERROR = 0x1000400c;

/** Or-ed into a message status: what there was too little of. */
export const MACH_MSG_IPC_SPACE = 0x2000;
export const MACH_MSG_VM_SPACE = 0x1000;
export const MACH_MSG_VM_KERNEL = 0x400;
const MACH_MSG_SHORTAGE = 0x3c00;

/** What can go wrong between a stub and a server (mach/mig_errors.h): in the client, a reply with other
 *  items, with another id; in the server, an unknown id, other arguments, nothing to be replied. */
export const MIG_TYPE_ERROR = -300;
export const MIG_REPLY_MISMATCH = -301;
export const MIG_REMOTE_ERROR = -302;
export const MIG_BAD_ID = -303;
export const MIG_BAD_ARGUMENTS = -304;
export const MIG_NO_REPLY = -305;
export const MIG_EXCEPTION = -306;
export const MIG_ARRAY_TOO_LARGE = -307;
export const MIG_SERVER_DIED = -308;
export const MIG_DESTROY_REQUEST = -309;

/** Name service (servers/netname_defs.h). */
export const NETNAME_NOT_YOURS = 1000;
export const NETNAME_NOT_CHECKED_IN = 1001;
export const NETNAME_NO_SUCH_HOST = 1002;
export const NETNAME_HOST_NOT_FOUND = 1003;
export const NETNAME_INVALID_PORT = 1004;

/** Devices (device/device_types.h); D_SUCCESS is KERN_SUCCESS. */
export const D_IO_ERROR = 2500;
export const D_WOULD_BLOCK = 2501;
export const D_NO_SUCH_DEVICE = 2502;
export const D_ALREADY_OPEN = 2503;
export const D_DEVICE_DOWN = 2504;
export const D_INVALID_OPERATION = 2505;
export const D_INVALID_RECNUM = 2506;
export const D_INVALID_SIZE = 2507;
export const D_NO_MEMORY = 2508;
export const D_READ_ONLY = 2509;

const STATUS_NAMES = {
  KERN_SUCCESS,
  KERN_INVALID_ADDRESS,
  KERN_PROTECTION_FAILURE,
  KERN_NO_SPACE,
  KERN_INVALID_ARGUMENT,
  KERN_FAILURE,
  KERN_RESOURCE_SHORTAGE,
  KERN_MEMORY_ERROR,
  KERN_NOT_IN_SET,
  KERN_NAME_EXISTS,
  KERN_ABORTED,
  KERN_INVALID_NAME,
  KERN_INVALID_TASK,
  KERN_INVALID_RIGHT,
  KERN_INVALID_VALUE,
  KERN_UREFS_OVERFLOW,
  KERN_INVALID_CAPABILITY,
  KERN_RIGHT_EXISTS,
  KERN_INVALID_HOST,
  MACH_SEND_INVALID_DATA,
  MACH_SEND_INVALID_DEST,
  MACH_SEND_TIMED_OUT,
  MACH_SEND_WILL_NOTIFY,
  MACH_SEND_NOTIFY_IN_PROGRESS,
  MACH_SEND_INTERRUPTED,
  MACH_SEND_MSG_TOO_SMALL,
  MACH_SEND_INVALID_REPLY,
  MACH_SEND_INVALID_RIGHT,
  MACH_SEND_INVALID_NOTIFY,
  MACH_SEND_INVALID_MEMORY,
  MACH_SEND_NO_BUFFER,
  MACH_SEND_NO_NOTIFY,
  MACH_SEND_INVALID_TYPE,
  MACH_SEND_INVALID_HEADER,
  MACH_RCV_INVALID_NAME,
  MACH_RCV_TIMED_OUT,
  MACH_RCV_TOO_LARGE,
  MACH_RCV_INTERRUPTED,
  MACH_RCV_PORT_CHANGED,
  MACH_RCV_INVALID_NOTIFY,
  MACH_RCV_INVALID_DATA,
  MACH_RCV_PORT_DIED,
  MACH_RCV_IN_SET,
  MACH_RCV_HEADER_ERROR,
  MACH_RCV_BODY_ERROR,
  MIG_TYPE_ERROR,
  MIG_REPLY_MISMATCH,
  MIG_REMOTE_ERROR,
  MIG_BAD_ID,
  MIG_BAD_ARGUMENTS,
  MIG_NO_REPLY,
  MIG_EXCEPTION,
  MIG_ARRAY_TOO_LARGE,
  MIG_SERVER_DIED,
  MIG_DESTROY_REQUEST,
  NETNAME_NOT_YOURS,
  NETNAME_NOT_CHECKED_IN,
  NETNAME_NO_SUCH_HOST,
  NETNAME_HOST_NOT_FOUND,
  NETNAME_INVALID_PORT,
  D_IO_ERROR,
  D_WOULD_BLOCK,
  D_NO_SUCH_DEVICE,
  D_ALREADY_OPEN,
  D_DEVICE_DOWN,
  D_INVALID_OPERATION,
  D_INVALID_RECNUM,
  D_INVALID_SIZE,
  D_NO_MEMORY,
  D_READ_ONLY,
} as const;

/** The name of a status, such as "MACH_SEND_INVALID_DEST". */
export type StatusCode = keyof typeof STATUS_NAMES | "UNKNOWN_STATUS";

const namesByStatus = new Map<number, StatusCode>(
  Object.entries(STATUS_NAMES).map(([name, status]) => [status, name as StatusCode]),
);

/** A message status without the bits that tell of a shortage. */
export const withoutShortage = (status: number): number =>
  status >= MACH_SEND_INVALID_DATA ? status & ~MACH_MSG_SHORTAGE : status;

/** The number behind a name; KERN_FAILURE for one that is no status. */
export const statusOf = (code: string): number =>
  Object.hasOwn(STATUS_NAMES, code)
    ? STATUS_NAMES[code as keyof typeof STATUS_NAMES]
    : KERN_FAILURE;

/** The name of a status, whatever shortage it tells of. */
export const statusName = (status: number): StatusCode =>
  namesByStatus.get(withoutShortage(status)) ?? "UNKNOWN_STATUS";
