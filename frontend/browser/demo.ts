import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const program = process.env.PROMPTLOOPER ?? resolve(import.meta.dirname, "../../target/debug/promptlooper");
const patience = 30_000;

/** The program's demo, with a folder of its own. */
export type Demo = {
  /** The link that logs in once and leads to the sample experiment. */
  link: string;
  /** Where the server is, without a slash at the end. */
  origin: string;
  stop: () => Promise<void>;
};

/** Starts the demo on a free port, with cheap password hashes. */
export async function startDemo(): Promise<Demo> {
  if (!existsSync(program)) throw new Error(`${program} is not built: cargo build --bins`);
  const folder = mkdtempSync(join(tmpdir(), "promptlooper-browser-"));
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    DATA_DIR: folder,
    PORT: "0",
    PASSWORD_HASH_COST: "4",
    LOG: "warn",
  };
  const child = spawn(program, ["demo"], { env, stdio: ["ignore", "ignore", "pipe"] });
  const link = await said(child, /http:\/\/\S+once=\S+/);
  return {
    link,
    origin: new URL(link).origin,
    stop: async () => {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until the program says something on stderr; what it said. */
function said(child: ChildProcess, wanted: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const give = setTimeout(() => reject(new Error(`the demo does not start: ${text}`)), patience);
    child.once("exit", () => reject(new Error(`the demo ended: ${text}`)));
    child.stderr?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const found = text.match(wanted)?.[0];
      if (!found) return;
      clearTimeout(give);
      resolve(found);
    });
  });
}
