// The netname protocol: message ids and limits (CMU netname.defs, subsystem 1040).
// Requests carry a text item and rights; replies an INTEGER_32 status, then results.

/** Request: name, signature right, port right. */
export const NETNAME_CHECK_IN = 1040;
/** Request: name. Reply: status, send right. */
export const NETNAME_LOOK_UP = 1041;
/** Request: name, signature right. */
export const NETNAME_CHECK_OUT = 1042;

/** netname_name_t is 80 characters. */
export const NAME_BYTES_MAX = 80;

/** Local id of every node's name server (NORMA_NAMESERVER_PORT). */
export const NAME_SERVER_SPECIAL_PORT = 4;
