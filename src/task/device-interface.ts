// The interface of devices, with Mach's ids and numbers (device/device.defs, device/device_types.h). A node's
// devices are opened at its device master port, task.deviceMaster(node); what that gives is a send right to
// the device's own port, for the other calls. Both work alike from this node and from any other.
//   const master = task.deviceMaster(1);
//   const { device: disk } = await device.client(task, master).open({ mode: D_READ, name: "sd0" });
//   const { data } = await device.client(task, disk).read({ mode: 0, recnum: 0, bytesWanted: 8192 });

import { MOVE_SEND } from "../ipc/rights.ts";
import { bytes, int32, int32s, port, region, text } from "../mig/fields.ts";
import { at, routine } from "../mig/subsystem.ts";
import { defineInterface } from "./interface.ts";

/** Modes of device_open; in other calls a mode says nothing to a disk. */
export const D_READ = 1;
export const D_WRITE = 2;

/** Flavors of device_get_status: bytes of the device (0 if 31 bits do not hold them) and of a record; records
 *  of the device and bytes of one. */
export const DEV_GET_SIZE = 0;
export const DEV_GET_RECORDS = 1;

/** Calls are answered with KERN_SUCCESS (D_SUCCESS) or one of the D_ codes (base/status.ts). */
export const device = defineInterface("device", 2800, {
  /** Of a master port. "<2>sd0" is sd0 of node 2, from any node. An open device is opened once more: it has one port, and is closed as often. */
  open: routine({ mode: int32, name: text }, { device: port(MOVE_SEND) }),
  close: routine({}, {}),
  /** From record `recnum` on. Whole records, unless they end where the device does. */
  write: routine({ mode: int32, recnum: int32, data: region }, { bytesWritten: int32 }),
  writeInband: routine({ mode: int32, recnum: int32, data: bytes }, { bytesWritten: int32 }),
  /** From record `recnum` on. What there is: fewer bytes at the end of the device. */
  read: routine({ mode: int32, recnum: int32, bytesWanted: int32 }, { data: region }),
  /** The same, and a page at most. */
  readInband: routine({ mode: int32, recnum: int32, bytesWanted: int32 }, { data: bytes }),
  /** Disks have nothing to be set. */
  setStatus: at(2810, routine({ flavor: int32, status: int32s }, {})),
  getStatus: routine({ flavor: int32 }, { status: int32s }),
});
