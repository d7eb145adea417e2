/** Where a text stops being JSON, or what it holds. */
export type Parsed = { ok: true; value: unknown } | { ok: false; message: string; line: number };

export function parseJson(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, message, line: lineOfError(message, text) };
  }
}

function lineOfError(message: string, text: string): number {
  const line = /line (\d+)/.exec(message)?.[1];
  if (line) return Number(line);
  const position = /position (\d+)/.exec(message)?.[1];
  return lineAt(text, position ? Number(position) : text.length);
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** The line, from 1, on which a JSON pointer's value begins; that of its nearest parent where it is absent. */
export function lineOfPointer(text: string, pointer: string): number {
  const steps = pointer.split("/").slice(1).map(unescapeStep);
  const scanner = new Scanner(text);
  for (const step of steps) {
    if (!scanner.enter(step)) break;
  }
  return lineAt(text, scanner.found);
}

const unescapeStep = (step: string) => step.replaceAll("~1", "/").replaceAll("~0", "~");

/** Walks text that is known to be JSON. */
class Scanner {
  /** Where the last value that was entered begins; a member begins with its name. */
  found = 0;
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    this.#space();
    this.found = this.#at;
  }

  /** Moves to the named member or numbered item of the value at hand. */
  enter(step: string): boolean {
    const open = this.#text[this.#at];
    if (open !== "{" && open !== "[") return false;
    this.#at++;
    for (let index = 0; this.#more(); index++) {
      const start = this.#at;
      const name = open === "{" ? this.#name() : String(index);
      if (name === step) {
        this.found = start;
        return true;
      }
      this.#skip();
    }
    return false;
  }

  /** Whether another member or item follows. */
  #more(): boolean {
    this.#space();
    if (this.#text[this.#at] === ",") this.#at++;
    this.#space();
    const next = this.#text[this.#at];
    return next !== undefined && next !== "}" && next !== "]";
  }

  #name(): string {
    const start = this.#at;
    this.#string();
    const name: unknown = JSON.parse(this.#text.slice(start, this.#at));
    this.#space();
    this.#at++;
    this.#space();
    return String(name);
  }

  #skip(): void {
    let depth = 0;
    do {
      const next = this.#text[this.#at];
      if (next === undefined) return;
      if (next === '"') {
        this.#string();
        continue;
      }
      if (next === "{" || next === "[") depth++;
      if (next === "}" || next === "]") depth--;
      if (depth < 0) return;
      this.#at++;
    } while (depth > 0 || !this.#ended());
  }

  #ended(): boolean {
    return /[,\]}]/.test(this.#text[this.#at] ?? "}");
  }

  #string(): void {
    this.#at++;
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"') {
      this.#at += this.#text[this.#at] === "\\" ? 2 : 1;
    }
    this.#at++;
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
  }
}
