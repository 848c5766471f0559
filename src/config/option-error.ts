// What a host is told that asks for something that cannot be. Apart from the schemas of options, which no worker loads.

/** Host misuse: a machine option that is unknown, or outside its range. */
export class OptionError extends Error {
  override readonly name = "OptionError";
}
