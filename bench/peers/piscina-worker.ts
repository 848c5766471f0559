// Worker entry of the piscina peer (piscina.ts): the task that gives its payload back.

export function echo(payload: Uint8Array): Uint8Array {
  return payload;
}
