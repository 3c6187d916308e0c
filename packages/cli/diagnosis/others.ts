// What curl, wscat and openssl say about the same attempt.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Attempt } from "./rows.ts";

/** What a program printed, and its exit code. */
export interface Said {
  readonly exit: number | string;
  readonly lines: readonly string[];
}

/** A program that is still running then is ended; people press Ctrl-C. */
const PATIENCE_MS = 9_000;

function said(
  command: string,
  args: readonly string[],
  stdin: "ignore" | "pipe" = "ignore",
): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: [stdin, "pipe", "pipe"], timeout: PATIENCE_MS });
    let text = "";
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on("data", (bytes) => {
        text += bytes;
      });
    }
    child.on("error", reject).on("close", (code) => {
      resolve({ exit: code ?? "none: it waits until it is ended", lines: text.split(/\r?\n/) });
    });
  });
}

const option = (name: string, value: string | undefined): string[] =>
  value === undefined ? [] : [name, value];

export async function curl({ url, ca, body, proxy }: Attempt): Promise<Said> {
  const { exit, lines } = await said("curl", [
    ...["-v", "--no-progress-meter", "--http1.1", "--max-time", "8", "--output", "/dev/null"],
    ...["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"],
    ...["-H", "Sec-WebSocket-Version: 13", "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
    ...(body === undefined ? [] : ["--request", "GET", "--data", body]),
    ...option("--cacert", ca),
    ...(proxy === undefined ? ["--noproxy", "*"] : ["--proxy", proxy]),
    url.replace(/^ws/, "http"),
  ]);
  // The status lines, and its own last words.
  const last = lines.filter((line) =>
    /^(?:< HTTP|curl: |\* (?:Empty|Received|SSL|Mark|Recv))/.test(line),
  );
  return { exit, lines: last };
}

export async function wscat({ url, ca, proxy }: Attempt): Promise<Said> {
  const manifest = createRequire(import.meta.url).resolve("wscat/package.json");
  const args = [
    join(dirname(manifest), "bin/wscat"),
    ...["--connect", url, "--execute", "hello", "--wait", "7"],
    ...option("--ca", ca),
    ...option("--proxy", proxy),
  ];
  // It ends when its stdin does.
  const { exit, lines } = await said(process.execPath, args, "pipe");
  return { exit, lines: lines.map(readable).filter((line) => line !== "") };
}

export async function openssl({ url, ca }: Attempt): Promise<Said> {
  const { hostname, port, protocol } = new URL(url);
  const { exit, lines } = await said("openssl", [
    ...["s_client", "-connect", `${hostname}:${port || (protocol === "wss:" ? "443" : "80")}`],
    ...["-servername", hostname, "-alpn", "http/1.1"],
    ...option("-CAfile", ca),
  ]);
  const errors = lines.filter((line) => /error:|^connect:/.test(line)).slice(0, 2);
  const verified = lines.filter((line) => /^\s*Verify return code/.test(line)).slice(0, 1);
  return { exit, lines: [...errors, ...verified].map((line) => line.trim()) };
}

/** Without what moves the cursor. */
function readable(line: string): string {
  return line.replace(/\u001b\[[\d;?]*[A-Za-z]/g, "").trim();
}
