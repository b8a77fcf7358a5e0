const blanks = /[ \t\n\r]*/y;
const plain = /[^"\\\u0000-\u001f]*/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** A place in the grammar of RFC 8259: what may stand there. */
type Place = "value" | "first item" | "first key" | "key" | "colon" | "behind a value";

/** A reader of tokens; only its position says how far the text is JSON. */
class Scanner {
  at = 0;
  place: Place = "value";
  readonly #text: string;
  readonly #open: ("[" | "{")[] = [];

  constructor(text: string) {
    this.#text = text;
    this.#skip(blanks);
  }

  /** Reads one token; false where none may stand as it does. */
  next(): boolean {
    const read = this.#token(this.#text[this.at]);
    this.#skip(blanks);
    return read;
  }

  #token(character: string | undefined): boolean {
    switch (this.place) {
      case "first key":
        return this.#close(character, "}") || this.#key();
      case "key":
        return this.#key();
      case "colon":
        return character === ":" && this.#step("value");
      case "behind a value":
        return this.#behindValue(character);
      case "first item":
        return this.#close(character, "]") || this.#value(character);
      case "value":
        return this.#value(character);
    }
  }

  #value(character: string | undefined): boolean {
    if (character === "{" || character === "[") {
      this.#open.push(character);
      return this.#step(character === "{" ? "first key" : "first item");
    }
    this.place = "behind a value";
    return character === '"' ? this.#string() : this.#skip(scalar);
  }

  #key(): boolean {
    this.place = "colon";
    return this.#text[this.at] === '"' && this.#string();
  }

  /** Reads a string piece by piece: one pattern for all of it runs out of memory at millions of escapes. */
  #string(): boolean {
    const start = this.at;
    this.at += 1;
    do this.#skip(plain);
    while (this.#skip(escape));
    if (this.#text[this.at] === '"') {
      this.at += 1;
      return true;
    }
    this.at = this.at >= this.#text.length ? this.at : start;
    return false;
  }

  #behindValue(character: string | undefined): boolean {
    const open = this.#open.at(-1);
    if (open === undefined) return false;
    if (character === ",") return this.#step(open === "{" ? "key" : "value");
    return this.#close(character, open === "{" ? "}" : "]");
  }

  #close(character: string | undefined, bracket: "}" | "]"): boolean {
    if (character !== bracket) return false;
    this.#open.pop();
    return this.#step("behind a value");
  }

  #step(place: Place): boolean {
    this.at += 1;
    this.place = place;
    return true;
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    const fits = pattern.test(this.#text);
    if (fits) this.at = pattern.lastIndex;
    return fits;
  }
}

/**
 * Says where a text stops being JSON, by line and column from 1. Unlike the messages of `JSON.parse` it quotes
 * nothing: the text may be a secret of somebody who is not the reader of the message.
 * @param text that `JSON.parse` refuses
 */
export function jsonFaultOf(text: string): string {
  const scanner = new Scanner(text);
  while (scanner.next());
  if (scanner.at >= text.length) return text.trim() === "" ? "it is empty" : "it breaks off at its end";
  const before = text.slice(0, scanner.at);
  const line = before.split("\n").length;
  const column = before.length - before.lastIndexOf("\n");
  return `line ${line}, column ${column} is not as JSON demands`;
}
