// Local ids of the ports that every node's kernel has (CMU norma/ipc_special.c): any node can name them
// without asking.

export const DEVICE_SPECIAL_PORT = 1;
export const HOST_SPECIAL_PORT = 2;
export const HOST_PRIV_SPECIAL_PORT = 3;
