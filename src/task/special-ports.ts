// Local ids of the ports that every node's kernel has (CMU norma/ipc_special.c): any node can name them
// without asking.

export const DEVICE_SPECIAL_PORT = 1;
export const HOST_SPECIAL_PORT = 2;
export const HOST_PRIV_SPECIAL_PORT = 3;

/** Ids of norma_get_special_port and norma_set_special_port: 1 to this one. Beyond the three above an id is that of
 *  a slot; NAME_SERVER_SPECIAL_PORT is born with a right to the node's name server, the others are empty. */
export const SPECIAL_PORT_MAX = 32;
