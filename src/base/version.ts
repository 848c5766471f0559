// The version of this package, as servers tell it; test/base/version.test.ts compares package.json.

export const VERSION = "0.1.0";
