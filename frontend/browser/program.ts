import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const program = process.env.PROMPTLOOPER ?? resolve(import.meta.dirname, "../../target/debug/promptlooper");
const startTimeout = 30_000;

/** The program as a server, with a folder of its own. */
export type Server = {
  /** The address that it said first. */
  said: string;
  /** Where it is, without a slash at the end. */
  origin: string;
  stop: () => Promise<void>;
};

/** Starts the demo; what it says is the link that logs in and leads to the sample experiment. */
export const startDemo = () => start("demo", /http:\/\/\S+once=\S+/);

/** Starts a server that nobody has set up. */
export const startServer = () => start("serve", /http:\/\/\S+/);

/** Starts the program on a free port, with cheap password hashes. */
async function start(command: string, address: RegExp): Promise<Server> {
  if (!existsSync(program)) throw new Error(`${program} is not built: cargo build --bins`);
  const folder = mkdtempSync(join(tmpdir(), "promptlooper-browser-"));
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    DATA_DIR: folder,
    HOST: "127.0.0.1",
    PORT: "0",
    PASSWORD_HASH_COST: "4",
    LOG: "warn",
  };
  const child = spawn(program, [command], { env, stdio: ["ignore", "ignore", "pipe"] });
  const said = await waitForOutput(child, address);
  return {
    said,
    origin: new URL(said).origin,
    stop: async () => {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until the program says something on stderr; what it said. */
function waitForOutput(child: ChildProcess, wanted: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const give = setTimeout(() => reject(new Error(`the program does not start: ${text}`)), startTimeout);
    child.once("exit", () => reject(new Error(`the program ended: ${text}`)));
    child.stderr?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const found = text.match(wanted)?.[0];
      if (!found) return;
      clearTimeout(give);
      resolve(found);
    });
  });
}
