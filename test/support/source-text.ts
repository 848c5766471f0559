// Splits TypeScript source into what is code and what is comment, for rules that must not trip over words in comments
// and strings. Not a parser: it knows comments, strings, template literals and regular expressions, nothing else.

/** Two views of one source text, both of its length and with its line breaks, so that positions agree. */
export interface SourceViews {
  /** Comments gone; strings, template text and regular expressions reduced to their delimiters. */
  readonly code: string;
  /** Only the comments. */
  readonly comments: string;
}

export interface ModuleReference {
  readonly specifier: string;
  readonly line: number;
}

const REGEX_MAY_FOLLOW_WORD =
  /(?:^|[^\w$.])(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)$/;
const IMPORT = /\bfrom\s*(["'])( *)\1|\bimport\s*\(?\s*(["'])( *)\3/g;
const MODULE_URL = /\bnew URL\(\s*(["'])( *)\1\s*,\s*import\.meta\.url/g;

export function splitSource(text: string): SourceViews {
  const code: string[] = [];
  const comments: string[] = [];
  // One entry per open template literal: how many braces are open inside its current ${…}.
  const templateBraces: number[] = [];
  let at = 0;

  const emit = (end: number, to: "code" | "comment" | "neither"): void => {
    for (; at < end; at++) {
      const character = text[at]!;
      const space = character === "\n" ? "\n" : " ";
      code.push(to === "code" ? character : space);
      comments.push(to === "comment" ? character : space);
    }
  };
  /** The opening delimiter and, if there is one, the closing one stay in the code; what is between them does not. */
  const emitDelimited = (end: number, closed: boolean): void => {
    emit(at + 1, "code");
    emit(closed ? end - 1 : end, "neither");
    emit(end, "code");
  };
  const templateText = (): void => {
    let end = at;
    while (end < text.length && text[end] !== "`" && !text.startsWith("${", end)) {
      end += text[end] === "\\" ? 2 : 1;
    }
    emit(Math.min(end, text.length), "neither");
    if (text[at] === "`") {
      emit(at + 1, "code");
    } else if (at < text.length) {
      emit(at + 2, "code");
      templateBraces.push(0);
    }
  };

  while (at < text.length) {
    const character = text[at]!;
    if (text.startsWith("//", at)) {
      emit(endOfLine(text, at), "comment");
    } else if (text.startsWith("/*", at)) {
      const close = text.indexOf("*/", at + 2);
      emit(close < 0 ? text.length : close + 2, "comment");
    } else if (character === '"' || character === "'") {
      const end = endOfQuoted(text, at, character);
      emitDelimited(end, text[end - 1] === character && end > at + 1);
    } else if (character === "`") {
      emit(at + 1, "code");
      templateText();
    } else if (character === "/" && regexMayStart(code)) {
      const end = endOfRegex(text, at);
      emitDelimited(end, text[end - 1] === "/" && end > at + 1);
    } else if (character === "}" && templateBraces.at(-1) === 0) {
      templateBraces.pop();
      emit(at + 1, "code");
      templateText();
    } else {
      const depth = templateBraces.length - 1;
      if (depth >= 0 && character === "{") templateBraces[depth]! += 1;
      if (depth >= 0 && character === "}") templateBraces[depth]! -= 1;
      emit(at + 1, "code");
    }
  }
  return { code: code.join(""), comments: comments.join("") };
}

/** Every module that is named by an import or a re-export, static or dynamic, types included. */
export function importsOf(text: string): ModuleReference[] {
  return references(text, IMPORT);
}

/** Every module that is named by `new URL("…", import.meta.url)`: how worker threads are given their entry point. */
export function moduleUrlsOf(text: string): ModuleReference[] {
  return references(text, MODULE_URL);
}

export function lineAt(text: string, position: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < position; i = text.indexOf("\n", i + 1)) line++;
  return line;
}

function references(text: string, pattern: RegExp): ModuleReference[] {
  const found: ModuleReference[] = [];
  for (const match of splitSource(text).code.matchAll(pattern)) {
    const quote = match[1] ?? match[3]!;
    const length = (match[2] ?? match[4]!).length;
    const start = match.index + match[0].indexOf(quote) + 1;
    found.push({ specifier: text.slice(start, start + length), line: lineAt(text, start) });
  }
  return found;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

function endOfQuoted(text: string, from: number, quote: string): number {
  let end = from + 1;
  while (end < text.length && text[end] !== quote && text[end] !== "\n") {
    end += text[end] === "\\" ? 2 : 1;
  }
  return Math.min(text[end] === quote ? end + 1 : end, text.length);
}

function endOfRegex(text: string, from: number): number {
  const limit = endOfLine(text, from);
  let inClass = false;
  for (let end = from + 1; end < limit; end++) {
    if (text[end] === "\\") end++;
    else if (text[end] === "[") inClass = true;
    else if (text[end] === "]") inClass = false;
    else if (text[end] === "/" && !inClass) return end + 1;
  }
  return limit;
}

/** A slash divides after a value and starts a regular expression anywhere else. */
function regexMayStart(codeSoFar: readonly string[]): boolean {
  const before = codeSoFar.slice(-40).join("").trimEnd();
  if (before === "") return true;
  if (/[\w$]$/.test(before)) return REGEX_MAY_FOLLOW_WORD.test(before);
  return !/[)\]"'`]$/.test(before);
}
