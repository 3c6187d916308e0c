import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Situation } from "./oracle.ts";

const require = createRequire(import.meta.url);

/** Another implementation's result for an input. */
export interface Outcome {
  /** One for each head. */
  readonly bodies: readonly string[];
  /** How many messages were completed. */
  readonly complete: number;
  /** Why it was refused; empty if accepted. */
  readonly refused: string;
}

/** Another implementation of HTTP/1.1. */
export interface Peer {
  readonly name: string;
  observe(text: string, situation: Situation): Promise<Outcome>;
  close(): void;
}

interface NodeParser {
  initialize(type: number, resource: object, maxHeaderSize?: number, lenient?: number): void;
  execute(bytes: Uint8Array): number | (Error & { code: string });
  [callback: number]: unknown;
}
interface NodeParserClass {
  new (): NodeParser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

// What node:http returns from kOnHeadersComplete.
const READ_BODY = 0;
const NO_BODY = 1;
const UPGRADE = 2;

/** The parser of node:http in the running Node, without any lenience. */
export function nodeParser(): Peer {
  // There is no other access to it. Suppress Node's warning.
  const { noDeprecation = false } = process;
  process.noDeprecation = true;
  const { HTTPParser } = require("node:_http_common") as { HTTPParser: NodeParserClass };
  process.noDeprecation = noDeprecation;
  return {
    name: "node",
    observe: async (text, situation) => observeNode(HTTPParser, text, situation),
    close: () => {},
  };
}

function observeNode(Parser: NodeParserClass, text: string, situation: Situation): Outcome {
  const parser = new Parser();
  const bodies: string[] = [];
  let complete = 0;
  let interim = false;
  parser.initialize(situation.role === "server" ? Parser.REQUEST : Parser.RESPONSE, {});
  parser[Parser.kOnHeadersComplete] = (...head: unknown[]) => {
    const [status, upgrade] = [head[5] as number, head[7] as boolean];
    bodies.push("");
    interim = situation.role === "client" && status < 200 && status !== 101;
    if (situation.role === "server") return upgrade ? UPGRADE : READ_BODY;
    const method = situation.asks[0]?.method;
    if (status === 101 || (method === "CONNECT" && status >= 200 && status <= 299)) return UPGRADE;
    return method === "HEAD" || interim ? NO_BODY : READ_BODY;
  };
  parser[Parser.kOnBody] = (piece: Uint8Array) => {
    bodies[bodies.length - 1] += Buffer.from(piece).toString("latin1");
  };
  parser[Parser.kOnMessageComplete] = () => {
    complete++;
  };
  const result = parser.execute(Buffer.from(text, "latin1"));
  return { bodies, complete, refused: typeof result === "number" ? "" : result.code };
}

/** h11, if Python has it (Debian: python3-h11). */
export async function h11Peer(program: URL): Promise<Peer | undefined> {
  for (const python of ["python3", "/usr/bin/python3"]) {
    const child = spawn(python, [fileURLToPath(program)], { stdio: ["pipe", "pipe", "ignore"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.on("error", () => {});
    child.stdin.on("error", () => {});
    const observe: Peer["observe"] = async (text, { role, asks }) => {
      const { method = "", offers = [] } = asks[0] ?? {};
      child.stdin.write(`${JSON.stringify({ text, role, method, offers })}\n`);
      const { value } = await lines.next();
      if (value === undefined) throw new Error("h11 has exited");
      return JSON.parse(value) as Outcome;
    };
    const probe = observe("", { role: "server", asks: [] } as unknown as Situation);
    const works = await probe.then(
      () => true,
      () => false,
    );
    if (works) return { name: "h11", observe, close: () => child.stdin.end() };
  }
  return undefined;
}
